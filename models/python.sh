#!/bin/sh
# Runs the locked Python of models/ with the arguments given, e.g. models/python.sh -m export --help.
# The first call makes the environment (about 6 GB, a few minutes) in the user's cache; a changed lock makes a new one.
set -eu

models=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

# No telemetry that nobody asked for (docs/guide.md); who wants to take part sets 0.
export ORT_DISABLE_TELEMETRY="${ORT_DISABLE_TELEMETRY:-1}" HF_HUB_DISABLE_TELEMETRY="${HF_HUB_DISABLE_TELEMETRY:-1}"
export PYTHONPATH="$models${PYTHONPATH:+:$PYTHONPATH}"
exec "$models/locked-python.sh" "$models/requirements.lock" "$@"
