"""How the timestep, and the image's size, modulate the transformer's blocks, as nodes of a graph for CUDA.

It is computed in float32; the blocks receive float16.
"""

import math

import numpy as np
import onnx_ir as ir
import torch
from torch import Tensor

from network.transformer import MODULATIONS, SINUSOIDS

from .cuda_layers import CudaLayers
from .cuda_weights import FLOAT, HALF

SHIFT1, SCALE1, GATE1, SHIFT2, SCALE2, GATE2 = range(MODULATIONS)


class CudaModulations(CudaLayers):
    """Appends `AdaLayerNormSingle` to the graph."""

    def modulations(
        self, timestep: ir.Value, rows: ir.Value, columns: ir.Value
    ) -> tuple[list[list[ir.Value]], tuple[ir.Value, ir.Value]]:
        """For each block its six modulations [B, 1, C], and shift and scale of the output; scales have 1 added."""
        embedded = self._embed_number("adaln_single.emb.timestep_embedder", timestep)
        if self.shape.pixels_per_latent is not None:
            embedded = self.op("Add", embedded, self._embed_size(rows, columns))
        return self._of_blocks(embedded), self._of_output(embedded)

    def _of_blocks(self, embedded: ir.Value) -> list[list[ir.Value]]:
        op, shape = self.op, self.shape
        count = shape.layers * MODULATIONS
        linear = self.linear("adaln_single.linear", self.silu(embedded))
        table = self.weights.made(
            "scale_shift_tables",
            FLOAT,
            (1, shape.layers, MODULATIONS * shape.width),
            [f"transformer_blocks.{layer}.scale_shift_table" for layer in range(shape.layers)],
            lambda *each: _with_ones(torch.stack(each), [SCALE1, SCALE2]).flatten(1)[None],
        )
        sums = op("Add", op("Unsqueeze", linear, self.constant("one", [1])), table)
        rows = op("Reshape", sums, self.constant("modulations", [0, count, shape.width]))
        split = op.split(op("Cast", rows, to=HALF), axis=1, count=count)
        return [list(split[i : i + MODULATIONS]) for i in range(0, count, MODULATIONS)]

    def _of_output(self, embedded: ir.Value) -> tuple[ir.Value, ir.Value]:
        op, shape = self.op, self.shape
        table = self.weights.made(
            "scale_shift_table", FLOAT, (1, 2, shape.width), ["scale_shift_table"], lambda w: _with_ones(w, [1])[None]
        )
        sums = op("Add", op("Unsqueeze", embedded, self.constant("one", [1])), table)
        shift, scale = op.split(sums, axis=1, count=2)
        return shift, scale

    def _embed_number(self, name: str, number: ir.Value) -> ir.Value:
        """As `NumberEmbedder`, in float32: [B] to [B, width]."""
        op, half = self.op, SINUSOIDS // 2
        frequencies = np.exp(-math.log(10000) * np.arange(half, dtype=np.float32) / half)
        angle = op(
            "Mul",
            op("Unsqueeze", number, self.constant("one", [1])),
            self.constant("frequencies", frequencies, np.float32),
        )
        sinusoids = op("Concat", op("Cos", angle), op("Sin", angle), axis=1)
        return self.linear(f"{name}.linear_2", self.silu(self.linear(f"{name}.linear_1", sinusoids)))

    def _embed_size(self, rows: ir.Value, columns: ir.Value) -> ir.Value:
        """What the image's size adds to the timestep [1, C], for a model that receives it."""
        op, name = self.op, "adaln_single.emb"
        height, width = self._count(rows, 1), self._count(columns, 2)
        sides = self._embed_number(f"{name}.resolution_embedder", op("Concat", height, width, axis=0))
        sides = op("Reshape", sides, self.constant("row", [1, -1]))
        ratio = self._embed_number(f"{name}.aspect_ratio_embedder", op("Div", height, width))
        return op("Concat", sides, ratio, axis=1)

    def _count(self, positions: ir.Value, axis: int) -> ir.Value:
        """Pixels [1] along a side, by adding up those of each position: a shape would be read on the processor."""
        op, pixels = self.op, float(self.shape.patch * self.shape.pixels_per_latent)
        first = op("Gather", positions, self.constant("first", 0), axis=3)
        each = op(
            "Add",
            op("Mul", first, self.constant("nothing", 0, np.float32)),
            self.constant("pixels", pixels, np.float32),
        )
        return op("ReduceSum", op("Reshape", each, self.constant("flat", [-1])), self.constant("zero", [0]), keepdims=1)


def _with_ones(table: Tensor, scales: list[int]) -> Tensor:
    """A table of modulations [..., count, C] with 1 added to its scales, since norms multiply by 1 + scale."""
    table = table.clone()
    table[..., scales, :] += 1
    return table
