#!/usr/bin/env bash
# Builds the image with whatever builder is there. Usage: scripts/image.sh [TAG] [FLAG OF THE BUILDER...]
set -euo pipefail
cd "$(dirname "$0")/.."
version=$(sed -nE 's/^version = "(.*)"/\1/p' Cargo.toml | head -1)
tag=${1:-chatflow-bridge:$version}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
arguments=(--tag "$tag" --build-arg "VERSION=$version" --build-arg "REVISION=$revision"
  --build-arg "CREATED=$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${@:2}" .)
# A client without its daemon is not a builder. The docker format keeps HEALTHCHECK, which OCI's has no place for.
if docker info >/dev/null 2>&1; then
  DOCKER_BUILDKIT=1 docker build "${arguments[@]}"
elif command -v podman >/dev/null; then
  podman build --format docker "${arguments[@]}"
elif command -v buildah >/dev/null; then
  buildah build --format docker --layers "${arguments[@]}"
else
  echo "no builder: install docker (with its daemon running), podman or buildah" >&2
  exit 1
fi
echo "built $tag"
