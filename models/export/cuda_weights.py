"""Weights of a graph for CUDA: those of the graph for the CPU, which both read from one file."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor

from .drafts import Draft
from .nodes import Nodes
from .recipes import Recipe

HALF, FLOAT = ir.DataType.FLOAT16, ir.DataType.FLOAT
TORCH = {HALF: torch.float16, FLOAT: torch.float32}


class CudaWeights:
    """What a graph for CUDA multiplies by, as values of its draft.

    A weight is the one that `stored`, the graph for the CPU, has under the same name: the very bytes. Casts, transposes
    and concatenations of weights alone are nodes here, which ONNX Runtime computes while it loads the graph.
    """

    def __init__(self, stored: Draft, draft: Draft, op: Nodes):
        self._stored = stored
        self._in_blocks = {
            stored.recipe_of(node.inputs[1]).sources[0]: node
            for node in stored.model.graph
            if node.op_type == "MatMulNBits"
        }
        self._recipes = {recipe.sources[0]: recipe for recipe in stored.recipes.values()}
        self._draft, self._op = draft, op

    def half(self, name: str) -> ir.Value:
        """A parameter in float16."""
        return self._in(name, HALF)

    def full(self, name: str) -> ir.Value:
        """A parameter in float32."""
        return self._in(name, FLOAT)

    def beside(self, names: Sequence[str], axis: int) -> ir.Value:
        """Several parameters beside each other, in float16."""
        return self._op("Concat", *map(self.half, names), axis=axis)

    def blocks(self, name: str, factor: float) -> tuple[ir.Value, ir.Value, dict[str, int]] | None:
        """A parameter that is stored in blocks, scales in float16 that make it `factor` times as large, and the
        attributes of `MatMulNBits`; None where it is not stored in blocks."""
        node = self._in_blocks.get(name)
        if node is None:
            return None
        weight, scales = (self._added(self._stored.recipe_of(value)) for value in node.inputs[1:3])
        if factor != 1:
            scales = self._op("Mul", scales, self.constant(f"times_{factor:g}", factor, np.float32))
        attributes = {name: node.attributes[name].as_int() for name in ("K", "N", "bits", "block_size")}
        return weight, self._op("Cast", scales, to=HALF), attributes

    def made(
        self, name: str, dtype: ir.DataType, shape: tuple[int, ...], sources: Sequence[str], make: Callable[..., Tensor]
    ) -> ir.Value:
        """A small weight of this graph alone: `make` gets the parameters as they are stored, in float32."""
        recipes = [self._recipes[source] for source in sources]

        def made(*parameters: Tensor) -> Tensor:
            stored = (recipe.make(each).float() for recipe, each in zip(recipes, parameters, strict=True))
            return make(*stored).to(TORCH[dtype])

        parameters = tuple(source for recipe in recipes for source in recipe.sources)
        return self._draft.add(Recipe(f"cuda.{name}", dtype, shape, parameters, made))

    def constant(self, name: str, numbers: Sequence[float], dtype: type = np.int64) -> ir.Value:
        """A constant of the graph; the same name is the same constant."""
        known = self._draft.model.graph.initializers.get(name)
        return known if known is not None else self._op.constant(ir.tensor(np.array(numbers, dtype), name=name))

    def _in(self, name: str, dtype: ir.DataType) -> ir.Value:
        recipe = self._recipes[name]
        value = self._added(recipe)
        return value if recipe.dtype == dtype else self._op("Cast", value, to=dtype)

    def _added(self, recipe: Recipe) -> ir.Value:
        known = self._draft.model.graph.initializers.get(recipe.name)
        return known if known is not None else self._draft.add(recipe)
