#!/usr/bin/env bash
# Chips of which something is broken: a network on a 16 x 16 chip with a twentieth of its cores and links dead against a whole
# one, and what flipped bits of weights cost, before and after learning goes on.
#
#     [ONWARD=PROGRAM] testbench/campaigns/faults.sh [SEEDS]
#
# Prints a line for each chip, then the table of the book's page on faults: shares of the weights' bits that flip, and how many
# test samples are right; the mean of the seeds, 5 if nothing is said.
set -euo pipefail
cd "$(dirname "$0")/../.."
seeds=${1:-5}
if [ -z "${ONWARD:-}" ]; then
    cargo test --release --locked -p testbench --test faults -- --ignored --nocapture a_twentieth_of_a_large_chip
    cargo build --release --locked --bin onward
fi
onward=${ONWARD:-$PWD/target/release/onward}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$onward" train programs/digits.sp --timing none -o "$folder/learned.onw" > /dev/null
"$onward" train programs/digits.sp --timing none --chip-set memory.protection=ecc --chip-set clock_hz=highest -o "$folder/ecc.onw" > /dev/null
right() { # of the last test of a report
    python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
print(100 * report["right"] / report["tested"])' "$1"
}
mean() { awk '{ sum += $1; squares += $1 * $1 } END { m = sum / NR; printf "%.1f ± %.1f", m, sqrt(squares / NR - m * m) }'; }
echo "| bits flipped | as they are | with ecc | learned on, 1 epoch | 3 epochs | rates 4 times as high | 16 times |"
echo "|---|---|---|---|---|---|---|"
for share in 0 0.0001 0.001 0.01 0.03 0.1 0.3 0.5; do
    : > "$folder/as" && : > "$folder/code" && : > "$folder/one" && : > "$folder/three" && : > "$folder/four" && : > "$folder/sixteen"
    for seed in $(seq "$seeds"); do
        printf 'seed = %s\n[memory]\nflipped = %s\nmemories = ["synapse"]\n' "$seed" "$share" > "$folder/faults.toml"
        run() { "$onward" run "$1" --data digits --timing none --faults "$folder/faults.toml" --json "$folder/report.json" \
            "${@:2}" > /dev/null && right "$folder/report.json"; }
        run "$folder/learned.onw" >> "$folder/as"
        run "$folder/ecc.onw" >> "$folder/code"
        run "$folder/learned.onw" --learn --epochs 1 --seed "$seed" >> "$folder/one"
        run "$folder/learned.onw" --learn --epochs 3 --seed "$seed" >> "$folder/three"
        run "$folder/learned.onw" --learn --epochs 3 --seed "$seed" --rate-shift -2 >> "$folder/four"
        run "$folder/learned.onw" --learn --epochs 3 --seed "$seed" --rate-shift -4 >> "$folder/sixteen"
    done
    printf '| %s %% | %s | %s | %s | %s | %s | %s |\n' "$(awk "BEGIN { print 100 * $share }")" \
        "$(mean < "$folder/as")" "$(mean < "$folder/code")" "$(mean < "$folder/one")" "$(mean < "$folder/three")" \
        "$(mean < "$folder/four")" "$(mean < "$folder/sixteen")"
done
