#!/usr/bin/env bash
# A training of the digits is killed at a random time, again and again, and goes on from its checkpoint each time: how often
# it ends with the weights of a training that nothing happened to.
#
#     [ONWARD=PROGRAM] testbench/campaigns/kills.sh [RUNS]
#
# Chip, lanes and threads change from one attempt to the next.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-20}
onward=${ONWARD:-$PWD/target/release/onward} # a program that was built already, if it is named
[ -n "${ONWARD:-}" ] || cargo build --release --locked --bin onward
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp programs/digits.sp "$folder"
cd "$folder"
hash() { sed -n 's/.*"weights_hash": "\([0-9a-f]*\)".*/\1/p' "$1" | tail -1; }
"$onward" train digits.sp --epochs 3 --json undisturbed.json > /dev/null
wanted=$(hash undisturbed.json)
equal=0
for run in $(seq "$runs"); do
    rm -f run.ckpt run.json
    kills=0
    until [ -f run.json ]; do
        chip=$([ $((RANDOM % 2)) = 0 ] && echo small || echo middle)
        lanes=$((4 << RANDOM % 3))
        "$onward" train digits.sp --epochs 3 --chip $chip --chip-set core.lanes=$lanes --threads $((1 + RANDOM % 2)) \
            --checkpoint run.ckpt --every $((50 + RANDOM % 400)) --json run.json > /dev/null &
        running=$!
        sleep "0.$(printf '%03d' $((RANDOM % 900 + 50)))"
        if kill -KILL $running 2> /dev/null; then kills=$((kills + 1)); fi
        wait $running 2> /dev/null || true
    done
    found=$(hash run.json)
    [ "$found" = "$wanted" ] && equal=$((equal + 1))
    echo "run $run: killed $kills times, weights $found"
done
echo "$equal of $runs runs ended with the weights of the undisturbed one, $wanted"
[ "$equal" = "$runs" ]
