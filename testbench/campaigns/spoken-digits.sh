#!/bin/sh
# Spoken digits, a recurrent layer that learns while it listens: the mean of some seeds.
#
#   testbench/campaigns/spoken-digits.sh DATA [SEED ...]
#
# DATA holds `recordings.tar.gz`, or the WAV files themselves.
set -eu
data=${1:?say where the recordings are}
shift
[ $# -gt 0 ] || set -- 1 2 3
cargo build --release
for seed in "$@"; do
    target/release/onward train programs/learning/spoken-digits.sp --data "$data" --seed "$seed" --timing none |
        grep 'accuracy  ' | tail -n 1
done | awk '{ print; sum += $2 } END { printf "mean of %d seeds: %.2f %%\n", NR, sum / NR }'
