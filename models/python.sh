#!/bin/sh
# Runs the locked Python of models/ with the given arguments, e.g. models/python.sh -m export --help. The first call
# creates the environment (about 6 GB, a few minutes) in the user's cache; a changed lock creates a new one.
set -eu

models=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# Telemetry is off by default (docs/guide.md); set 0 to take part.
export ORT_DISABLE_TELEMETRY="${ORT_DISABLE_TELEMETRY:-1}" HF_HUB_DISABLE_TELEMETRY="${HF_HUB_DISABLE_TELEMETRY:-1}"
export PYTHONPATH="$models${PYTHONPATH:+:$PYTHONPATH}"
exec "$models/locked-python.sh" "$models/requirements.lock" "$@"
