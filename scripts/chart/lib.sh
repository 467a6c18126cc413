# For the scripts beside it: where the tools are, and how the chart is rendered.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/chatflow-bridge"
export PATH="$cache/bin:$cache/venv/bin:$PATH"
export chart=helm/chatflow-bridge golden=helm/golden
# The oldest and the newest Kubernetes that the chart is for.
export oldest=1.25.0 newest=1.37.0

# render VALUES VERSION FLAG...
render() { helm template bridge "$chart" --namespace chatflow --values "$1" --kube-version "$2" "${@:3}"; }
