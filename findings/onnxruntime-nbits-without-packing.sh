#!/usr/bin/env bash
# ONNX Runtime's MatMulNBits with accuracy_level 4 rounds its inputs to 8 bits on a CPU, but not in a session that sets
# session.disable_prepacking, an option about memory: the same graph gives other numbers there, as if the level were 1.
# Seen with onnxruntime 1.30.0 and 1.32.0 on x64. Exits with 1 if this has changed. Needs Python 3.11 or later with venv
# and pip, Linux on x64.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/compare.py" <<'END'
import sys
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

INPUTS, OUTPUTS, BLOCK = 256, 64, 64


def graph(bits, level):
    steps = np.random.default_rng(0).integers(0, 256, (OUTPUTS, INPUTS // BLOCK, BLOCK * bits // 8), np.uint8)
    scales = np.full((OUTPUTS, INPUTS // BLOCK), 1 / 2**bits, np.float32)
    attributes = {"K": INPUTS, "N": OUTPUTS, "bits": bits, "block_size": BLOCK, "accuracy_level": level}
    node = helper.make_node("MatMulNBits", ["x", "steps", "scales"], ["y"], domain="com.microsoft", **attributes)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", INPUTS])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", OUTPUTS])
    weights = [numpy_helper.from_array(value, name) for name, value in (("steps", steps), ("scales", scales))]
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(helper.make_graph([node], "g", [x], [y], weights), opset_imports=opsets, ir_version=10)


def run(model, is_packed, x):
    options = onnxruntime.SessionOptions()
    if not is_packed:
        options.add_session_config_entry("session.disable_prepacking", "1")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


x = np.random.default_rng(1).standard_normal((30, INPUTS), np.float32)
for bits in (8, 4):
    exact = run(graph(bits, 1), True, x)
    found = [run(graph(bits, 4), is_packed, x) for is_packed in (True, False)]
    packed, unpacked = (np.abs(each - exact).max() / np.abs(exact).max() for each in found)
    print(f"{onnxruntime.__version__}, {bits} bits, level 4: error {packed:.0e} packed, {unpacked:.0e} not packed")
    if not (packed > 1e-3 and unpacked < 1e-5):
        sys.exit(1)
END

for version in 1.30.0 1.32.0; do
  python3 -m venv "$folder/$version"
  "$folder/$version/bin/python" -m pip install --quiet "onnxruntime==$version" onnx==1.23.2 numpy==2.4.6
  if ! ORT_DISABLE_TELEMETRY=1 "$folder/$version/bin/python" "$folder/compare.py"; then
    echo 'changed: both give the same'
    exit 1
  fi
done
echo 'as described'
