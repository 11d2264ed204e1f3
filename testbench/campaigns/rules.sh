#!/usr/bin/env bash
# Every learning rule, one thing varied at a time from the default: MNIST 784-256-256, 3 epochs, mean over seeds, as a
# table in Markdown. Takes a minute a run; not part of CI.
#   testbench/campaigns/rules.sh MNIST_FOLDER [SEED ...]
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
shift
seeds=("${@:-1}")
cd "$(dirname "$0")/../.."
cargo build --release --locked --quiet
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
row() {
    local rule=$1 block=$2
    for seed in "${seeds[@]}"; do
        target/release/onward train programs/learning/rules.sp --data "$mnist" --seed "$seed" --set "rule=$rule" \
            --set "block=$block" --json "$results/run.json" >"$results/log" || { cat "$results/log"; exit 1; }
        python3 -c "$figures" "$results/run.json"
    done | awk -v rule="$rule" -v block="$block" '
        { sum += $1; cycles += $2; joules += $3; writes += $4; silent += $5; each = each sprintf(" %.2f", $1) }
        END {
            printf "| `%s` | %d | %.2f %% | %s | %d | %.2f | %.1f | %.1f |\n", rule, block, sum / NR, substr(each, 2),
                cycles / NR, joules / NR * 1e6, writes / NR / 1e3, silent / NR
        }'
}

echo "| rule | block | accuracy | of each seed | cycles a sample | uJ a sample | 1,000 weights written a sample | silent at the end |"
echo "|---|---|---|---|---|---|---|---|"
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
