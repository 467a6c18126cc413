#!/usr/bin/env bash
# The chart against a real kube-apiserver and etcd, built and started here on loopback: install, upgrade, rollback, uninstall, and each
# pod created in a namespace that enforces Pod Security `restricted`. The first run builds the API server (about 12 minutes).
# What it cannot show: nothing runs the pods (no kubelet, no controllers), so neither rollouts nor `helm test` are seen.
set -euo pipefail
cd "$(dirname "$0")" && ./kube-tools.sh cluster python
. ./chart/lib.sh
work=$(mktemp -d)
etcd_port=${ETCD_PORT:-12379} api_port=${API_PORT:-16443}
etcd="" api=""
stop() { # in this order: an API server whose etcd is gone hangs
  for process in $api $etcd; do
    kill "$process" 2>/dev/null || continue
    wait "$process" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap stop EXIT
fail() {
  echo "FAILED: $1" >&2
  exit 1
}
ok() { echo "ok  $1"; }

export KUBECONFIG="$work/kubeconfig"
mkdir "$work/certs"
openssl genrsa -out "$work/certs/sa.key" 2048 2>/dev/null
token=$(openssl rand -hex 16)
(umask 077 && echo "$token,admin,admin,system:masters" >"$work/tokens.csv")
etcd --data-dir "$work/etcd" --unsafe-no-fsync --initial-cluster "default=http://127.0.0.1:$((etcd_port + 1))" \
  --listen-client-urls "http://127.0.0.1:$etcd_port" --advertise-client-urls "http://127.0.0.1:$etcd_port" \
  --listen-peer-urls "http://127.0.0.1:$((etcd_port + 1))" --initial-advertise-peer-urls "http://127.0.0.1:$((etcd_port + 1))" \
  >"$work/etcd.log" 2>&1 &
etcd=$!
# The address that is advertised may not be loopback: one of TEST-NET, and nobody reconciles endpoints.
kube-apiserver --etcd-servers="http://127.0.0.1:$etcd_port" --bind-address=127.0.0.1 --secure-port="$api_port" \
  --advertise-address=192.0.2.1 --endpoint-reconciler-type=none --cert-dir="$work/certs" \
  --service-account-issuer=https://localhost --service-account-key-file="$work/certs/sa.key" \
  --service-account-signing-key-file="$work/certs/sa.key" --token-auth-file="$work/tokens.csv" --authorization-mode=RBAC \
  --service-cluster-ip-range=10.0.0.0/24 --disable-admission-plugins=ServiceAccount >"$work/api.log" 2>&1 &
api=$!
kubectl config set-cluster here --server="https://127.0.0.1:$api_port" --insecure-skip-tls-verify=true >/dev/null
kubectl config set-credentials admin --token="$token" >/dev/null
kubectl config set-context here --cluster=here --user=admin >/dev/null
kubectl config use-context here >/dev/null
for _ in $(seq 300); do
  [ "$(kubectl get --raw /readyz 2>/dev/null)" = ok ] && break
  kill -0 "$api" 2>/dev/null || { tail -5 "$work/api.log" && fail "the API server ended"; }
  sleep 0.2
done
[ "$(kubectl get --raw /readyz)" = ok ] || fail "the API server does not become ready"
ok "API server $(kubectl version -o json 2>/dev/null | python -c 'import json,sys; print(json.load(sys.stdin)["serverVersion"]["gitVersion"])')"

kubectl apply --server-side -f "$cache/crds" >/dev/null
for crd in servicemonitors.monitoring.coreos.com prometheusrules.monitoring.coreos.com httproutes.gateway.networking.k8s.io; do
  kubectl wait --for=condition=Established --timeout=30s "crd/$crd" >/dev/null
done
ok "custom kinds"

bridge() { helm --namespace "$1" "${@:2}"; }
for values in "$chart"/ci/*-values.yaml; do
  name=$(basename "$values" -values.yaml)
  kubectl create namespace "$name" >/dev/null
  kubectl label namespace "$name" pod-security.kubernetes.io/{enforce,warn}=restricted >/dev/null
  bridge "$name" install bridge "$chart" --values "$values" >"$work/notes" 2>"$work/warnings"
  [ ! -s "$work/warnings" ] || { cat "$work/warnings" && fail "$name: the API server warns"; }
  # Every object that was rendered is there; the API server refuses unknown fields and wrong types.
  bridge "$name" get manifest bridge | kubectl get --namespace "$name" -f - -o name >"$work/objects"
  # Nothing here makes pods of a template, so this does: Pod Security speaks about each.
  render "$values" "$newest" | NAME=$name python -c '
import os, sys, yaml
for d in yaml.safe_load_all(sys.stdin):
    if d and d["kind"] in ("Deployment", "StatefulSet"):
        pod = d["spec"]["template"]
        for claim in d["spec"].get("volumeClaimTemplates", []):
            pod["spec"]["volumes"].append({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": "data"}})
        print(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "as-created", **pod["metadata"]}, "spec": pod["spec"]}))
    elif d and d["kind"] == "Pod":
        d["metadata"].update(name="as-tested", namespace=os.environ["NAME"])
        print("---\n" + yaml.safe_dump(d))
  ' >"$work/pods.yaml"
  # A priority class has to be there.
  kubectl create priorityclass important --value=1000 >/dev/null 2>&1 || true
  kubectl apply --namespace "$name" -f "$work/pods.yaml" >"$work/out" 2>&1 || { cat "$work/out" && fail "$name: a pod is refused"; }
  ! grep -qi warning "$work/out" || { cat "$work/out" && fail "$name: a pod is warned about"; }
  kubectl delete --namespace "$name" --force --grace-period=0 -f "$work/pods.yaml" >/dev/null 2>&1
  ok "$name: $(wc -l <"$work/objects") objects, $(grep -c created "$work/out") pods under Pod Security restricted"
done

# The namespaces do refuse: without this the lines above would say nothing.
if kubectl --namespace sqlite run bare --image=registry.example.com/bare >"$work/out" 2>&1; then fail "Pod Security is not in force"; fi
grep -q 'violates PodSecurity "restricted' "$work/out" || fail "Pod Security is not in force"

# What docs/deploy.md tells a stranger to do.
mkdir "$work/walk"
ln -s "$PWD/helm" "$work/walk/helm"
python scripts/chart/doc.py docs/deploy.md files "$work/walk"
python scripts/chart/doc.py docs/deploy.md run cluster >"$work/walk.sh"
(cd "$work/walk" && bash -euo pipefail "$work/walk.sh") >"$work/out" 2>&1 || { cat "$work/out" && fail "a command of docs/deploy.md"; }
grep -q prometheusrule "$work/out" || fail "docs/deploy.md: nothing is watched"
ok "docs/deploy.md: $(grep -cE '^(kubectl|helm|printf|openssl)' "$work/walk.sh") commands"

generation() { kubectl --namespace "$1" get "$2" bridge-chatflow-bridge -o "jsonpath={.metadata.generation}"; }
before=$(generation sqlite statefulset)
bridge sqlite upgrade bridge "$chart" --reuse-values --set mappings.files.more\\.yaml='rules: []' >/dev/null
[ "$(generation sqlite statefulset)" = "$before" ] || fail "a changed mapping starts the pod anew"
ok "upgrade: a changed mapping changes the ConfigMap and no pod"
bridge sqlite upgrade bridge "$chart" --reuse-values --set settings.delivery.concurrency=4 >/dev/null
[ "$(generation sqlite statefulset)" -gt "$before" ] || fail "a changed setting does not start the pod anew"
ok "upgrade: a changed setting starts the pod anew"
# A release of another version: the API server takes it only if nothing has changed that cannot be changed, and the rollback likewise.
image() { kubectl --namespace sqlite get statefulset bridge-chatflow-bridge -o "jsonpath={.spec.template.spec.containers[0].image}"; }
first=$(image)
cp -R "$chart" "$work/newer"
sed -i -E 's/^(version|appVersion): .*/\1: 9.9.9/' "$work/newer/Chart.yaml"
bridge sqlite upgrade bridge "$work/newer" --reuse-values >/dev/null
[ "$(image)" = "${first%:*}:9.9.9" ] || fail "the newer release has the image $(image)"
ok "upgrade to a newer release"
bridge sqlite rollback bridge 1 >/dev/null
[ "$(image)" = "$first" ] || fail "the rollback leaves the image $(image)"
kubectl --namespace sqlite get configmap bridge-chatflow-bridge-mappings -o yaml | grep -q more.yaml && fail "the rollback leaves what came later"
ok "rollback: $(bridge sqlite history bridge --max 1 | tail -1 | tr -s ' \t' ' ')"
if bridge sqlite upgrade bridge "$chart" --reuse-values --set replicaCount=2 >"$work/out" 2>&1; then fail "two pods of SQLite are taken"; fi
grep -q "held by one pod" "$work/out" || fail "the refusal does not say why"
ok "upgrade to two pods of SQLite is refused"
for name in $(bridge default list --all-namespaces --output json | python -c 'import json,sys; print(*(r["namespace"] for r in json.load(sys.stdin)))'); do
  bridge "$name" uninstall bridge >/dev/null
  left=$(kubectl --namespace "$name" get all,configmap,secret,networkpolicy,servicemonitor,prometheusrule,ingress,httproute,serviceaccount -l app.kubernetes.io/managed-by=Helm -o name)
  [ -z "$left" ] || fail "$name: uninstall leaves $left"
done
ok "uninstall leaves nothing"
echo "the chart installs, upgrades, rolls back and uninstalls"
