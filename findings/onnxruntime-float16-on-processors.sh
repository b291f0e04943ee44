#!/usr/bin/env bash
# On a processor, ONNX Runtime runs float16 nodes that it has no kernel for in float32, and leaves out the rounding to
# float16 between two of them, with all optimisations disabled too: a tensor that overflows on a graphics card stays
# finite, so a float16 model that was tried on a processor has not been tried. Expected: each output is a float16 tensor,
# as the graph says and onnx's own evaluator computes. `models/export/cuda_operators.py` writes the roundings into the
# graph. Seen with Python's onnxruntime 1.32.0. Exits with 1 if this has changed. Needs Python 3.11 or later with venv
# and pip.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/python"
"$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 || exit 2

ORT_DISABLE_TELEMETRY=1 "$folder/python/bin/python" -W ignore - <<'END'
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

# y = (x · w) / 1024; the product is 180,000, and float16 ends at 65,504.
nodes = [helper.make_node("MatMul", ["x", "w"], ["product"]), helper.make_node("Mul", ["product", "small"], ["y"])]
weights = {"w": np.full((2, 2), 300, np.float16), "small": np.array(1 / 1024, np.float16)}
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT16, [1, 2]) for name in "xy")
initializers = [onnx.numpy_helper.from_array(value, name) for name, value in weights.items()]
graph = helper.make_graph(nodes, "overflow", [x], [y], initializers)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
inputs = {"x": np.full((1, 2), 300, np.float16)}

found = {"onnx's evaluator": ReferenceEvaluator(model).run(None, inputs)[0]}
for level in (GraphOptimizationLevel.ORT_DISABLE_ALL, GraphOptimizationLevel.ORT_ENABLE_ALL):
    options = SessionOptions()
    options.graph_optimization_level = level
    session = InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found[f"ONNX Runtime, {level.name}"] = session.run(None, inputs)[0]
for name, value in found.items():
    print(f"{name}: {value.tolist()}")
expected, *others = (np.isfinite(value).all() for value in found.values())
if expected or not all(others):
    sys.exit("changed: expected infinity from onnx's evaluator and finite numbers from ONNX Runtime")
print("as described")
END
