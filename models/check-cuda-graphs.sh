#!/bin/sh
# Opens and runs the graphs of bundles in ONNX Runtime's CUDA provider, without a GPU: models/check-cuda-graphs.sh BUNDLE…
# Needs a C compiler and nm, on x64 Linux. The first call installs the provider (about 600 MB).
set -eu

models=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

export ORT_DISABLE_TELEMETRY="${ORT_DISABLE_TELEMETRY:-1}"
export PYTHONPATH="$models"
exec "$models/locked-python.sh" "$models/cuda_without_gpu/requirements.lock" -m cuda_without_gpu "$@"
