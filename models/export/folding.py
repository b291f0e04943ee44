"""Moves operations on weights alone into their recipes: ONNX Runtime can map a weight that it need not change."""

from dataclasses import replace

import onnx_ir as ir

from .drafts import Draft
from .recipes import Recipe


def fold_weights(draft: Draft) -> None:
    """Folds each `Transpose` and `Reshape` of a weight; torch's exporter writes no other operation on weights alone."""
    for node in list(draft.model.graph):
        recipe = draft.recipe_of(node.inputs[0]) if node.inputs else None
        folded = recipe and _folded(node, recipe)
        if folded:
            _replace(draft, node, folded)


def _folded(node: ir.Node, recipe: Recipe) -> Recipe | None:
    if node.op_type == "Transpose":
        order = tuple(node.attributes["perm"].as_ints())
        shape = tuple(recipe.shape[axis] for axis in order)
        return recipe.then(lambda weight: weight.permute(order), shape=shape)
    if node.op_type == "Reshape" and ir.convenience.get_const_tensor(node.inputs[1]) is not None:
        shape = tuple(node.outputs[0].shape.numpy())
        return recipe.then(lambda weight: weight.reshape(shape), shape=shape)
    return None


def _replace(draft: Draft, node: ir.Node, folded: Recipe) -> None:
    weight, output = node.inputs[0], node.outputs[0]
    is_only_use = len(weight.uses()) == 1
    taken = folded.name if is_only_use else f"{folded.name}.{output.name}"
    if is_only_use:
        node.replace_input_with(0, None)
        draft.remove(weight)
    output.replace_all_uses_with(draft.add(replace(folded, name=taken)))
    draft.model.graph.remove(node, safe=True)
