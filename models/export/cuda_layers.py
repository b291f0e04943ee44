"""Layers that the parts of the transformer share, as nodes of a graph for CUDA."""

import onnx_ir as ir

from network.transformer import NORM_EPSILON, TransformerShape

from .cuda_weights import CudaWeights
from .nodes import Nodes


class CudaLayers:
    """Appends layers to the graph, by the names of their parameters."""

    def __init__(self, shape: TransformerShape, weights: CudaWeights, op: Nodes):
        self.shape, self.weights, self.op = shape, weights, op
        self.constant = weights.constant

    def norm(self, x: ir.Value, scale: ir.Value, shift: ir.Value) -> ir.Value:
        return self.op("LayerNormalization", x, scale, shift, axis=2, epsilon=NORM_EPSILON)

    def half_linear(self, name: str, x: ir.Value) -> ir.Value:
        product = self.op("MatMul", x, self.weights.half(f"{name}.weight"))
        return self.op("Add", product, self.weights.half(f"{name}.bias"))

    def linear(self, name: str, x: ir.Value) -> ir.Value:
        """In float32, of [B, inputs]; such weights are stored as [outputs, inputs]."""
        return self.op("Gemm", x, self.weights.full(f"{name}.weight"), self.weights.full(f"{name}.bias"), transB=1)

    def silu(self, x: ir.Value) -> ir.Value:
        return self.op("Mul", x, self.op("Sigmoid", x))
