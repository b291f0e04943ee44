"""Weights stored in two bytes each: a Cast converts them to float32, in which everything is computed."""

import onnx_ir as ir
import torch

from .drafts import Draft

HALF_MIN_ELEMENTS = 256
"""Smaller weights (biases of narrow layers, constants) are not worth a Cast."""

LARGEST_HALF = 65504.0

TYPES = {
    "fp16": (ir.DataType.FLOAT16, torch.float16),
    "bf16": (ir.DataType.BFLOAT16, torch.bfloat16),
}


def halve_weights(draft: Draft, kind: str) -> None:
    """Stores the weights that are still float32 as "fp16" or "bf16"."""
    stored_as, computed_as = TYPES[kind]
    for value in list(draft.model.graph.initializers.values()):
        recipe = draft.recipe_of(value)
        if recipe is None or recipe.dtype != ir.DataType.FLOAT or recipe.elements < HALF_MIN_ELEMENTS:
            continue
        stored = draft.add(recipe.then(lambda w: w.to(computed_as), name=f"{recipe.name}.{kind}", dtype=stored_as))
        cast = ir.node("Cast", [stored], {"to": ir.DataType.FLOAT}, name=f"{recipe.name}.cast")
        cast.outputs[0].name = f"{recipe.name}.float"
        cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
        value.replace_all_uses_with(cast.outputs[0])
        draft.model.graph.insert_before(draft.model.graph[0], cast)
        draft.remove(value)
