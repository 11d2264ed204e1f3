#!/usr/bin/env bash
# The predictions and the bandit of programs/learning/, on MNIST and on the digits, over seeds. Takes minutes to an hour; not
# part of CI.
#   testbench/campaigns/predictions.sh MNIST_FOLDER [SEED ...]
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
shift
cd "$(dirname "$0")/../.."
cargo build --release --locked
onward=${CARGO_TARGET_DIR:-target}/release/onward
large=(--data "$mnist" --set side=28 --set hidden=256 --timing none)
for seed in "${@:-1}"; do
    for network in nearest-target trained trained-least-squares target-tree; do
        "$onward" train "programs/learning/$network.sp" "${large[@]}" --epochs 3 --seed "$seed" |
            grep -E '^  (accuracy|comparisons)' | sed "s/^/$network, seed $seed: /"
    done
    "$onward" bandit programs/learning/bandit.sp --set hidden=256 --seed "$seed" --timing none |
        grep -E '^  (reward|lately)' | sed "s/^/bandit on digits, seed $seed: /"
    "$onward" bandit programs/learning/bandit.sp "${large[@]}" --seed "$seed" |
        grep -E '^  (reward|lately)' | sed "s/^/bandit on MNIST, seed $seed: /"
done
