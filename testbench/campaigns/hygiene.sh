#!/usr/bin/env bash
# What a compiler and its tools can tell of the whole, beside tests: each job by itself.
#
#     testbench/campaigns/hygiene.sh [JOB ...]
#
# deny      licences, sources and duplicates of dependencies (`cargo install cargo-deny --locked`)
# advisory  known faults of dependencies, by RustSec's database: fetched, or what was fetched last where there is no network
# doc       every page of the code's documentation, without a warning
# minimum   the oldest Rust that Cargo.toml promises (`rustup toolchain install 1.91.0 --profile minimal`)
# aarch64   another architecture (`rustup target add aarch64-unknown-linux-gnu`)
# overflow  all tests with checks for overflow and the assertions of debug builds, as optimized as ever
# miri      what is `unsafe`, on an interpreter that knows what is not allowed (`rustup +nightly component add miri rust-src`)
#
# A job whose tool is not there counts as failed: nothing was shown.
set -uo pipefail
cd "$(dirname "$0")/../.."

deny() { cargo deny --locked check licenses bans sources; }
advisory() { cargo deny --locked check advisories || cargo deny --locked --offline check advisories; }
doc() { RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked; }
minimum() { cargo "+$(sed -n 's/^rust-version = "\(.*\)"/\1.0/p' Cargo.toml)" check --workspace --locked --target-dir target/minimum; }
# The assembly of a dependency needs another compiler than the host's; its plain Rust does not.
aarch64() { CARGO_FEATURE_NO_NEON=1 cargo check --workspace --locked --target aarch64-unknown-linux-gnu; }
overflow() {
    CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true \
        cargo test --release --workspace --locked --target-dir target/overflow
}
# The only unsafe code chooses among instruction sets: with those of AVX2 there, and without.
miri() {
    for flags in "" "-C target-feature=+avx2,+bmi1,+bmi2,+lzcnt,+popcnt,+fma"; do
        RUSTFLAGS="$flags" MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=4 \
            cargo +nightly miri test --locked -p onward-emulate --lib --target-dir target/miri || return 1
    done
}

failed=()
for job in ${*:-deny advisory doc minimum aarch64 overflow miri}; do
    echo "== $job"
    "$job" || failed+=("$job")
done
if [ ${#failed[@]} -gt 0 ]; then
    echo "failed: ${failed[*]}"
    exit 1
fi
echo "all jobs passed"
