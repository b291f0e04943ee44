"""What the graphs for CUDA of all decoders share: float16, channels last, latents to the bytes of a picture."""

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from torch import nn

from .cuda_weights import FLOAT, HALF, CudaWeights
from .drafts import Draft
from .graphs import IR_VERSION, OPSET
from .nodes import CONTRIB, Nodes

FILE = "vae_decoder.cuda.onnx"

Decode = Callable[[Draft, ir.Value], tuple[ir.Value, ir.Value]]


def draft_decoder(channels: int, decode: Decode) -> Draft:
    """Drafts a graph: `decode` adds the nodes that turn latents into what `DecoderNodes.to_bytes` returns."""
    shape = ir.Shape(["batch", channels, "height", "width"])
    latents = ir.Value(name="latents", shape=shape, type=ir.TensorType(FLOAT))
    graph = ir.Graph([latents], [], nodes=[], opset_imports={"": OPSET, CONTRIB: 1}, name="vae_decoder")
    draft = Draft(FILE, ir.Model(graph, ir_version=IR_VERSION))
    image, level = decode(draft, latents)
    image.name, image.dtype = "image", ir.DataType.UINT8
    image.shape = ir.Shape(["batch", "rows", "columns", 3])
    level.name, level.dtype, level.shape = "level", FLOAT, ir.Shape(["batch"])
    graph.outputs.extend([image, level])
    return draft


class DecoderNodes:
    """Nodes of a decoder whose first `half_stages` stages compute in float16, and the others in float32."""

    def __init__(self, stored: Draft, draft: Draft, half_stages: int):
        self.op = Nodes(draft.model.graph)
        self.weights = CudaWeights(stored, draft, self.op)
        self.half_stages = half_stages
        self.dtype = FLOAT

    def begin(self, stage: int, x: ir.Value) -> ir.Value:
        """`x` in the type that the stage computes in, if it is not that of the one before."""
        dtype = HALF if stage < self.half_stages else FLOAT
        if dtype == self.dtype:
            return x
        self.dtype = dtype
        return self.op("Cast", x, to=dtype)

    def parameter(self, name: str) -> ir.Value:
        """A parameter in the type of the stage."""
        return self.weights.half(name) if self.dtype == HALF else self.weights.full(name)

    def conv(self, name: str, conv: nn.Conv2d, x: ir.Value, *, is_turned: bool = False) -> ir.Value:
        """A convolution of a map [B, rows, columns, C], or [B, columns, rows, C] if that is turned."""
        return self.convolve(x, self.parameter(f"{name}.weight"), self.parameter(f"{name}.bias"), conv, is_turned)

    def convolve(
        self, x: ir.Value, weight: ir.Value, bias: ir.Value, conv: nn.Conv2d, is_turned: bool = False
    ) -> ir.Value:
        """The same with other weights of the shape of `conv`'s."""
        side = conv.weight.shape[-1]
        weight = self.op("Transpose", weight, perm=[0, 3, 2, 1] if is_turned else [0, 2, 3, 1])
        attributes = {"kernel_shape": [side, side], "pads": [side // 2] * 4, "strides": [1, 1]}
        return self.op("NhwcConv", x, weight, bias, domain=CONTRIB, **attributes)

    def to_bytes(self, x: ir.Value) -> tuple[ir.Value, ir.Value]:
        """The picture's bytes [B, H, W, 3], and the mean of its numbers, which is finite only where all of them are."""
        op = self.op
        full = x if self.dtype == FLOAT else op("Cast", x, to=FLOAT)
        level = op("ReduceMean", full, self.weights.constant("all_but_batch", [1, 2, 3]), keepdims=0)
        half = self.weights.constant("half_range", 127.5, np.float32)
        bounds = (self.weights.constant(name, value, np.float32) for name, value in (("black", 0), ("white", 255)))
        clipped = op("Clip", op("Add", op("Mul", full, half), half), *bounds)
        return op("Cast", op("Round", clipped), to=ir.DataType.UINT8), level
