#!/usr/bin/env bash
# The report as a page, in a browser without a window: installs Debian's chromium where there is none, and runs the test.
#   testbench/campaigns/page.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v chromium >/dev/null || { apt-get update && apt-get install -y chromium; }
cargo test --release --locked -p onward --test page -- --nocapture
