#!/bin/sh
# Runs the locked Python of models/ with the arguments given, e.g. models/python.sh -m export --help.
# The first call makes the environment (about 6 GB, a few minutes) in the user's cache; a changed lock makes a new one.
set -eu

models=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lock="$models/requirements.lock"

find_python() {
  for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "models/python.sh: no Python 3.11 to 3.13 found on the PATH; install one, for example python3.12." >&2
  exit 1
}

host=$(find_python)
digest=$("$host" -c 'import hashlib, sys
version = "%d.%d" % sys.version_info[:2]
print(version + "-" + hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()[:12])' "$lock")
environment="${XDG_CACHE_HOME:-$HOME/.cache}/pixart-batch/python/$digest"

if [ ! -e "$environment/complete" ]; then
  echo "models/python.sh: installing models/requirements.lock into $environment" >&2
  rm -rf "$environment"
  "$host" -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock" >&2
  touch "$environment/complete"
fi

# No telemetry that nobody asked for (docs/guide.md); who wants to take part sets 0.
export ORT_DISABLE_TELEMETRY="${ORT_DISABLE_TELEMETRY:-1}" HF_HUB_DISABLE_TELEMETRY="${HF_HUB_DISABLE_TELEMETRY:-1}"
PYTHONPATH="$models${PYTHONPATH:+:$PYTHONPATH}" exec "$environment/bin/python" "$@"
