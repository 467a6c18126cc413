#!/usr/bin/env bash
# Builds the image with buildah on stand-ins for its bases, made on this machine, and says what the image is and does.
# No registry is asked: a stand-in carries the base's name. What it cannot show: the real bases, and the kernel's limits of a real runtime.
# The first build takes as long as a release build. PROFILE=dev builds faster and does not judge the size.
set -euo pipefail
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/chatflow-bridge"
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
./scripts/kube-tools.sh buildah
profile=${PROFILE:-release}
rust_image=docker.io/library/rust:1.95-slim-bookworm
runtime_image=gcr.io/distroless/static-debian12:nonroot
image=localhost/chatflow-bridge:test
target="$(uname -m)-unknown-linux-musl"
work=$(mktemp -d)
container=""
finish() {
  [ -z "$container" ] || buildah rm "$container" >/dev/null
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "image: $1" >&2
  exit 1
}
expect() { # what, expected, found
  [ "$2" = "$3" ] || fail "$1: expected \`$2\`, found \`$3\`"
  echo "ok  $1: $3"
}
exists() { buildah inspect --type image "$1" >/dev/null 2>&1; }

# A Debian with gcc and a rustup toolchain where the official image keeps them.
stand_in_for_rust() {
  local base c mount toolchain
  toolchain=$(rustup run 1.95 rustc --print sysroot 2>/dev/null || rustc --print sysroot)
  rustup target add --toolchain "$(basename "$toolchain")" "$target" >&2
  base="$cache/bookworm.tar"
  [ -s "$base" ] || mmdebstrap --quiet --variant=minbase --include=ca-certificates,gcc,libc6-dev bookworm "$base"
  c=$(buildah from scratch)
  buildah add --quiet "$c" "$base" / >/dev/null
  mount=$(buildah mount "$c")
  mkdir -p "$mount/usr/local/cargo/bin" "$mount/usr/local/rustup/toolchains"
  cp -a "$toolchain" "$mount/usr/local/rustup/toolchains/"
  rm -rf "$mount/usr/local/rustup/toolchains/"*/share
  cp -a "$HOME/.cargo/bin/"{rustup,cargo,rustc} "$mount/usr/local/cargo/bin/"
  printf 'default_toolchain = "%s"\nversion = "12"\n' "$(basename "$toolchain")" >"$mount/usr/local/rustup/settings.toml"
  buildah umount "$c" >/dev/null
  buildah config --env RUSTUP_HOME=/usr/local/rustup --env CARGO_HOME=/usr/local/cargo \
    --env PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$c"
  buildah commit --quiet --rm "$c" "$rust_image" >/dev/null
}
# What distroless/static has: certificates, a user, /tmp; no shell and no libc.
stand_in_for_distroless() {
  local c root="$work/static"
  mkdir -p "$root/etc/ssl/certs" "$root/home/nonroot" "$root/tmp"
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
  chmod 1777 "$root/tmp"
  c=$(buildah from scratch)
  buildah add --quiet "$c" "$root" / >/dev/null
  buildah config --user 65532:65532 --workingdir /home/nonroot \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$c"
  buildah commit --quiet --rm "$c" "$runtime_image" >/dev/null
}

exists "$rust_image" || stand_in_for_rust
exists "$runtime_image" || stand_in_for_distroless

# A machine behind a proxy with a certificate of its own gives it from outside; it never stands in the Dockerfile.
printf '[http]\ncainfo = "/host-ca.crt"\n[net]\nretry = 5\n' >"$work/cargo-config.toml"
nice -n 19 buildah build --format docker --layers --pull=never --network host \
  --volume /etc/ssl/certs/ca-certificates.crt:/host-ca.crt:ro \
  --volume "$work/cargo-config.toml:/usr/local/cargo/config.toml:ro" \
  --build-arg "PROFILE=$profile" --build-arg VERSION=0.0.0-test --build-arg REVISION=abc --tag "$image" .

config() { buildah inspect --type image --format "{{$1}}" "$image"; }
expect "user" "65532:65532" "$(config .Docker.Config.User)"
expect "ports" "map[8080/tcp:{} 9090/tcp:{}]" "$(config .Docker.Config.ExposedPorts)"
expect "entrypoint" "[/usr/local/bin/chatflow-bridge]" "$(config .Docker.Config.Entrypoint)"
expect "command" "[serve]" "$(config .Docker.Config.Cmd)"
expect "working folder" "/data" "$(config .Docker.Config.WorkingDir)"
expect "healthcheck" "[CMD /usr/local/bin/chatflow-bridge healthcheck]" "$(config .Docker.Config.Healthcheck.Test)"
for label in title=chatflow-bridge version=0.0.0-test revision=abc "licenses=MIT OR Apache-2.0"; do
  expect "label ${label%%=*}" "${label#*=}" "$(config "index .Docker.Config.Labels \"org.opencontainers.image.${label%%=*}\"")"
