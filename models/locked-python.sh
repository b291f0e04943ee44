#!/bin/sh
# Runs Python in the environment of a lock file: models/locked-python.sh LOCK ARGUMENT…. The first call creates the
# environment in the user's cache; a changed lock creates a new one.
set -eu

lock=$1
shift

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
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
environment=$("$host" "$here/locked_environment.py" "$lock" "${XDG_CACHE_HOME:-$HOME/.cache}/pixart-batch/python")

exec "$environment/bin/python" "$@"
