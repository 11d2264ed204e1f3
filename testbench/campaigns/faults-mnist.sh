#!/usr/bin/env bash
# What flipped bits of weights cost on MNIST, 784-200-200 with 16 bits, and how far learning on heals it. 10,000 of the 60,000 training
# samples are kept apart throughout: by them the rates are chosen that learning goes on with. The test samples are looked at with
# the rates that were chosen.
#
#     [ONWARD=PROGRAM] [SHARES="..."] testbench/campaigns/faults-mnist.sh MNIST_FOLDER [SEEDS]
#
# Prints the table of the book's page on faults: shares of the bits of synapse memory that flip, and how many test samples are right; mean
# and deviation of the seeds, 3 if nothing is said. Takes some ten minutes of a core.
set -euo pipefail
mnist=$(realpath "${1:?the folder with the IDX files of MNIST}")
seeds=${2:-3}
cd "$(dirname "$0")/../.."
if [ -z "${ONWARD:-}" ]; then
    cargo build --release --locked --quiet --bin onward
fi
onward=${ONWARD:-${CARGO_TARGET_DIR:-target}/release/onward}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
kept=(--validate 0.16667)
how=(--data "$mnist" --timing none --threads 1)
train() { "$onward" train programs/learning/mnist-200.sp "${how[@]}" "${kept[@]}" --epochs 3 "$@" > /dev/null; }
train -o "$folder/learned.onw"
train --chip-set memory.protection=ecc --chip-set clock_hz=highest -o "$folder/ecc.onw"
# Runs with faults of a share and a seed.
run() { # SHARE SEED IMAGE OPTION ...
    printf 'seed = %s\n[memory]\nflipped = %s\nmemories = ["synapse"]\n' "$2" "$1" > "$folder/faults.toml"
    "$onward" run "$3" "${how[@]}" --faults "$folder/faults.toml" --json "$folder/report.json" "${@:4}" > /dev/null
}
right() { # PART: of the last report, in percent
    python3 -c 'import json, sys
report = json.load(open(sys.argv[1]))
part = report["validation"] if sys.argv[2] == "validation" else report
print(100 * part["right"] / part["tested"])' "$folder/report.json" "$1"
}
mean() { awk '{ sum += $1; squares += $1 * $1 } END { m = sum / NR; v = squares / NR - m * m; printf "%.1f ± %.1f", m, sqrt(v > 0 ? v : 0) }'; }
echo "| bits flipped | as they are | with ecc | learned on, 1 epoch | at rates | kept apart: as scheduled, 4 times, 16 times |"
echo "|---|---|---|---|---|---|"
for share in ${SHARES:-0 0.0001 0.001 0.01 0.1}; do
    best=0 most=-1 validated=""
    for shift in 0 -2 -4; do
        run "$share" 1 "$folder/learned.onw" --learn --epochs 1 --seed 1 --rate-shift "$shift" "${kept[@]}"
        cp "$folder/report.json" "$folder/of$shift.json"
        of=$(right validation)
        validated+="${validated:+, }$(printf '%.1f' "$of")"
        if awk "BEGIN { exit !($of > $most) }"; then best=$shift most=$of; fi
    done
    : > "$folder/as" && : > "$folder/code" && : > "$folder/on"
    for seed in $(seq "$seeds"); do
        run "$share" "$seed" "$folder/learned.onw" && right test >> "$folder/as"
        run "$share" "$seed" "$folder/ecc.onw" && right test >> "$folder/code"
        if [ "$seed" = 1 ]; then
            cp "$folder/of$best.json" "$folder/report.json"
        else
            run "$share" "$seed" "$folder/learned.onw" --learn --epochs 1 --seed "$seed" --rate-shift "$best" "${kept[@]}"
        fi
        right test >> "$folder/on"
    done
    printf '| %s %% | %s | %s | %s | %s times | %s |\n' "$(awk "BEGIN { print 100 * $share }")" "$(mean < "$folder/as")" \
        "$(mean < "$folder/code")" "$(mean < "$folder/on")" "$((1 << -best))" "$validated"
done
