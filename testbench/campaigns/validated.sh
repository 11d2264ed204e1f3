#!/usr/bin/env bash
# MNIST, 784-512-512 with 16 bits, pictures moved by up to a pixel before they are learned from. Settings are chosen by 10,000
# samples of the training set that are kept apart, with one seed; the best of them is run with several, and each looks at the
# test samples once. Takes some ten minutes a run; not part of CI.
#   testbench/campaigns/validated.sh MNIST_FOLDER [SEEDS]
# SEEDS as `--seeds` takes them. EPOCHS says how many, THREADS how many host threads, SETTINGS which settings are tried: lists
# of `NAME=VALUE` with commas, one list a word.
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
seeds=${2:-1..3}
epochs=${EPOCHS:-30}
threads=${THREADS:-2}
settings=${SETTINGS:-margin=0.3,anneal=4 margin=0.5,anneal=4 margin=0.3,anneal=6 margin=0.3,anneal=4,pixels=2}
cd "$(dirname "$0")/../.."
cargo build --release --locked --quiet --bin onward
onward=${CARGO_TARGET_DIR:-target}/release/onward
results=$(mktemp -d)
trap 'rm -r "$results"' EXIT

# 10,000 of 60,000.
train() {
    "$onward" train programs/learning/mnist-augmented.sp --data "$mnist" --timing none --threads "$threads" --epochs "$epochs" \
        --validate 0.16667 "$@"
}
# A list of settings as options.
options() { tr ',' '\n' <<<"$1" | sed 's/^/--set=/'; }
validation='import json, sys; print(json.load(open(sys.argv[1]))["validation"]["right"])'

best="" most=-1
for list in $settings; do
    mapfile -t given < <(options "$list")
    train "${given[@]}" --json "$results/run.json" >"$results/log" || { cat "$results/log"; exit 1; }
    right=$(python3 -c "$validation" "$results/run.json")
    echo "$list: $right of 10,000 validation samples right"
    if ((right > most)); then best=$list most=$right; fi
done
echo "chosen: $best"
mapfile -t given < <(options "$best")
train "${given[@]}" --seeds "$seeds"
