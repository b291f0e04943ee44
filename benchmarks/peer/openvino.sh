#!/bin/sh
# Runs the locked Python that has OpenVINO with the arguments given, e.g. benchmarks/peer/openvino.sh benchmarks/full-step/openvino_step.py --help.
# The first call makes the environment (about 700 MB) in the user's cache.
set -eu

peer=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# NNCF and OpenVINO tell Intel how they are used unless told not to.
export NNCF_CI=1 CI=true
exec "$peer/../../models/locked-python.sh" "$peer/openvino.lock" "$@"
