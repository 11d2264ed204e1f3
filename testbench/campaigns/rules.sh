#!/usr/bin/env bash
# Every learning rule, one thing varied at a time from the default: MNIST 784-256-256, 3 epochs, mean over seeds, as a
# table in Markdown. Takes a minute a run; not part of CI.
#   testbench/campaigns/rules.sh MNIST_FOLDER [SEED ...]
# REFERENCE_SEEDS says the seeds of the reference in real numbers, "" leaves it out.
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
shift
seeds=("${@:-1}")
reference_seeds=${REFERENCE_SEEDS-1}
cd "$(dirname "$0")/../.."
cargo build --release --locked --quiet
cargo build --release --locked --quiet -p testbench --example float_reference
results=$(mktemp -d)
trap 'rm -r "$results"' EXIT

# Accuracy, cycles and joules to learn a sample, weights written, neurons that are silent at the end; of one run.
figures='
import json, sys
run = json.load(open(sys.argv[1]))
learned = run["per_training_sample"]
silent = sum(layer["after"] for layer in run["silent_neurons"])
print(run["accuracy_percent"], learned["cycles"], learned["energy_j"], run["synaptic_updates"] / learned["samples"], silent)
'
# The mean accuracy of a rule with blocks of a size in real numbers, and that of each seed.
in_real_numbers() {
    local seed
    for seed in $reference_seeds; do
        target/release/examples/float_reference programs/learning/rules.sp "$mnist" --seed "$seed" --set "rule=$1" \
            --set "block=$2" | tail -n 1 | grep -Eo '[0-9]+\.[0-9]+'
    done | awk '{ sum += $1; all = all (NR > 1 ? ", " : "") $1 } END { if (NR) printf "%.2f %% (%s)", sum / NR, all; else printf "-" }'
}
row() {
    local rule=$1 block=$2 real
    real=$(in_real_numbers "$rule" "$block")
    for seed in "${seeds[@]}"; do
        target/release/onward train programs/learning/rules.sp --data "$mnist" --seed "$seed" --set "rule=$rule" \
            --set "block=$block" --json "$results/run.json" >"$results/log" || { cat "$results/log"; exit 1; }
        python3 -c "$figures" "$results/run.json"
    done | awk -v rule="$rule" -v block="$block" -v real="$real" '
        { sum += $1; cycles += $2; joules += $3; writes += $4; silent += $5; each = each sprintf(" %.2f", $1) }
        END {
            printf "| `%s` | %d | %.2f %% | %s | %s | %d | %.2f | %.1f | %.1f |\n", rule, block, sum / NR, substr(each, 2), real,
                cycles / NR, joules / NR * 1e6, writes / NR / 1e3, silent / NR
        }'
}

echo "| rule | block | accuracy | of each seed | in real numbers | cycles a sample | uJ a sample | 1,000 weights written a sample | silent at the end |"
echo "|---|---|---|---|---|---|---|---|---|"
row 'hinge' 128
row 'softmax' 128
row 'squared_error' 128
row 'hebbian' 128
row 'hinge { gate = voltage }' 128
row 'hinge { gate = none }' 128
row 'hinge { shifts = (2, 3) }' 128
row 'hinge { optimizer = adaptive }' 128
row 'hinge { weight_decay = 14 }' 128
row 'hinge { revive = none }' 128
row 'hinge' 64
row 'hinge { optimizer = momentum }' 64
