#!/usr/bin/env bash
# Single random changes of valid images: what the verifier accepts is run on the reference engine, every access and packet
# watched, and none may do what no image may do.
#
#     testbench/campaigns/mutations.sh [HOW MANY] [SEED]
#
# Prints how many of each kind were accepted and refused, and of the refused how many did nothing wrong in what they were shown
# (an estimate: one in eight is run).
set -euo pipefail
cd "$(dirname "$0")/../.."
MUTATIONS=${1:-13000} SEED=${2:-2} cargo test --release --workspace --locked --test verifier -- \
    --ignored --nocapture mutations::no_change_of_very_many
