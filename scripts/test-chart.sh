#!/usr/bin/env bash
# Everything about the chart that can be said without a cluster. No check is left out silently: a tool that is missing is installed.
set -euo pipefail
cd "$(dirname "$0")" && ./kube-tools.sh chart
. ./chart/lib.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 passed=0
# check NAME COMMAND...: quiet when it passes.
check() {
  if "${@:2}" >"$work/out" 2>&1; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1" && cat "$work/out"
  fi
}

valid() { # FILE VERSION
  kubeconform -strict -summary -kubernetes-version "$2" \
    -schema-location "$cache/schemas/{{.NormalizedKubernetesVersion}}{{.StrictSuffix}}/{{.ResourceKind}}{{.KindSuffix}}.json" \
    -schema-location "$cache/schemas/custom/{{.ResourceKind}}{{.KindSuffix}}.json" "$1"
}
# Switched off, with the reason:
#   cpu limit                    throttling makes senders wait
#   ephemeral storage            the pod writes to its volume; logs are rotated by the kubelet
#   image pull policy            tags are versions, or a digest is given
#   host anti-affinity           the topology spread constraints do it
score() {
  kube-score score --output-format ci --exit-one-on-warning --ignore-container-cpu-limit \
    --ignore-test container-ephemeral-storage-request-and-limit,container-image-pull-policy,deployment-has-host-podantiaffinity,statefulset-has-host-podantiaffinity "$1" |
    { grep -vE '^\[(OK|SKIPPED)\]' || true; }
}

check "values.schema.json is current" python scripts/chart/schema.py --check
check "values.schema.json is a schema" check-jsonschema --check-metaschema "$chart/values.schema.json"
check "the dashboard is current" python scripts/chart/dashboard.py --check
check "the chart's README is current" diff -u "$chart/README.md" <(helm-docs --chart-search-root "$chart" --dry-run --log-level warning)
check "the scripts" shellcheck --external-sources --source-path=SCRIPTDIR scripts/*.sh scripts/chart/*.sh
check "the chart is for this version of the program" test "$(sed -nE 's/^appVersion: //p' "$chart/Chart.yaml")" = "$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml | head -1)"
check "YAML" yamllint --strict --config-file .yamllint.yaml "$chart/values.yaml" "$chart/Chart.yaml" "$chart/ci" "$chart/files" "$chart/tests" helm/tests
check "Dockerfile" hadolint Dockerfile
check "unit tests" helm-unittest --strict "$chart"

for values in "$chart"/ci/*-values.yaml; do
  name=$(basename "$values" -values.yaml)
  check "$name: lint" helm lint --strict --quiet --values "$values" "$chart"
  for version in "$oldest" "$newest"; do
    render "$values" "$version" >"$work/$name-$version.yaml" || { failed=$((failed + 1)) && continue; }
    check "$name: valid for Kubernetes $version" valid "$work/$name-$version.yaml" "${version}"
  done
  check "$name: policies" score "$work/$name-$newest.yaml"
  check "$name: as in $golden (\`make chart\` writes it)" diff -u "$golden/$name.yaml" "$work/$name-$newest.yaml"
done
# Loopback of the pod is the one place where the admin API is.
inner() { ! grep -rn 9091 "$golden" | grep -v 'admin: 127.0.0.1:9091'; }
check "no port leads to the admin API" inner
check "no golden render is left over" test "$(find "$golden" -name '*.yaml' | wc -l)" = "$(find "$chart/ci" -name '*-values.yaml' | wc -l)"

render "$chart/ci/monitoring-values.yaml" "$newest" --set monitoring.rules.alertLabels=null >"$work/monitoring.yaml"
check "alerts, dashboard, runbook" python scripts/chart/rules.py "$work/monitoring.yaml"
[ ! -s "$work/out" ] || cat "$work/out"
[ -n "${BRIDGE:-}" ] || cargo build --locked --quiet
check "a real Prometheus, every expression" python scripts/chart/scrape.py "$work/monitoring.yaml" "${BRIDGE:-target/debug/chatflow-bridge}"
[ ! -s "$work/out" ] || cat "$work/out"
check "docs/deploy.md, from the chart to the first contact" scripts/chart/walk.sh
check "the package" helm package --destination "$work" "$chart"
# A pattern that is too wide in .helmignore takes templates away, and nothing else would say so.
whole() { diff <(cd "$chart" && find . -path ./ci -prune -o -path ./tests -prune -o -name '*.gotmpl' -o -type f -printf 'chatflow-bridge/%P\n' | sort) <(tar tzf "$work"/chatflow-bridge-*.tgz | sort); }
check "the package has every file" whole
echo "chart: $passed checks passed, $failed failed"
[ "$failed" -eq 0 ]
