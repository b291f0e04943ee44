#!/bin/sh
# Runs the locked Python with OpenVINO, e.g. benchmarks/peer/openvino.sh benchmarks/full-step/openvino_step.py --help.
# The first call creates the environment (about 700 MB) in the user's cache.
set -eu

peer=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Turns off the usage reports that NNCF and OpenVINO send to Intel.
export NNCF_CI=1 CI=true
exec "$peer/../../models/locked-python.sh" "$peer/openvino.lock" "$@"
