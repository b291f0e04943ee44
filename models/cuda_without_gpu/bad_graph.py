"""A graph with a node that the CUDA provider has no kernel for: what the check has to find out."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper


def write_bad_graph(file: Path) -> None:
    """Products in float32 around `DynamicQuantizeLinear`, which runs on the processor only."""
    weight = onnx.numpy_helper.from_array(np.ones((8, 8), np.float32), "weight")
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("DynamicQuantizeLinear", ["product"], ["steps", "scale", "zero"]),
        helper.make_node("DequantizeLinear", ["steps", "scale", "zero"], ["again"]),
        helper.make_node("MatMul", ["again", "weight"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 8]) for name in "xy")
    graph = helper.make_graph(nodes, "bad", [x], [y], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), file)
