#!/usr/bin/env bash
# Memory stays flat over millions of steps: the same system, and the same image, for one and for five million steps, with the
# most memory each run held. Takes minutes; not part of CI. Fails where five times the steps need noticeably more.
#   testbench/campaigns/memory.sh [MILLIONS_OF_STEPS]
set -euo pipefail
cd "$(dirname "$0")/../.."
millions=${1:-1}
cargo build --release --locked --bin onward
onward=$PWD/target/release/onward
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

# Runs a command; prints its steps and the most memory it held, in KiB.
peak() {
    "$onward" "$@" --threads 2 --json "$work/results.json" >"$work/printed.txt" &
    local id=$! most=0 now
    while kill -0 "$id" 2>/dev/null; do
        # The kernel keeps the maximum itself: only what is allocated in the last moments can be missed.
        now=$(awk '/^VmHWM/ { print $2 }' "/proc/$id/status" 2>/dev/null || true)
        most=${now:-$most}
        sleep 0.02
    done
    wait "$id"
    echo "$(grep -m 1 '"steps"' "$work/results.json" | tr -dc 0-9) $most"
}

# Compares the peaks of a short run and one of five times as many steps.
flat() {
    local name=$1 steps most more_steps more
    read -r steps most <<<"$2"
    read -r more_steps more <<<"$3"
    echo "$name: $most KiB after $steps steps, $more KiB after $more_steps steps"
    if ((more > most + most / 20 + 2048)); then
        echo "$name: memory grows with the steps" >&2
        exit 1
    fi
}

# One block wakes itself and another in every step, and that tells the host: a packet a step crosses the mesh, one is printed.
system() {
    cat >"$work/$1.s" <<END
.block first, 0, 0, pass, 2
.block second, 1, 1, tell, 1
.route first, 0, 1, first, 0
.route first, 1, 1, second, 0
.route second, 0, 1, host
.input start, 1, first, 1
.packet 0, start, 0, 1
.steps $1
pass:
    addi r3, r0, 1
    send r0, r3, 0
    send r0, r3, 1
    sleep
tell:
    addi r3, r0, 1
    send r0, r3, 0
    sleep
END
    echo "$work/$1.s"
}

short=$((millions * 1000000))
once=$(peak run "$(system "$short")" --chip small)
five_times=$(peak run "$(system "$((5 * short))")" --chip small)
flat "a system in assembly" "$once" "$five_times"
printed=$(grep -c '^ *[0-9]\+ \+0 \+1$' "$work/printed.txt")
echo "a system in assembly: $printed packets to the host, printed as they came"

epochs=$((millions * 40))
once=$(peak train programs/digits.sp --epochs "$epochs")
five_times=$(peak train programs/digits.sp --epochs "$((5 * epochs))")
flat "digits, learning" "$once" "$five_times"
