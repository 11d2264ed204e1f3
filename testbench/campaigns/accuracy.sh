#!/usr/bin/env bash
# Accuracy of the networks in programs/, over seeds. Takes minutes to an hour; not part of CI.
#   testbench/campaigns/accuracy.sh MNIST_FOLDER [SEED ...]
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
shift
cd "$(dirname "$0")/../.."
cargo build --release --locked
for seed in "${@:-1}"; do
    for network in digits mnist; do
        data=()
        [ "$network" = mnist ] && data=(--data "$mnist")
        cargo run --release --locked --quiet -- train "programs/$network.sp" "${data[@]}" --seed "$seed" | grep -E 'accuracy  |training sample|cycles|On this|time ' |
            sed "s/^/$network, seed $seed: /"
    done
done
