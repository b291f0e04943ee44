#!/bin/sh
# Runs benchmarks/gpu.ts from its kit, in any folder: sh run.sh --minutes 8 …
set -eu
kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

[ ! -d "$kit/node" ] || PATH="$kit/node/bin:$PATH"
export PYTHONPATH="$kit/diffusers:$kit/torch${PYTHONPATH:+:$PYTHONPATH}"

if [ -d "$kit/provider" ]; then
  ln -sf "$kit"/provider/*.so "$kit/program/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/"
fi
# CUDA's libraries come with torch or with the kit. torch's are first, since it needs its own; those of CUDA 12 fit nothing.
torchs=$(python3 -c '
from importlib.util import find_spec
from pathlib import Path
found = find_spec("nvidia")
libs = [lib for folder in (found.submodule_search_locations if found else ()) for lib in Path(folder).glob("*/lib")]
print(*(libs if any((lib / "libcudart.so.13").exists() for lib in libs) else ()), sep="\n")
' 2>/dev/null || true)
for folder in $torchs "$kit"/cuda/nvidia/*/lib; do
  [ ! -d "$folder" ] || LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$folder"
done
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}"

exec node --import "$kit/program/node_modules/tsx/dist/loader.mjs" "$kit/program/benchmarks/gpu.ts" --bundles "$kit/bundles" "$@"
