#!/usr/bin/env bash
# Installs the tools that the tests and lints use and that are not there yet; kept outside of the repository.
# Usage: scripts/tools.sh TOOL...   (promtool, postgresql, pgbouncer, cargo-deny, cargo-fuzz)
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/chatflow-bridge"
mkdir -p "$cache/bin"
have() {
  case "$1" in
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;; # not in anybody's PATH
    pgbouncer) [ -x /usr/sbin/pgbouncer ] ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "$cache/bin/$1" ] ;;
  esac
}
# Debian's, without what it recommends.
from_debian() {
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

for tool in "$@"; do
  have "$tool" && continue
  echo "installing $tool" >&2
  case "$tool" in
    promtool) from_debian prometheus ;;
    postgresql | pgbouncer) from_debian "$tool" ;; # the tests start their own; Debian's needs not run
    cargo-deny)
      cargo install --quiet --locked --version 0.20.2 --root "$cache" cargo-deny
      ;;
    cargo-fuzz)
      cargo install --quiet --locked --version 0.13.2 --root "$cache" cargo-fuzz
      ;;
    *)
      echo "no recipe for $tool" >&2
      exit 2
      ;;
  esac
done
