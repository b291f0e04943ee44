"""Quantises the inputs of int8 products while the graph runs: each only once, however many products read it."""

import onnx_ir as ir
import torch
from torch import Tensor

from .drafts import Draft
from .recipes import Recipe

Quantised = tuple[ir.Value, ir.Value, ir.Value]
"""A tensor in u8 or s8, its scale and its zero point."""


class Inputs:
    """Adds the nodes that quantise a draft's values, before the first node that needs them."""

    def __init__(self, draft: Draft):
        self._draft = draft
        self._quantised: dict[ir.Value, Quantised] = {}
        self._remainders: dict[ir.Value, Quantised] = {}
        self._parts: dict[ir.Value, tuple[Quantised, ir.Value]] = {}

    def quantised(self, value: ir.Value, before: ir.Node) -> Quantised:
        """The value in u8."""
        if value not in self._quantised:
            self._quantised[value] = self._quantise(value, before)
        return self._quantised[value]

    def remainder(self, value: ir.Value, before: ir.Node) -> Quantised:
        """What the value loses in `quantised`, in u8."""
        if value not in self._remainders:
            rounded = self._insert(before, f"{value.name}.found", "DequantizeLinear", self.quantised(value, before))
            left = self._insert(before, f"{value.name}.left", "Sub", [value, rounded])
            self._remainders[value] = self._quantise(left, before)
        return self._remainders[value]

    def parts(self, value: ir.Value, before: ir.Node, outliers: Tensor) -> tuple[Quantised, ir.Value]:
        """The value [..., channels] in u8 with zeros for its outlier channels [k], and these [..., k] in float32."""
        if value not in self._parts:
            keep = torch.ones(value.shape[-1]).index_fill(0, outliers, 0)
            keep, index = self._constant(f"{value.name}.keep", keep), self._constant(f"{value.name}.outliers", outliers)
            others = self._insert(before, f"{value.name}.others", "Mul", [value, keep])
            loud = self._insert(before, f"{value.name}.loud", "Gather", [value, index], axis=-1)
            self._parts[value] = self._quantise(others, before), loud
        return self._parts[value]

    def _quantise(self, value: ir.Value, before: ir.Node) -> Quantised:
        node = ir.node("DynamicQuantizeLinear", [value], num_outputs=3)
        for output, part in zip(node.outputs, ("u8", "scale", "zero"), strict=True):
            output.name = f"{value.name}.{part}"
        self._draft.model.graph.insert_before(before, node)
        return tuple(node.outputs)

    def _insert(self, before: ir.Node, name: str, kind: str, inputs: list[ir.Value], **attributes: int) -> ir.Value:
        node = ir.node(kind, inputs, attributes)
        node.outputs[0].name = name
        self._draft.model.graph.insert_before(before, node)
        return node.outputs[0]

    def _constant(self, name: str, tensor: Tensor) -> ir.Value:
        dtype = ir.DataType.INT64 if tensor.dtype == torch.int64 else ir.DataType.FLOAT
        return self._draft.add(Recipe(name, dtype, tuple(tensor.shape), (), lambda: tensor))
