#!/bin/sh
# A PostgreSQL of the tests' own: made in a folder of its own, gone with it when standard input is closed, however the
# tests ended. Reads one command a line and answers `done`:
#   start  stop  crash  freeze  thaw
# Usage: postgres.sh BIN PORT PASSWORD CERTIFICATE KEY
set -eu
bin=$1 port=$2 password=$3 certificate=$4 key=$5
folder=$(mktemp -d "${TMPDIR:-/tmp}/chatflow-bridge-postgres.XXXXXX")
server=

# PostgreSQL refuses to run as root.
unprivileged() {
  if [ "$(id -u)" -eq 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"
  fi
  exec "$@"
}

start() {
  (
    cd "$folder"
    unprivileged "$bin/postgres" -D "$folder/data" -p "$port"
  ) </dev/null >>"$folder/log" 2>&1 &
  server=$!
  until "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$port" --timeout=1; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.02
  done
}

# One signal to the server and all that it has started.
every() {
  kill "-$1" "$server" $(pgrep -P "$server") 2>/dev/null || true
}

# `INT` is a fast shutdown, `QUIT` one without any care, as a crash.
end() {
  [ -n "$server" ] || return 0
  every CONT
  kill "-$1" "$server" 2>/dev/null || true
  wait "$server" || true
  server=
}

leave() {
  end QUIT
  rm -rf "$folder"
}
trap leave EXIT
trap 'exit 1' TERM
# A frozen server makes the kernel hang up on the whole group when the tests die.
trap '' HUP

printf '%s' "$password" >"$folder/password"
cp "$certificate" "$folder/server.pem"
cp "$key" "$folder/server.key"
chmod 600 "$folder/server.key"
[ "$(id -u)" -ne 0 ] || chown -R postgres "$folder"
(
  cd "$folder"
  unprivileged "$bin/initdb" --pgdata="$folder/data" --username=bridge --pwfile="$folder/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync
) >"$folder/log" 2>&1 </dev/null || { cat "$folder/log" >&2; exit 1; }
cat >>"$folder/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 400
shared_buffers = 64MB
max_wal_size = 512MB
ssl = on
ssl_cert_file = '$folder/server.pem'
ssl_key_file = '$folder/server.key'
SETTINGS
start || { cat "$folder/log" >&2; exit 1; }
echo "ready"

while read -r command; do
  case $command in
    start) start || { cat "$folder/log" >&2; exit 1; } ;;
    stop) end INT ;;
    crash) end QUIT ;;
    freeze) every STOP ;;
    thaw) every CONT ;;
    *) exit 2 ;;
  esac
  echo "done"
done
