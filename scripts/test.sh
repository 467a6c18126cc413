#!/usr/bin/env bash
# Runs every test, with the real tools beside it, and ends with a line that counts them.
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/tools.sh promtool postgresql pgbouncer
log=$(mktemp) report=$(mktemp)
trap 'rm -f "$log" "$report"' EXIT
status=0
# With the first set, a test that needs a tool fails without it instead of saying what it left out; into the file of the second
# go lines on how something was tried that cannot be tried in the same way everywhere.
BRIDGE_TESTS_NEED_TOOLS=1 BRIDGE_TESTS_REPORT=$report cargo test --locked --no-fail-fast 2>&1 | tee "$log" || status=$?
passed=$(sed -nE 's/^test result: .* ([0-9]+) passed; .*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
failed=$(sed -nE 's/^test result: .* ([0-9]+) failed; .*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
sort -u "$report"
[ "$passed" -gt 0 ] || { echo "no test ran"; exit 1; }
echo "$passed passed, $failed failed"
exit "$status"
