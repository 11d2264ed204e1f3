#!/usr/bin/env bash
# How long a proof takes: of MNIST's image, asked under 1 s, and of a network of 1,024 blocks, one on each core of a mesh of 32 x 32,
# asked under 20 s.
#
#     [ONWARD=PROGRAM] testbench/campaigns/verify.sh
#
# Seconds of the processor and of the clock; reading the image is part of both.
set -euo pipefail
cd "$(dirname "$0")/../.."
onward=${ONWARD:-$PWD/target/release/onward}
[ -n "${ONWARD:-}" ] || cargo build --release --locked --bin onward
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/wide.sp" <<'TEXT'
network wide {
    data = "digits"
    window = 4
    input x = rate(8, 8)
    target t = classes(10)
    learning = hinge { rate = 7, margin = 0.3 }
    layer a = dense(2048) from x, t { block = 16 }
    layer b = dense(2048) from a { block = 16 }
    layer c = dense(2048) from b { block = 16 }
    layer d = dense(2048) from c { block = 16 }
    layer e = dense(2048) from d { block = 16 }
    layer f = dense(2048) from e { block = 16 }
    layer g = dense(2048) from f { block = 16 }
    layer h = dense(2032) from g { block = 16 }
    readout r = nearest_target from h
}
TEXT
"$onward" compile programs/mnist.sp --no-proof -o "$folder/mnist.onw" > /dev/null
"$onward" compile "$folder/wide.sp" --chip middle --chip-set mesh.width=32 --chip-set mesh.height=32 \
    --chip-set memory.axon_bytes=49152 --chip-set mesh.multicast_trees=8192 --chip-set barrier_cycles=64 --place hilbert --no-proof -o "$folder/wide.onw" > /dev/null
TIMEFORMAT='%U s of the processor, %R s of the clock'
for image in mnist wide; do
    time "$onward" verify "$folder/$image.onw" > "$folder/verdict" || { cat "$folder/verdict"; exit 1; }
    echo "$image: $(sed -n 's/^ *looked at *//p' "$folder/verdict")"
done
