#!/usr/bin/env bash
# Accuracy of dense networks by the default rule, on the emulated chip and in real numbers: a table in Markdown, the mean over
# seeds. Takes hours; not part of CI.
#   testbench/campaigns/accuracy.sh MNIST_FOLDER FASHION_MNIST_FOLDER [SEED ...]
# REFERENCE_SEEDS says the seeds of the reference in real numbers, "" leaves it out.
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
fashion=$(realpath "${2:?the folder with the IDX files of Fashion-MNIST}")
shift 2
seeds=("${@:-1}")
[ $# -gt 0 ] || seeds=(1 2 3)
reference_seeds=${REFERENCE_SEEDS-1}
cd "$(dirname "$0")/../.."
cargo build --release --locked --quiet -p onward
cargo build --release --locked --quiet -p testbench --example float_reference

# The last accuracy that a command prints, in percent.
last() { grep -E '^ *(accuracy|epoch) ' | grep -Eo '[0-9]+\.[0-9]+ %' | tail -n 1 | cut -d' ' -f1; }
# The mean of the lines that come in, and them.
mean() { awk '{ sum += $1; all = all (NR > 1 ? ", " : "") $1 } END { if (NR) printf "%.2f (%s)", sum / NR, all; else printf "-" }'; }

results=$(mktemp)
trap 'rm "$results"' EXIT
figures='
import json, sys
run = json.load(open(sys.argv[1]))
each = ", ".join("%.2f" % one["accuracy_percent"] for one in run["runs"])
print("%.2f (%s)" % (run["accuracy_percent"]["mean"], each), end="")
'
on_chip() {
    target/release/onward train "$@" --seeds "$(printf '%s,' "${seeds[@]}")" --threads 2 --timing none --json "$results" >/dev/null
    python3 -c "$figures" "$results"
}
in_real_numbers() { for seed in $reference_seeds; do target/release/examples/float_reference "$@" --seed "$seed" | last; done | mean; }

echo "| network | on the chip | in real numbers, same blocks | in real numbers, a block a layer |"
echo "|---|---|---|---|"
# Name, network, data, settings. The reference has no bits: rows of the same network and blocks differ by rounding alone.
row() {
    local name=$1 network=$2 data=$3
    shift 3
    printf '| %s | %s |' "$name" "$(on_chip "programs/$network.sp" --data "$data" "$@")"
    printf ' %s | %s |\n' "$(in_real_numbers "programs/$network.sp" "$data" "$@")" \
        "$(in_real_numbers "programs/$network.sp" "$data" --whole "$@")"
}
row "digits, 64-128-128, 16 bits" digits digits
row "MNIST, 784-512-512, 16 bits" mnist "$mnist"
row "MNIST, 784-200-200, 16 bits" learning/mnist-200 "$mnist"
row "MNIST, 784-512-512, 8 bits" learning/few-bits "$mnist"
row "MNIST, 784-512-512, 4 bits" learning/few-bits "$mnist" --set bits=4 --set batch=1
# The reference has no batches.
printf '| MNIST, 784-512-512, 4 bits, batches of 32 | %s | - | - |\n' \
    "$(on_chip programs/learning/few-bits.sp --data "$mnist" --set bits=4 --set rounding=carried)"
row "Fashion-MNIST (not the published split), 784-512-512, 16 bits" learning/fashion "$fashion"
