"""Turns a torch module into an ONNX graph: names, dynamic dimensions, weights beside it where they are large."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir
import torch
from onnx_ir import passes as ir_passes
from torch import Tensor, nn

OPSET = 20
IR_VERSION = 10
"""The newest that ONNX Runtime 1.18 and later read."""

EXTERNAL_DATA_BYTES = 100 * 2**20
"""Weights above this go into a file of their own; a protobuf file ends at 2 GB."""

HALF_MIN_ELEMENTS = 256
"""Smaller weights (biases of narrow layers, constants) are not worth a Cast."""


@dataclass(frozen=True)
class Graph:
    """A module to export, its example `inputs` by argument name, and per input the names of the axes that vary."""

    file: str
    module: nn.Module
    inputs: dict[str, Tensor]
    dynamic: dict[str, dict[int, str]]
    outputs: tuple[str, ...]


def write_graph(graph: Graph, folder: Path, half: bool) -> None:
    """Exports `graph` to `folder / graph.file`, with `<file>.data` beside it where its weights are large.

    With `half`, weights lie on disk as float16 and a Cast turns them into float32 inside the graph. All arithmetic
    stays float32, so that what overflows float16 in T5 (the output of its `wo` projections) does not here.
    """
    model = _export(graph).model
    model.ir_version = IR_VERSION
    _strip_metadata(model)
    if half:
        _halve_weights(model)
    target = folder / graph.file
    external = sum(weight.const_value.nbytes for weight in _weights(model)) > EXTERNAL_DATA_BYTES
    ir.save(model, target, external_data=f"{graph.file}.data" if external else None)


def _export(graph: Graph) -> torch.onnx.ONNXProgram:
    with torch.no_grad():
        return torch.onnx.export(
            graph.module,
            kwargs=graph.inputs,
            dynamo=True,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=graph.dynamic,
            opset_version=OPSET,
            verbose=False,
        )


def _weights(model: ir.Model) -> Iterator[ir.Value]:
    yield from model.graph.initializers.values()


def _strip_metadata(model: ir.Model) -> None:
    """Removes stack traces and other notes of the exporter, which name files of the machine that exported."""
    ir_passes.common.ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()


def _halve_weights(model: ir.Model) -> None:
    for weight in list(_weights(model)):
        tensor = weight.const_value
        if tensor.dtype != ir.DataType.FLOAT or tensor.size < HALF_MIN_ELEMENTS:
            continue
        stored = ir.Value(
            name=f"{weight.name}.half",
            shape=weight.shape,
            type=ir.TensorType(ir.DataType.FLOAT16),
            const_value=ir.tensor(tensor.numpy().astype("float16"), name=f"{weight.name}.half"),
        )
        cast = ir.node("Cast", [stored], {"to": ir.DataType.FLOAT}, name=f"{weight.name}.cast")
        cast.outputs[0].shape, cast.outputs[0].type = weight.shape, weight.type
        cast.outputs[0].name = f"{weight.name}.float"
        weight.replace_all_uses_with(cast.outputs[0])
        model.graph.insert_before(model.graph[0], cast)
        del model.graph.initializers[weight.name]
        model.graph.register_initializer(stored)
