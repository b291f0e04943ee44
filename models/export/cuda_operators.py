"""Operators that ONNX Runtime has for CUDA only, defined by others, so that their graphs run without a GPU too."""

import onnx
from onnx import TensorProto
from onnx.parser import parse_function

from .nodes import CONTRIB

DOMAIN = "pixart.reference"

# X [B, H, W, C], W [outputs, kernel, kernel, C / group].
_CONVOLUTION = """
<domain: "pixart.reference", opset_import: ["" : 20]>
NhwcConv <kernel_shape, strides: ints = [1, 1], pads: ints = [0, 0, 0, 0], group: int = 1> (X, W, B) => (Y) {
    x = Transpose <perm = [0, 3, 1, 2]> (X)
    w = Transpose <perm = [0, 3, 1, 2]> (W)
    y = Conv <kernel_shape: ints = @kernel_shape, strides: ints = @strides, pads: ints = @pads, group: int = @group>
        (x, w, B)
    Y = Transpose <perm = [0, 2, 3, 1]> (y)
}
"""

# X [B, H, W, C]; statistics, gamma and beta are float32 whatever X is.
_NORM = """
<domain: "pixart.reference", opset_import: ["" : 20]>
NAME <groups: int, epsilon: float = 0.00001> (X, gamma, beta) => (Y) {
    full = Cast <to = 1> (X)
    channels_first = Transpose <perm = [0, 3, 1, 2]> (full)
    whole = Shape (channels_first)
    ends = Constant <value_ints = [0, -1]> ()
    zero, rest = Split <num_outputs = 2> (ends)
    count = Constant <value_int: int = @groups> ()
    one = Constant <value_ints = [1]> ()
    counts = Reshape (count, one)
    grouped_shape = Concat <axis = 0> (zero, counts, rest)
    grouped = Reshape (channels_first, grouped_shape)
    last = Constant <value_ints = [2]> ()
    mean = ReduceMean (grouped, last)
    centred = Sub (grouped, mean)
    squares = Mul (centred, centred)
    variance = ReduceMean (squares, last)
    least = Constant <value_float: float = @epsilon> ()
    above = Add (variance, least)
    deviation = Sqrt (above)
    normed_groups = Div (centred, deviation)
    normed_first = Reshape (normed_groups, whole)
    normed = Transpose <perm = [0, 2, 3, 1]> (normed_first)
    scaled = Mul (normed, gamma)
    shifted = Add (scaled, beta)
    LAST
}
"""

_FUNCTIONS = [
    parse_function(text)
    for text in (
        _CONVOLUTION,
        _NORM.replace("NAME", "GroupNorm").replace("LAST", "Y = CastLike (shifted, X)"),
        _NORM.replace("NAME", "GroupNormSiLU").replace(
            "LAST", "gate = Sigmoid (shifted) \n gated = Mul (shifted, gate) \n Y = CastLike (gated, X)"
        ),
    )
]


def with_definitions(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with definitions in place of operators that a processor has no kernels for."""
    defined = {function.name: set(function.attribute) for function in _FUNCTIONS}
    for function in _FUNCTIONS:
        defined[function.name] |= {attribute.name for attribute in function.attribute_proto}
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for node in changed.graph.node:
        if node.domain == CONTRIB and node.op_type in defined:
            _redirect(node, defined)
    _round_between_nodes(changed.graph)
    changed.functions.extend(_FUNCTIONS)
    changed.opset_import.append(onnx.helper.make_opsetid(DOMAIN, 1))
    return changed


def _round_between_nodes(graph: onnx.GraphProto) -> None:
    """Has nodes compute in float32 and rounds what they put out to float16.

    ONNX Runtime would compute them in float32 too, and leave out the rounding between two of them: nothing would
    overflow. A cast that the graph itself has is kept.
    """
    half = {weight.name for weight in graph.initializer if weight.data_type == TensorProto.FLOAT16}
    nodes = [_cast(name, f"{name}/full", TensorProto.FLOAT) for name in half]
    for node in graph.node:
        to = [attribute.i for attribute in node.attribute if attribute.name == "to"]
        # A norm of float32 with weights in float16 gives float16.
        says = node.input[1 if node.op_type == "SimplifiedLayerNormalization" else 0]
        is_half = to == [TensorProto.FLOAT16] if node.op_type == "Cast" else says in half
        inputs = [f"{name}/full" if name in half else name for name in node.input]
        outputs = list(node.output)
        del node.input[:], node.output[:]
        node.input.extend(inputs)
        if not is_half or node.op_type == "Shape":
            node.output.extend(outputs)
            nodes.append(node)
            continue
        if node.op_type == "Cast":
            next(attribute for attribute in node.attribute if attribute.name == "to").i = TensorProto.FLOAT
        node.output.extend(f"{name}/exact" for name in outputs)
        nodes.append(node)
        for name in outputs:
            half.add(name)
            nodes += [
                _cast(f"{name}/exact", name, TensorProto.FLOAT16),
                _cast(name, f"{name}/full", TensorProto.FLOAT),
            ]
    del graph.node[:]
    graph.node.extend(nodes)


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return onnx.helper.make_node("Cast", [source], [target], to=kind, name=f"{target}/cast")


def _redirect(node: onnx.NodeProto, defined: dict[str, set[str]]) -> None:
    node.domain = DOMAIN
    activations = [attribute.i for attribute in node.attribute if attribute.name == "activation"]
    if activations == [1]:
        node.op_type += "SiLU"
    kept = [attribute for attribute in node.attribute if attribute.name in defined[node.op_type]]
    del node.attribute[:]
    node.attribute.extend(kept)
