#!/usr/bin/env bash
# ONNX Runtime collects telemetry on Linux: its first session leaves a device id and an SQLite file in the user's cache
# folder, unless ORT_DISABLE_TELEMETRY is 1 before the library is loaded, or CI is set. DO_NOT_TRACK has no effect. Seen
# with onnxruntime-node 1.30.0 and Python's onnxruntime 1.32.0. Exits with 1 if this has changed. Needs Node with npm,
# Python 3.11 or later with venv and pip, Linux.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

changed() {
  echo "changed: $1"
  exit 1
}

# An identity graph in ONNX's format.
graph=$folder/identity.onnx
python3 - "$graph" <<'END'
import pathlib, sys
field = lambda number, value: bytes([number << 3 | 2, len(value)]) + value
number = lambda at, value: bytes([at << 3, value])
shape = field(2, field(1, number(1, 1)))
tensor = lambda name: field(1, name) + field(2, field(1, number(1, 1) + shape))
node = field(1, b"x") + field(2, b"y") + field(4, b"Identity")
graph = field(1, node) + field(2, b"g") + field(11, tensor(b"x")) + field(12, tensor(b"y"))
pathlib.Path(sys.argv[1]).write_bytes(number(1, 8) + field(7, graph) + field(8, number(2, 17)))
END

npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder/node" onnxruntime-node@1.30.0
python3 -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.32.0

node_session() {
  (cd "$folder/node" && "$@" node -e '
    const { InferenceSession } = require("onnxruntime-node");
    InferenceSession.create(process.argv[1]).then((session) => session.release());' "$graph")
}
python_session() {
  "$@" "$folder/python/bin/python" -c 'import onnxruntime, sys; onnxruntime.InferenceSession(sys.argv[1])' "$graph"
}

leaves() {
  local session=$1 home
  shift
  home=$(mktemp -d "$folder/home-XXXX")
  "$session" env -u CI -u GITHUB_ACTIONS -u XDG_CACHE_HOME -u ORT_DISABLE_TELEMETRY HOME="$home" "$@"
  (cd "$home" && find . -path '*DeveloperTools*' -type f | sort | tr '\n' ' ')
}
expect() {
  local what=$1 expected=$2 found=$3
  echo "$what leaves: ${found:-nothing}"
  case "$found" in $expected) ;; *) changed "expected ${expected:-nothing}" ;; esac
}

files='*/.cache/Microsoft/DeveloperTools/.onnxruntime/deviceid */onnxruntime.db*'
for session in node_session python_session; do
  expect "$session" "$files" "$(leaves "$session")"
  expect "$session with ORT_DISABLE_TELEMETRY=0" "$files" "$(leaves "$session" ORT_DISABLE_TELEMETRY=0)"
  expect "$session with DO_NOT_TRACK=1" "$files" "$(leaves "$session" DO_NOT_TRACK=1)"
  expect "$session with ORT_DISABLE_TELEMETRY=1" '' "$(leaves "$session" ORT_DISABLE_TELEMETRY=1)"
  expect "$session with CI=true" '' "$(leaves "$session" CI=true)"
done
echo 'as described'
