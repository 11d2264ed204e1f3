#!/bin/sh
# Spoken digits, a recurrent layer that learns while it listens: the mean of some seeds, on the chip and in real numbers.
#
#   testbench/campaigns/spoken-digits.sh DATA [SEED ...]
#
# DATA holds `recordings.tar.gz`, or the WAV files themselves.
set -eu
data=${1:?say where the recordings are}
shift
[ $# -gt 0 ] || set -- 1 2 3
cargo build --release
cargo build --release -p testbench --example float_reference
mean() { awk '{ print; sum += $2 } END { printf "mean of %d seeds: %.2f %%\n", NR, sum / NR }'; }
target/release/onward train programs/learning/spoken-digits.sp --data "$data" --timing none --seeds "$(printf '%s,' "$@")" |
    sed -n '/ seed /,/^$/p; /^Result/,$p'
echo "in real numbers:"
for seed in "$@"; do
    target/release/examples/float_reference programs/learning/spoken-digits.sp "$data" --seed "$seed" | tail -n 1 | cut -d' ' -f2-
done | mean
