#!/usr/bin/env bash
# Every reader of files is given what libFuzzer makes of sound ones, for so many seconds each: nothing may panic, take more than
# 10 s for an input, or more than 2 GiB.
#
#     testbench/campaigns/fuzz.sh [SECONDS] [TARGET ...]
#
# Prints how many inputs each was given, and where what broke it lies. A C++ compiler is needed, and no nightly compiler: what
# counts which code ran is a pass of LLVM that every compiler has. Inputs that were found worth keeping stay in
# `testbench/fuzz/corpus`, which is not committed; what breaks something belongs into `testbench/fuzz/seeds/TARGET`.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
seconds=${1:-600}
shift || true
host=$(rustc -vV | sed -n 's/^host: //p')
counting="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS="$counting" cargo build --release --locked --target "$host"
targets=${*:-$(cd fuzz_targets && ls -- *.rs | sed 's/\.rs$//')}
broken=0
for target in $targets; do
    mkdir -p "corpus/$target" "artifacts/$target"
    SEEDS="corpus/$target" "target/$host/release/$target" > /dev/null 2>&1
    log=$(mktemp)
    # Arrays that a text names are seen from the working directory.
    (cd "$(mktemp -d)" && "$OLDPWD/target/$host/release/$target" "$OLDPWD/corpus/$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="$OLDPWD/artifacts/$target/" -print_final_stats=1) > "$log" 2>&1 &&
        state=sound || { state=BROKEN; broken=1; tail -30 "$log"; }
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log" | tail -1)
    slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$log" | tail -1)
    echo "$target: $state, ${runs:-?} inputs in $seconds s, ${memory:-?} MiB at most, the slowest took ${slowest:-?} s"
    rm -f "$log"
done
exit $broken
