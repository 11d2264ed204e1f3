#!/usr/bin/env bash
# A training that is killed on one kind of machine goes on on others, and then here again: the weights at the end are those of a run that
# nothing happened to.
#
#     [ONWARD=PROGRAM] testbench/campaigns/machines.sh ["COMMAND OF ANOTHER MACHINE'S PROGRAM" ...]
#
# If nothing is said the others are an x86-64 without AVX, on which the plain paths run, and one with AVX2 and no more, both emulated
# (`apt-get install qemu-user`). An aarch64 is given as "qemu-aarch64 -L /usr/aarch64-linux-gnu PROGRAM".
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${ONWARD:-}" ]; then
    cargo build --release --locked --quiet --bin onward
fi
here=${ONWARD:-${CARGO_TARGET_DIR:-target}/release/onward}
if [ $# = 0 ]; then
    set -- "qemu-x86_64 -cpu Nehalem $here" "qemu-x86_64 -cpu max $here"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
training="train programs/digits.sp --epochs 3 --timing none --json $folder/run.json"
kept="--checkpoint $folder/run.ckpt --every 100"
hash() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["weights_hash"])' "$folder/run.json"; }
# Kills a run when it has left one checkpoint more.
part() { # COMMAND OF A PROGRAM
    local before now child
    before=$(stat -c %y "$folder/run.ckpt" 2> /dev/null || true)
    $1 $training $kept > "$folder/log" 2>&1 &
    child=$!
    while kill -0 $child 2> /dev/null; do
        now=$(stat -c %y "$folder/run.ckpt" 2> /dev/null || true)
        [ "$now" = "$before" ] || break
        sleep 0.01
    done
    kill -9 $child 2> /dev/null || { echo "it was over before it was killed:"; cat "$folder/log"; exit 1; }
    wait $child 2> /dev/null || true
    echo "killed: $1"
}
$here $training > /dev/null
undisturbed=$(hash)
echo "undisturbed: $undisturbed"
part "$here"
for machine in "$@"; do
    part "$machine"
done
part "$here"
for machine in "$@"; do
    cp "$folder/run.ckpt" "$folder/kept.ckpt"
    $machine $training $kept --threads 1 | grep "goes on from"
    echo "to the end with $machine: $(hash)"
    [ "$(hash)" = "$undisturbed" ] || { echo "not equal"; exit 1; }
    cp "$folder/kept.ckpt" "$folder/run.ckpt"
done
echo "equal"
