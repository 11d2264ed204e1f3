#!/usr/bin/env bash
# The first 2,000 training and 500 test samples of MNIST as a data set of its own, for explorations of chips: what a sample takes is known of
# these, what share of answers is right is not.
#
#     testbench/campaigns/mnist-2000.sh MNIST FOLDER
set -euo pipefail
mnist=$1 folder=$2
mkdir -p "$folder"
part() { # new head, file, its own head's length, bytes
    (printf "$1"; set +o pipefail; gunzip -c "$mnist/$2" | tail -c +$(($3 + 1)) | head -c "$4") | gzip > "$folder/$2"
}
part '\0\0\10\3\0\0\7\320\0\0\0\34\0\0\0\34' train-images-idx3-ubyte.gz 16 $((2000 * 784))
part '\0\0\10\1\0\0\7\320' train-labels-idx1-ubyte.gz 8 2000
part '\0\0\10\3\0\0\1\364\0\0\0\34\0\0\0\34' t10k-images-idx3-ubyte.gz 16 $((500 * 784))
part '\0\0\10\1\0\0\1\364' t10k-labels-idx1-ubyte.gz 8 500
