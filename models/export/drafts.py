"""Graphs without their weights: traced, rewritten, and only then written (writing.py).

A rewrite is a function of a `Draft` that changes its model and its recipes in place, such as `folding.fold_weights`. To
replace a node's weight it adds a recipe with `draft.add(recipe)`, gives the node (or its replacements) the returned
value, and finally calls `draft.drop_unused()`.
"""

from dataclasses import dataclass, field

import onnx_ir as ir

from .recipes import Recipe


@dataclass
class Draft:
    """A graph whose large initializers have no values yet.

    Every initializer of `model` either has a recipe under its name, or is a constant from the trace.
    """

    file: str
    model: ir.Model
    recipes: dict[str, Recipe] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    """The output value of each layer, by the module's name for the layer. Rewrites keep the names of these values."""

    def add(self, recipe: Recipe) -> ir.Value:
        """Adds an initializer. Raises `ValueError` if its name is taken."""
        if recipe.name in self.model.graph.initializers:
            raise ValueError(f"{self.file} already has an initializer {recipe.name}")
        shape, kind = ir.Shape(recipe.shape), ir.TensorType(recipe.dtype)
        value = ir.Value(name=recipe.name, shape=shape, type=kind, const_value=_without_numbers(recipe))
        self.model.graph.register_initializer(value)
        self.recipes[recipe.name] = recipe
        return value

    def recipe_of(self, value: ir.Value | None) -> Recipe | None:
        """The recipe of a node's input; None if that is no weight."""
        if value is None or not value.is_initializer():
            return None
        return self.recipes.get(value.name)

    def remove(self, value: ir.Value) -> None:
        """Removes a weight that no node uses any more, which frees its name."""
        del self.model.graph.initializers[value.name]
        del self.recipes[value.name]

    def drop_unused(self) -> None:
        """Removes every weight that no node uses."""
        for value in [value for value in self.model.graph.initializers.values() if not value.uses()]:
            if value.name in self.recipes:
                self.remove(value)

    @property
    def nbytes(self) -> int:
        """The size of all weights in bytes."""
        return sum(recipe.nbytes for recipe in self.recipes.values())


def _without_numbers(recipe: Recipe) -> ir.LazyTensor:
    def nothing() -> ir.TensorProtocol:
        raise RuntimeError(f"{recipe.name} has no values before it is written")

    return ir.LazyTensor(nothing, recipe.dtype, ir.Shape(recipe.shape), name=recipe.name)
