#!/bin/sh
# Convolutions that learn, one seed, three epochs: MNIST and Fashion-MNIST on the chip `convolution`.
#
#   testbench/campaigns/convolutions.sh DATA [SEED]
#
# DATA holds the folders `mnist` and `fashion-mnist`, each with the four IDX files, gzipped or not.
set -eu
data=${1:?say where the folders mnist and fashion-mnist are}
seed=${2:-1}
cargo build --release
for set in mnist fashion-mnist; do
    printf '%-14s ' "$set"
    target/release/onward train programs/learning/mnist-conv.sp --chip convolution --data "$data/$set" --seed "$seed" |
        grep accuracy | tail -n 1
done
