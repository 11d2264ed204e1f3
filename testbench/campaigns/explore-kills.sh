#!/usr/bin/env bash
# An exploration is killed at random moments, and goes on each time: whether it ends with the designs and the front of one that nothing happened
# to, and whether anything was run twice.
#
#     [ONWARD=PROGRAM] testbench/campaigns/explore-kills.sh [KILLS]
set -euo pipefail
cd "$(dirname "$0")/../.."
kills=${1:-10}
onward=${ONWARD:-$PWD/target/release/onward} # a program that was built already, if it is named
[ -n "${ONWARD:-}" ] || cargo build --release --locked --bin onward
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
study=("$onward" explore programs/digits.sp --space programs/spaces/digits.toml --designs 60 --learners 20)
# What a study came to, without what it was called with.
results() { sed '/"arguments": \[/,/\]/d' "$1"; }
start=$(date +%s%N)
"${study[@]}" --database "$folder/whole.db" --json "$folder/whole.json" > /dev/null
took=$((($(date +%s%N) - start) / 1000000))
echo "undisturbed: $((took / 1000)) s"
killed=0
while [ "$killed" -lt "$kills" ]; do
    "${study[@]}" --database "$folder/parts.db" --resume --workers $((1 + RANDOM % 3)) > /dev/null 2>&1 &
    running=$!
    # Up to a fifth of what the whole took.
    sleep "$(printf '%d.%03d' $((RANDOM % (took / 5 + 1) / 1000)) $((RANDOM % 1000)))"
    if kill -KILL $running 2> /dev/null; then
        killed=$((killed + 1))
        wait $running 2> /dev/null || true
        echo "kill $killed"
    else
        wait $running
        echo "it ended before kill $((killed + 1)): begun anew"
        rm -f "$folder"/parts.db*
    fi
done
"${study[@]}" --database "$folder/parts.db" --resume --json "$folder/parts.json" | grep "evaluated now"
if [ "$(results "$folder/whole.json")" = "$(results "$folder/parts.json")" ]; then
    echo "after $killed kills all designs, results and the front are those of the undisturbed study"
else
    echo "the studies differ"
    exit 1
fi
