"""A transformer's matrix products in int8: u8 activations with a scale per call, s8 weights with a scale per output.

This is the only pair of types for which ONNX Runtime has fast kernels on every x64 processor (AMX, VNNI and AVX2), see
docs/decisions/101-quantised-networks.md.
"""

from collections.abc import Mapping, Set
from functools import partial

import onnx_ir as ir
import torch
from torch import Tensor

from .drafts import Draft
from .int8_inputs import Inputs, Quantised
from .nodes import CONTRIB
from .products import Product, products
from .recipes import Recipe

LARGEST = 63
"""7 bits: processors without VNNI sum two products of u8 and s8 in 16 bits, which 2 · 255 · 127 would overflow."""


def quantise_products(draft: Draft, once: Set[str], twice: Set[str], split: Mapping[str, Tensor]) -> None:
    """Replaces the products of the named layers by int8 ones, and leaves all others as they are.

    Channels far larger than the others would take most of the 256 steps of an input's scale. There are two ways around
    it:

    Args:
        draft: the graph of a transformer.
        once: layers whose input is quantised once.
        twice: layers whose input is quantised, and then what that has lost: 16 bits in two products. This needs to know
            nothing about the input, but costs a second product.
        split: the outlier channels of each layer [k]. Their part of the product stays in float32, and only the rest of
            the input is quantised (Dettmers et al., "LLM.int8()", arXiv 2208.07339). Layers that share an input need
            the same channels.
    """
    inputs = Inputs(draft)
    for product in list(products(draft)):
        layer = product.layer
        if layer in split:
            product.replace(draft, _in_parts(draft, product, inputs, split[layer]))
        elif layer in twice:
            product.replace(draft, _in_two(draft, product, inputs))
        elif layer in once:
            stored = _stored(draft, product, product.weight)
            product.replace(draft, [_multiply(inputs.quantised(product.input, product.matmul), stored, product.bias)])
    draft.drop_unused()


def scales_of(weight: Tensor) -> Tensor:
    """The scale [outputs] of each column of a weight [inputs, outputs]; 1 where a column is zero."""
    largest = weight.abs().amax(0) / LARGEST
    return torch.where(largest > 0, largest, 1.0)


def in_int8(weight: Tensor) -> Tensor:
    """The columns of a weight [inputs, outputs], as steps of their scales."""
    return (weight / scales_of(weight)).round().clamp(-LARGEST, LARGEST).to(torch.int8)


def _in_two(draft: Draft, product: Product, inputs: Inputs) -> list[ir.Node]:
    stored = _stored(draft, product, product.weight)
    coarse = _multiply(inputs.quantised(product.input, product.matmul), stored, product.bias)
    fine = _multiply(inputs.remainder(product.input, product.matmul), stored, None)
    return _sum(product.layer, coarse, fine)


def _in_parts(draft: Draft, product: Product, inputs: Inputs, outliers: Tensor) -> list[ir.Node]:
    others, loud = inputs.parts(product.input, product.matmul, outliers)
    stored = _stored(draft, product, product.weight.then(partial(_without, outliers)))
    coarse = _multiply(others, stored, product.bias)
    shape = (len(outliers), product.weight.shape[1])
    rows = product.weight.then(lambda weight: weight[outliers], name=f"{product.layer}.outliers", shape=shape)
    return _sum(product.layer, coarse, ir.node("MatMul", [loud, draft.add(rows)]))


def _without(rows: Tensor, weight: Tensor) -> Tensor:
    """The weight with zeros in these rows, so that they do not widen the scales of the others."""
    return weight.index_fill(0, rows, 0)


def _sum(layer: str, most: ir.Node, rest: ir.Node) -> list[ir.Node]:
    most.outputs[0].name, rest.outputs[0].name = f"{layer}.most", f"{layer}.rest"
    return [most, rest, ir.node("Add", [most.outputs[0], rest.outputs[0]])]


def _stored(draft: Draft, product: Product, weight: Recipe) -> Quantised:
    layer, outputs = product.layer, weight.shape[1]
    zeros = weight.then(
        lambda w: torch.zeros(w.shape[1], dtype=torch.int8),
        name=f"{layer}.zeros",
        dtype=ir.DataType.INT8,
        shape=(outputs,),
    )
    return (
        draft.add(weight.then(in_int8, name=f"{layer}.int8", dtype=ir.DataType.INT8)),
        draft.add(weight.then(scales_of, name=f"{layer}.scales", shape=(outputs,))),
        draft.add(zeros),
    )


def _multiply(input_: Quantised, weight: Quantised, bias: ir.Value | None) -> ir.Node:
    (a, a_scale, a_zero), (b, b_scale, b_zero) = input_, weight
    return ir.node("MatMulIntegerToFloat", [a, b, a_scale, b_scale, a_zero, b_zero, bias], domain=CONTRIB)
