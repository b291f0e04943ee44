"""The transformer's blocks as nodes of a graph for CUDA: attention fused, products in float16."""

import onnx_ir as ir
import torch
from torch import Tensor

from .cuda_layers import CudaLayers
from .cuda_modulations import GATE1, GATE2, SCALE1, SCALE2, SHIFT1, SHIFT2
from .cuda_weights import HALF
from .nodes import CONTRIB


class CudaBlocks(CudaLayers):
    """Appends a block to the graph at each call."""

    def block(
        self,
        layer: int,
        x: ir.Value,
        modulation: list[ir.Value],
        caption: tuple[ir.Value, ir.Value, ir.Value],
        grid: ir.Value | None,
    ) -> ir.Value:
        op, name = self.op, f"transformer_blocks.{layer}"
        scale = self.shape.compression_of(layer)
        normed = self.norm(x, modulation[SCALE1], modulation[SHIFT1])
        attended = self._attend(name, normed) if scale is None else self._attend_short(name, normed, scale, grid)
        out = self.half_linear(f"{name}.attn1.to_out.0", attended)
        x = op("Add", x, op("Mul", modulation[GATE1], out))
        x = op("Add", x, self.half_linear(f"{name}.attn2.to_out.0", self._attend_caption(name, x, *caption)))
        normed = self.norm(x, modulation[SCALE2], modulation[SHIFT2])
        inner = op("MatMul", normed, self.weights.half(f"{name}.ff.net.0.proj.weight"))
        inner = op("FastGelu", inner, self.weights.half(f"{name}.ff.net.0.proj.bias"), domain=CONTRIB)
        return op("Add", x, op("Mul", modulation[GATE2], self.half_linear(f"{name}.ff.net.2", inner)))

    def _attend(self, name: str, x: ir.Value) -> ir.Value:
        """Self-attention, its three products in one. `Attention` runs flash attention, and adds the bias for free."""
        parts = [f"{name}.attn1.{part}" for part in ("to_q", "to_k", "to_v")]
        weight = self.weights.beside([f"{part}.weight" for part in parts], axis=1)
        bias = self.weights.beside([f"{part}.bias" for part in parts], axis=0)
        return self.op("Attention", x, weight, bias, num_heads=self.shape.heads, domain=CONTRIB)

    def _attend_short(self, name: str, x: ir.Value, scale: int, grid: ir.Value) -> ir.Value:
        """Self-attention with compressed keys and values."""
        keys, values = self._compressed(name, x, scale, grid)
        query = self.half_linear(f"{name}.attn1.to_q", x)
        return self.op("MultiHeadAttention", query, keys, values, num_heads=self.shape.heads, domain=CONTRIB)

    def _compressed(self, block: str, x: ir.Value, scale: int, grid: ir.Value) -> list[ir.Value]:
        """Keys and values, which share a product, a convolution and a norm."""
        op, width, attention = self.op, self.shape.width, f"{block}.attn1"
        weight = self.weights.beside([f"{attention}.to_k.weight", f"{attention}.to_v.weight"], axis=1)
        long = op("MatMul", op("Reshape", x, grid), weight)
        kernel = self.weights.made(
            f"{block}.shorten",
            HALF,
            (2 * width, scale, scale, 1),
            [f"{attention}.sr.weight"],
            lambda w: w.permute(0, 2, 3, 1).repeat(2, 1, 1, 1),
        )
        bias = self.weights.made(
            f"{block}.shorten_bias",
            HALF,
            (2 * width,),
            [f"{attention}.{part}" for part in ("to_k.bias", "to_v.bias", "sr.weight", "sr.bias")],
            _shortened_bias,
        )
        short = op(
            "NhwcConv",
            long,
            kernel,
            bias,
            kernel_shape=[scale] * 2,
            strides=[scale] * 2,
            group=2 * width,
            domain=CONTRIB,
        )
        halves = op("Reshape", short, self.constant("halves", [0, -1, 2, width]))
        gain, shift = self.weights.half(f"{attention}.norm.weight"), self.weights.half(f"{attention}.norm.bias")
        normed = op("LayerNormalization", halves, gain, shift, axis=3, epsilon=1e-5)
        both = op("Reshape", normed, self.constant("both", [0, -1, 2 * width]))
        return op.split(both, axis=2, count=2)

    def _attend_caption(self, name: str, x: ir.Value, keys: ir.Value, values: ir.Value, spans: ir.Value) -> ir.Value:
        parts = [f"{name}.attn2.{part}.bias" for part in ("to_q", "to_k", "to_v")]
        query = self.op("MatMul", x, self.weights.half(f"{name}.attn2.to_q.weight"))
        bias = self.weights.beside(parts, axis=0)
        return self.op(
            "MultiHeadAttention", query, keys, values, bias, spans, num_heads=self.shape.heads, domain=CONTRIB
        )


def _shortened_bias(key: Tensor, value: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The biases of keys and values, moved past the convolution, which is linear and needs no padding."""
    share = kernel.sum((1, 2, 3))
    return torch.cat([key * share + bias, value * share + bias])
