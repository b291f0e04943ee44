"""A text encoder's matrix products in 8 or 4 bits: blocks of weights with one scale each, as in `MatMulNBits`."""

import math

import onnx_ir as ir
import torch
import torch.nn.functional as F
from torch import Tensor

from .drafts import Draft
from .nodes import CONTRIB
from .products import Product, products
from .text_encoder_part import COPY, EMBEDDING

BLOCK = 64
"""The number of inputs that share a scale."""

IN_FLOAT, IN_INT8 = 1, 4
"""The operator's `accuracy_level`: inputs in float32, or in int8 with one scale for each row and block."""


def quantise_in_blocks(draft: Draft, bits: int) -> None:
    """Stores the weights of all products in 8 or 4 bits, and the token table in float16.

    Rows of activations are quantised block by block too, so values as large as those of T5's `wo` (66,000) cost
    precision only in the 63 values beside them.
    """
    for product in list(products(draft)):
        product.replace(draft, _in_blocks(draft, product, bits))
    _halve_table(draft)
    draft.drop_unused()


def keep_inputs(draft: Draft) -> None:
    """Has products in blocks take their inputs in float32, as other devices' kernels do."""
    for node in draft.model.graph:
        if node.op_type == "MatMulNBits":
            node.attributes["accuracy_level"] = ir.AttrInt64("accuracy_level", IN_FLOAT)


def blocks_of(weight: Tensor, bits: int) -> tuple[Tensor, Tensor]:
    """A weight [inputs, outputs] as steps [outputs, blocks, BLOCK], and their scales [outputs, blocks].

    Steps are 0 … 2**bits − 1, and the middle one is zero. The weight of largest magnitude becomes step 0 whatever its
    sign, so that every step is used; if it is positive, the scale is negative.
    """
    half = 2 ** (bits - 1)
    padded = F.pad(weight.T, (0, -weight.shape[0] % BLOCK)).unflatten(1, (-1, BLOCK))
    largest = padded.gather(2, padded.abs().argmax(2, keepdim=True))
    scales = torch.where(largest == 0, 1.0, largest / -half)
    steps = (padded / scales).round().clamp(-half, half - 1) + half
    return steps.to(torch.uint8), scales.squeeze(2)


def pack(steps: Tensor, bits: int) -> Tensor:
    """Packs steps for `MatMulNBits`: two 4-bit numbers in each byte, the first in the lower half."""
    return steps if bits == 8 else steps[..., 0::2] | steps[..., 1::2] << 4


def _in_blocks(draft: Draft, product: Product, bits: int) -> list[ir.Node]:
    weight, layer = product.weight, product.layer
    inputs, outputs = weight.shape
    blocks = math.ceil(inputs / BLOCK)
    stored = draft.add(
        weight.then(
            lambda w: pack(blocks_of(w, bits)[0], bits),
            name=f"{layer}.int{bits}",
            dtype=ir.DataType.UINT8,
            shape=(outputs, blocks, BLOCK * bits // 8),
        )
    )
    scales = draft.add(weight.then(lambda w: blocks_of(w, bits)[1], name=f"{layer}.scales", shape=(outputs, blocks)))
    attributes = {"K": inputs, "N": outputs, "bits": bits, "block_size": BLOCK, "accuracy_level": IN_INT8}
    node = ir.node("MatMulNBits", [product.input, stored, scales, None, None, product.bias], attributes, domain=CONTRIB)
    return [node]


def _halve_table(draft: Draft) -> None:
    """Converts only the selected rows to float32; the table itself stays mapped and is read on use.

    `TextEncoderPart.check_values` has checked that float16 can hold it.
    """
    for node in list(draft.model.graph):
        table = draft.recipe_of(node.inputs[0]) if node.op_type == "Gather" else None
        if table is None or not table.sources[0].endswith((EMBEDDING, COPY)):
            continue
        half = draft.add(table.then(lambda w: w.half(), name=f"{table.name}.half", dtype=ir.DataType.FLOAT16))
        rows = ir.node("Gather", [half, node.inputs[1]], {"axis": 0})
        rows.outputs[0].name = f"{node.outputs[0].name}.half"
        cast = ir.node("Cast", [rows.outputs[0]], {"to": ir.DataType.FLOAT})
        cast.outputs[0].shape, cast.outputs[0].type = node.outputs[0].shape, node.outputs[0].type
        draft.model.graph.insert_before(node, [rows, cast])
        name = node.outputs[0].name
        node.outputs[0].replace_all_uses_with(cast.outputs[0])
        draft.model.graph.remove(node, safe=True)
        cast.outputs[0].name = name
