"""A transformer's matrix products in int8: u8 activations with a scale per call, s8 weights with a scale per output.

This is the only pair of types for which ONNX Runtime has fast kernels on every x64 processor (AMX, VNNI and AVX2), see
docs/decisions/101-quantised-networks.md.
"""

from collections.abc import Set

import onnx_ir as ir
import torch
from torch import Tensor

from .drafts import Draft
from .products import Product, products

CONTRIB = "com.microsoft"
LARGEST = 63
"""7 bits: processors without VNNI sum two products of u8 and s8 in 16 bits, which 2 · 255 · 127 would overflow."""

Quantised = tuple[ir.Value, ir.Value, ir.Value]
"""A tensor in u8, its scale and its zero point."""


def quantise_products(draft: Draft, coarse: Set[str], fine: Set[str]) -> None:
    """Replaces the products of the named layers by int8 ones; all others stay as they are.

    Args:
        draft: the graph of a transformer.
        coarse: layers whose input is quantised once.
        fine: layers whose input is quantised once, and the remainder again: 16 bits in two products.
            A few channels a hundred times as large as the others do not hurt them.
    """
    inputs = _Inputs(draft)
    for product in list(products(draft)):
        if product.layer in coarse or product.layer in fine:
            product.replace(draft, _in_int8(draft, product, inputs, is_fine=product.layer in fine))
    draft.drop_unused()


def scales_of(weight: Tensor) -> Tensor:
    """The scale [outputs] of each column of a weight [inputs, outputs]; 1 where a column is zero."""
    largest = weight.abs().amax(0) / LARGEST
    return torch.where(largest > 0, largest, 1.0)


def in_int8(weight: Tensor) -> Tensor:
    """The columns of a weight [inputs, outputs], as steps of their scales."""
    return (weight / scales_of(weight)).round().clamp(-LARGEST, LARGEST).to(torch.int8)


class _Inputs:
    """The products' inputs in u8; an input that several products share is quantised only once."""

    def __init__(self, draft: Draft):
        self._graph = draft.model.graph
        self._coarse: dict[ir.Value, Quantised] = {}
        self._left: dict[ir.Value, Quantised] = {}

    def coarse(self, value: ir.Value, before: ir.Node) -> Quantised:
        if value not in self._coarse:
            self._coarse[value] = self._quantise(value, before, value.name)
        return self._coarse[value]

    def left(self, value: ir.Value, before: ir.Node) -> Quantised:
        """The remainder of the value after `coarse`."""
        if value not in self._left:
            found = ir.node("DequantizeLinear", self.coarse(value, before))
            found.outputs[0].name = f"{value.name}.found"
            left = ir.node("Sub", [value, found.outputs[0]])
            left.outputs[0].name = f"{value.name}.left"
            self._graph.insert_before(before, [found, left])
            self._left[value] = self._quantise(left.outputs[0], before, left.outputs[0].name)
        return self._left[value]

    def _quantise(self, value: ir.Value, before: ir.Node, name: str) -> Quantised:
        node = ir.node("DynamicQuantizeLinear", [value], num_outputs=3)
        for output, part in zip(node.outputs, ("u8", "scale", "zero"), strict=True):
            output.name = f"{name}.{part}"
        self._graph.insert_before(before, node)
        return tuple(node.outputs)


def _in_int8(draft: Draft, product: Product, inputs: _Inputs, is_fine: bool) -> list[ir.Node]:
    weight, layer = product.weight, product.layer
    outputs = weight.shape[1]
    stored = (
        draft.add(weight.then(in_int8, name=f"{layer}.int8", dtype=ir.DataType.INT8)),
        draft.add(weight.then(scales_of, name=f"{layer}.scales", shape=(outputs,))),
        draft.add(
            weight.then(
                lambda w: torch.zeros(w.shape[1], dtype=torch.int8),
                name=f"{layer}.zeros",
                dtype=ir.DataType.INT8,
                shape=(outputs,),
            )
        ),
    )
    coarse = _multiply(inputs.coarse(product.input, product.matmul), stored, product.bias)
    if not is_fine:
        return [coarse]
    coarse.outputs[0].name = f"{layer}.coarse"
    fine = _multiply(inputs.left(product.input, product.matmul), stored, None)
    fine.outputs[0].name = f"{layer}.fine"
    return [coarse, fine, ir.node("Add", [coarse.outputs[0], fine.outputs[0]])]


def _multiply(input_: Quantised, weight: Quantised, bias: ir.Value | None) -> ir.Node:
    (a, a_scale, a_zero), (b, b_scale, b_zero) = input_, weight
    return ir.node("MatMulIntegerToFloat", [a, b, a_scale, b_scale, a_zero, b_zero, bias], domain=CONTRIB)