done

container=$(buildah from --pull=never "$image")
mount=$(buildah mount "$container")
binary="$mount/usr/local/bin/chatflow-bridge"
size=$(stat -c %s "$binary")
if [ "$profile" = release ]; then
  [ "$size" -le $((25 * 1024 * 1024)) ] || fail "the image adds more than 25 MiB to its base: $size bytes"
fi
echo "ok  size over the base: $((size / 1024)) KiB ($profile)"
[ ! -e "$mount/bin/sh" ] || fail "there is a shell"
expect "owner of /data" "65532:65532" "$(stat -c %u:%g "$mount/data")"
python3 - "$binary" <<'PYTHON'
import json, struct, sys, zlib
data = open(sys.argv[1], "rb").read()
(segments_at,), (sections_at,) = struct.unpack_from("<Q", data, 32), struct.unpack_from("<Q", data, 40)
segment_size, segments, section_size, sections, names = struct.unpack_from("<5H", data, 54)
kinds = [struct.unpack_from("<I", data, segments_at + i * segment_size)[0] for i in range(segments)]
assert 3 not in kinds, "image: the binary asks for a dynamic loader"
print("ok  static: no loader is asked for")
at = lambda i: struct.unpack_from("<IIQQQQ", data, sections_at + i * section_size)
table = at(names)[4]
for i in range(sections):
    name, _, _, _, offset, length = at(i)
    if data[table + name :].split(b"\0", 1)[0] == b".dep-v0":
        packages = json.loads(zlib.decompress(data[offset : offset + length]))["packages"]
        assert any(p["name"] == "chatflow-bridge" for p in packages) and len(packages) > 100, "image: the list of dependencies is short"
        print(f"ok  list of dependencies in the binary: {len(packages)} packages")
        break
else:
    sys.exit("image: the binary carries no list of its dependencies")
PYTHON
# As it runs: its own user, only /data and the mappings given to it.
mkdir -p "$work/data" && chown 65532:65532 "$work/data"
run() { buildah run --volume "$PWD/mappings:/data/mappings:ro" --volume "$work/data:/data/store" --env BRIDGE_STORE__URL=sqlite:/data/store/bridge.db "$@"; }
hooks=18080 metrics=19090 admin=19091
environment=(--env "BRIDGE_SERVER__HOOKS=127.0.0.1:$hooks" --env "BRIDGE_SERVER__METRICS=127.0.0.1:$metrics"
  --env "BRIDGE_SERVER__ADMIN=127.0.0.1:$admin" --env BRIDGE_CHATFLOW__API_KEY=none --env BRIDGE_CHATFLOW__BASE_URL=http://127.0.0.1:1/api/v1
  --env BRIDGE_SERVER__DRAIN_DELAY=1s)
run "$container" /usr/local/bin/chatflow-bridge --version
run "${environment[@]}" "$container" /usr/local/bin/chatflow-bridge serve >"$work/log" 2>&1 &
served=$!
for _ in $(seq 100); do
  if run "$container" /usr/local/bin/chatflow-bridge healthcheck --url "http://127.0.0.1:$metrics/readyz" >"$work/health" 2>/dev/null; then break; fi
  kill -0 "$served" 2>/dev/null || { cat "$work/log"; fail "it ended instead of serving"; }
  sleep 0.2
done
grep -q '"store"' "$work/health" || { cat "$work/log"; fail "it does not become ready"; }
echo "ok  ready: $(cat "$work/health")"
expect "an unknown source" 404 "$(curl -s -o /dev/null -w '%{http_code}' -d '{}' "http://127.0.0.1:$hooks/hooks/nobody")"
expect "metrics are not behind the hooks" 404 "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$hooks/metrics")"
process=$(pgrep -f '^/usr/local/bin/chatflow-bridge serve$' | head -1)
expect "user it runs as" 65532 "$(stat -c %u "/proc/$process")"
kill -TERM "$process"
wait "$served" || { cat "$work/log"; fail "it did not end cleanly on SIGTERM"; }
echo "ok  ends on SIGTERM"
echo "the image is what it promises"
