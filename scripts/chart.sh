#!/usr/bin/env bash
# Writes what is made from other files: the schema of the values, the dashboard, the chart's README, the golden renders.
set -euo pipefail
cd "$(dirname "$0")" && ./kube-tools.sh python helm helm-docs
. ./chart/lib.sh
python scripts/chart/schema.py
python scripts/chart/dashboard.py
helm-docs --chart-search-root "$chart" --log-level warning
for values in "$chart"/ci/*-values.yaml; do
  render "$values" "$newest" >"$golden/$(basename "$values" -values.yaml).yaml"
done
