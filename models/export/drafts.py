"""Graphs without their weights: traced, rewritten, and only then written (writing.py).

A rewrite is a function of a `Draft` that changes its model and its recipes in place, such as `folding.fold_weights`. To
replace the weight of a node it adds a recipe, `draft.add(recipe)`, gives the node (or others in its place) the value
that it gets back, and ends with `draft.drop_unused()`.
"""

from dataclasses import dataclass, field

import onnx_ir as ir

from .recipes import Recipe


@dataclass
class Draft:
    """A graph whose large initializers have no numbers yet.

    Every initializer of `model` either has a recipe under its name, or is a constant that tracing found.
    """

    file: str
    model: ir.Model
    recipes: dict[str, Recipe] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    """By the module's name for a layer: the value that it puts out. Rewrites keep the names of these values."""

    def add(self, recipe: Recipe) -> ir.Value:
        """Adds an initializer. Raises `ValueError` where its name is taken."""
        if recipe.name in self.model.graph.initializers:
            raise ValueError(f"{self.file} has an initializer {recipe.name} already")
        shape, kind = ir.Shape(recipe.shape), ir.TensorType(recipe.dtype)
        value = ir.Value(name=recipe.name, shape=shape, type=kind, const_value=_without_numbers(recipe))
        self.model.graph.register_initializer(value)
        self.recipes[recipe.name] = recipe
        return value

    def recipe_of(self, value: ir.Value | None) -> Recipe | None:
        """The recipe of a node's input; None where that is no weight."""
        if value is None or not value.is_initializer():
            return None
        return self.recipes.get(value.name)

    def remove(self, value: ir.Value) -> None:
        """Removes a weight that no node uses any longer, so that its name is free."""
        del self.model.graph.initializers[value.name]
        del self.recipes[value.name]

    def drop_unused(self) -> None:
        """Removes every weight that no node uses."""
        for value in [value for value in self.model.graph.initializers.values() if not value.uses()]:
            if value.name in self.recipes:
                self.remove(value)

    @property
    def nbytes(self) -> int:
        """Bytes of all weights."""
        return sum(recipe.nbytes for recipe in self.recipes.values())


def _without_numbers(recipe: Recipe) -> ir.LazyTensor:
    def nothing() -> ir.TensorProtocol:
        raise RuntimeError(f"{recipe.name} has no numbers before it is written")

    return ir.LazyTensor(nothing, recipe.dtype, ir.Shape(recipe.shape), name=recipe.name)
