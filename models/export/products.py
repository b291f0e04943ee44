"""The matrix products of a draft with a weight: `torch.nn.Linear`, as it appears in a graph."""

from collections.abc import Iterator
from dataclasses import dataclass

import onnx_ir as ir

from .drafts import Draft
from .recipes import Recipe


@dataclass(frozen=True)
class Product:
    """A `MatMul` with a weight, and the `Add` of its bias if it has one."""

    layer: str
    """The module's name for the linear layer, such as "transformer_blocks.0.attn1.to_q"."""
    weight: Recipe
    """[inputs, outputs]."""
    matmul: ir.Node
    add: ir.Node | None

    @property
    def input(self) -> ir.Value:
        return self.matmul.inputs[0]

    @property
    def output(self) -> ir.Value:
        return (self.add or self.matmul).outputs[0]

    @property
    def bias(self) -> ir.Value | None:
        """[outputs]."""
        if self.add is None:
            return None
        return self.add.inputs[1] if self.add.inputs[0] is self.matmul.outputs[0] else self.add.inputs[0]

    def replace(self, draft: Draft, nodes: list[ir.Node]) -> None:
        """Replaces the product by `nodes`, the last of which has the output."""
        output, old = nodes[-1].outputs[0], self.output
        output.shape, output.type, output.name = old.shape, old.type, old.name
        graph = draft.model.graph
        graph.insert_before(self.matmul, nodes)
        old.replace_all_uses_with(output, replace_graph_outputs=True)
        graph.remove([node for node in (self.add, self.matmul) if node is not None], safe=True)


def products(draft: Draft) -> Iterator[Product]:
    """All products of a draft, in its order; the caller may replace each one it receives."""
    for node in list(draft.model.graph):
        weight = draft.recipe_of(node.inputs[1]) if node.op_type == "MatMul" else None
        if weight is not None and len(weight.shape) == 2:
            yield Product(weight.sources[0].removesuffix(".weight"), weight, node, _bias_of(draft, node))


def _bias_of(draft: Draft, matmul: ir.Node) -> ir.Node | None:
    uses = matmul.outputs[0].uses()
    if len(uses) != 1:
        return None
    add = next(iter(uses)).node
    is_bias = add.op_type == "Add" and any(
        (recipe := draft.recipe_of(value)) is not None and len(recipe.shape) == 1 for value in add.inputs
    )
    return add if is_bias else None
