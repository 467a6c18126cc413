#!/usr/bin/env bash
# Walks docs/deploy.md without a cluster: the mapping is tested, the chart rendered by the page's own command, the program run with what
# its pod would see, the page's webhook posted, and the contact looked at in a mock Chatflow.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
bridge=$(realpath "${BRIDGE:-target/debug/chatflow-bridge}")
[ -n "${BRIDGE:-}" ] || cargo build --locked --quiet
page="$PWD/docs/deploy.md" tools="$PWD/scripts/chart"
work=$(mktemp -d)
served="" mocked=""
stop() {
  [ -z "$served$mocked" ] || kill ${served:+"$served"} ${mocked:+"$mocked"} 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT
fail() {
  echo "docs/deploy.md: $1" >&2
  cat "$work"/*.log >&2
  exit 1
}
ln -s "$(dirname "$bridge")/chatflow-bridge" "$work/chatflow-bridge"
ln -s "$PWD/helm" "$work/helm"
export PATH="$work:$PATH"
cd "$work"
python "$tools/doc.py" "$page" files .
python "$tools/doc.py" "$page" run program >program.sh
bash -euo pipefail program.sh >program.log 2>&1 || fail "a command of the program failed"

mkdir -p secrets/{chatflow,crm,bridge-admin}
printf your-api-key >secrets/chatflow/api-key
printf a-long-random-word >secrets/crm/token
printf the-admin-token >secrets/bridge-admin/token
python "$tools/doc.py" "$page" run cluster | sed -nE '/^helm .* install /,/[^\\]$/ { s/ install / template /; p }' >render.sh
bash -euo pipefail render.sh >rendered.yaml 2>render.log || fail "the chart is not rendered"
read -r hooks metrics admin mock <<<"$(python -c '
import socket
taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(s.getsockname()[1] for s in taken))')"
folder=$(python "$tools/pod.py" rendered.yaml "$work/pod" "$work/secrets" "$hooks" "$metrics" "$admin")
chatflow-bridge mock --listen "127.0.0.1:$mock" --api-key your-api-key --known-tags lead >mock.log 2>&1 &
mocked=$!
cd "$folder"
export BRIDGE_CHATFLOW__BASE_URL="http://127.0.0.1:$mock/api/v1"
chatflow-bridge config >"$work/config.log" 2>&1 || fail "the program refuses the settings file of the chart"
chatflow-bridge serve >"$work/serve.log" 2>&1 &
served=$!
for _ in $(seq 150); do
  chatflow-bridge healthcheck --url "http://127.0.0.1:$metrics/readyz" >/dev/null 2>&1 && break
  kill -0 "$served" 2>/dev/null || fail "the program ended"
  sleep 0.2
done
export TOKEN=the-admin-token
python "$tools/doc.py" "$page" run bridge | sed -e "s/:8080/:$hooks/; s/:9091/:$admin/; s/curl/curl -sS --fail-with-body/" >"$work/posts.sh"
for _ in $(seq 50); do
  bash -euo pipefail "$work/posts.sh" >"$work/posts.log" 2>&1 || fail "a webhook or a question is refused"
  grep -q '"delivered"' "$work/posts.log" && break
  sleep 0.2
done
grep -q '"delivered"' "$work/posts.log" || fail "the update is not delivered"
curl -sS "http://127.0.0.1:$mock/_mock/contacts" | grep -q '12025550143.*lead' || fail "the contact is not as the page says"
curl -sS "http://127.0.0.1:$metrics/metrics" | promtool check metrics >"$work/metrics.log" 2>&1 || fail "promtool complains about the metrics"
kill -TERM "$served"
wait "$served" || fail "it did not end cleanly"
served=""
echo "from the chart to the first contact"
