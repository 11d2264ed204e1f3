#!/usr/bin/env bash
# Convolutions that learn, one seed, three epochs: MNIST and Fashion-MNIST on the chip `convolution`, and in real numbers.
#   testbench/campaigns/convolutions.sh MNIST_FOLDER FASHION_MNIST_FOLDER [SEED]
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
fashion=$(realpath "${2:?the folder with the IDX files of Fashion-MNIST}")
seed=${3:-1}
cd "$(dirname "$0")/../.."
cargo build --release --locked
cargo build --release --locked --quiet -p testbench --example float_reference
train() {
    cargo run --release --locked --quiet -- train programs/learning/mnist-conv.sp --chip convolution --seed "$seed" "$@" |
        grep -E 'accuracy  |training sample|cycles|weights  |On this|time '
}
in_real_numbers() {
    echo "in real numbers: $(target/release/examples/float_reference programs/learning/mnist-conv.sp --seed "$seed" "$@" | tail -n 1)"
}
echo 'MNIST'
train --data "$mnist"
in_real_numbers "$mnist"
echo 'Fashion-MNIST'
train --data "$fashion" --set kernel=7 --set margin=0.2 --set anneal=6
in_real_numbers "$fashion" --set kernel=7 --set margin=0.2 --set anneal=6
