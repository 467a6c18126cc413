#!/usr/bin/env bash
# Fuzzes every target, or those that are named, each for FUZZ_SECONDS (20). What is found is in fuzz/artifacts.
# Usage: scripts/fuzz.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/tools.sh cargo-fuzz
PATH="${XDG_CACHE_HOME:-$HOME/.cache}/chatflow-bridge/bin:$PATH"
# Sanitizers are still behind a switch of the nightly compiler.
export RUSTC_BOOTSTRAP=1
if [ $# -eq 0 ]; then
  mapfile -t targets < <(cd fuzz/fuzz_targets && grep -l 'fuzz_target!' ./*.rs | sed 's,^\./,,; s,\.rs$,,')
  set -- "${targets[@]}"
fi
for target in "$@"; do
  echo "fuzzing $target" >&2
  mkdir -p "fuzz/corpus/$target"
  cargo fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="${FUZZ_SECONDS:-20}" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1
done
