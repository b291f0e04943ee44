"""Turns a torch module into a draft of an ONNX graph: names, dynamic dimensions, and no weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import onnx_ir as ir
import torch
from onnx_ir import passes as ir_passes
from torch import Tensor, nn

from .drafts import Draft
from .folding import fold_weights
from .layers import layer_outputs
from .recipes import Read, of_parameter

OPSET = 20
IR_VERSION = 10
"""The newest opset that ONNX Runtime 1.18 and later read."""


@dataclass(frozen=True)
class Graph:
    """A module to export, its example `inputs` by argument name, and the names of each input's dynamic axes.

    `read` returns the module's parameters; without it, the module itself holds them.
    """

    file: str
    module: nn.Module
    inputs: dict[str, Tensor]
    dynamic: dict[str, dict[int, str]]
    outputs: tuple[str, ...]
    read: Read | None = None

    def parameter(self, name: str) -> Tensor:
        """The float32 tensor of a parameter."""
        return self.module.get_parameter(name).data.float() if self.read is None else self.read(name)


def draft_graph(graph: Graph) -> Draft:
    """Traces `graph` without its weights: each becomes an initializer with a recipe."""
    with _stand_ins(graph.module) as shapes:
        program = _export(graph)
        weights = {
            name: program.model.graph.initializers[name] for name in shapes if name in program.model.graph.initializers
        }
        # As graph inputs they are neither folded nor inspected.
        for name, weight in weights.items():
            del program.model.graph.initializers[name]
            weight.const_value = None
            program.model.graph.inputs.append(weight)
        program.optimize()
    draft = Draft(graph.file, program.model)
    draft.model.ir_version = IR_VERSION
    _strip_metadata(draft.model)
    for name, weight in weights.items():
        draft.model.graph.inputs.remove(weight)
        weight.name = None
        weight.replace_all_uses_with(draft.add(of_parameter(name, shapes[name])))
    draft.drop_unused()
    fold_weights(draft)
    draft.layers.update(layer_outputs(draft, graph.module))
    return draft


@contextmanager
def _stand_ins(module: nn.Module) -> Iterator[dict[str, tuple[int, ...]]]:
    """Replaces the values of every parameter by a single number; yields the shapes by name."""
    owners = [(owner, name, parameter) for owner in module.modules() for name, parameter in owner._parameters.items()]
    owners = [(owner, name, parameter) for owner, name, parameter in owners if parameter is not None]
    shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters(remove_duplicate=False)}
    try:
        for owner, name, parameter in owners:
            owner._parameters[name] = nn.Parameter(torch.zeros(1).expand(parameter.shape), requires_grad=False)
        yield shapes
    finally:
        for owner, name, parameter in owners:
            owner._parameters[name] = parameter


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
            # Not yet: it would treat the placeholders as the weights.
            optimize=False,
        )


def _strip_metadata(model: ir.Model) -> None:
    """Removes the exporter's stack traces and other notes, which name files on the exporting machine."""
    ir_passes.common.ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
