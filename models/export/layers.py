"""Maps each layer of a module to its output value in a written graph, to compare the two layer by layer."""

from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import onnx
from torch import Tensor, nn

from .drafts import Draft
from .products import products


def layer_outputs(draft: Draft, module: nn.Module) -> dict[str, str]:
    """Finds the module's linear layers and convolutions in a draft, in its order: the output value of each, by name.

    A convolution that the draft computes differently (upsampling.py) is not a layer of the module and is left out.
    """
    layers = {name for name, layer in module.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)}
    by_value = {product.output.name: product.layer for product in products(draft)}
    for node in draft.model.graph:
        weight = draft.recipe_of(node.inputs[1]) if node.op_type in ("Conv", "Gemm") else None
        if weight is not None:
            by_value[node.outputs[0].name] = weight.sources[0].removesuffix(".weight")
    values = (value.name for node in draft.model.graph for value in node.outputs)
    return {by_value[value]: value for value in values if by_value.get(value) in layers}


@contextmanager
def watched(module: nn.Module, names: Container[str]) -> Iterator[dict[str, Tensor]]:
    """Records the output of each of the layers while the module runs."""
    seen: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_hook(partial(_note, seen, name))
        for name, layer in module.named_modules()
        if name in names
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _note(seen: dict[str, Tensor], name: str, layer: nn.Module, inputs: object, output: Tensor) -> None:
    seen[name] = output


@contextmanager
def with_outputs(file: Path, values: Iterable[str]) -> Iterator[Path]:
    """A graph beside `file` that shares its data and also returns `values`; it is removed afterwards."""
    model = onnx.load(file, load_external_data=False)
    given = {output.name for output in model.graph.output}
    kind = onnx.TensorProto.FLOAT
    for value in dict.fromkeys(values):
        if value not in given:
            model.graph.output.append(onnx.helper.make_tensor_value_info(value, kind, None))
    watched_file = file.with_name(f"layers-of-{file.name}")
    try:
        watched_file.write_bytes(model.SerializeToString())
        yield watched_file
    finally:
        watched_file.unlink(missing_ok=True)
