"""The autoencoder's decoder as a graph for CUDA: float16, channels last, latents to the bytes of a picture.

It computes what `VaeDecoder` computes of a picture in one piece, by norms that include their SiLU. Where float16 would
overflow, its last stages compute in float32.
"""

import numpy as np
import onnx_ir as ir
from diffusers.models.attention_processor import Attention
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

from .cuda_decoder_nodes import DecoderNodes, draft_decoder
from .cuda_weights import FLOAT
from .decoder import SharedGroupNorm, VaeDecoder
from .drafts import Draft
from .nodes import CONTRIB

NONE, SILU = 0, 1


def has_cuda_decoder(decoder: nn.Module) -> bool:
    """Whether the decoder can be drafted: the kernel of its norms reads two channels of a group at once."""
    norms = [module for module in decoder.modules() if isinstance(module, SharedGroupNorm)]
    return isinstance(decoder, VaeDecoder) and all(norm.weight.numel() // norm.groups % 2 == 0 for norm in norms)


def stages_of(decoder: VaeDecoder) -> int:
    """How many parts of the decoder may be computed in float32: the middle, each doubling, and the output."""
    return len(decoder.decoder.up_blocks) + 2


def cuda_decoder(decoder: VaeDecoder, stored: Draft, full_stages: int = 0) -> Draft:
    """Drafts the graph; `stored` is the draft for the CPU, and the last `full_stages` stages compute in float32."""
    return draft_decoder(
        decoder.decoder.conv_in.in_channels,
        lambda draft, latents: _Decoder(decoder, stored, draft, full_stages).decode(latents),
    )


class _Decoder(DecoderNodes):
    def __init__(self, module: VaeDecoder, stored: Draft, draft: Draft, full_stages: int):
        super().__init__(stored, draft, stages_of(module) - full_stages)
        self.module = module

    def decode(self, latents: ir.Value) -> tuple[ir.Value, ir.Value]:
        decoder = self.module.decoder
        x = self.op("Transpose", latents, perm=[0, 2, 3, 1])
        if isinstance(self.module.post_quant_conv, nn.Conv2d):
            x = self.conv("post_quant_conv", self.module.post_quant_conv, x)
        x = self.conv("decoder.conv_in", decoder.conv_in, self.begin(0, x))
        x = self._middle(x)
        for index, block in enumerate(decoder.up_blocks):
            x = self.begin(index + 1, x)
            name = f"decoder.up_blocks.{index}"
            for at, resnet in enumerate(block.resnets):
                x = self._resnet(f"{name}.resnets.{at}", resnet, x)
            for at, upsampler in enumerate(block.upsamplers or ()):
                x = self._double(f"{name}.upsamplers.{at}.conv", upsampler.conv, x)
        x = self.begin(stages_of(self.module) - 1, x)
        x = self._norm("decoder.conv_norm_out", decoder.conv_norm_out, x, SILU)
        return self.to_bytes(self.conv("decoder.conv_out", decoder.conv_out, x))

    def _middle(self, x: ir.Value) -> ir.Value:
        block, name = self.module.decoder.mid_block, "decoder.mid_block"
        x = self._resnet(f"{name}.resnets.0", block.resnets[0], x)
        for at, resnet in enumerate(list(block.resnets)[1:]):
            if block.attentions[at] is not None:
                x = self._attend(f"{name}.attentions.{at}", block.attentions[at], x)
            x = self._resnet(f"{name}.resnets.{at + 1}", resnet, x)
        return x

    def _resnet(self, name: str, resnet: ResnetBlock2D, x: ir.Value) -> ir.Value:
        inner = self.conv(f"{name}.conv1", resnet.conv1, self._norm(f"{name}.norm1", resnet.norm1, x, SILU))
        inner = self.conv(f"{name}.conv2", resnet.conv2, self._norm(f"{name}.norm2", resnet.norm2, inner, SILU))
        if resnet.conv_shortcut is not None:
            x = self.conv(f"{name}.conv_shortcut", resnet.conv_shortcut, x)
        return self.op("Add", x, inner)

    def _double(self, name: str, conv: nn.Module, x: ir.Value) -> ir.Value:
        """A map of twice the size, each element repeated, and the convolution behind it."""
        op, nothing = self.op, None
        scales = self.weights.constant("scales", [1, 2, 2, 1], np.float32)
        attributes = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        return self.conv(name, conv, op("Resize", x, nothing, scales, **attributes))

    def _attend(self, name: str, attention: Attention, x: ir.Value) -> ir.Value:
        op, parameter = self.op, self.parameter
        width = attention.to_q.in_features
        normed = self._norm(f"{name}.group_norm", attention.group_norm, x, NONE)
        tokens = op("Reshape", normed, self.weights.constant("tokens", [0, -1, width]))
        parts = [f"{name}.{part}" for part in ("to_q", "to_k", "to_v")]
        query, key, value = (op("MatMul", tokens, parameter(f"{part}.weight")) for part in parts)
        bias = op("Concat", *(parameter(f"{part}.bias") for part in parts), axis=0)
        attended = op("MultiHeadAttention", query, key, value, bias, num_heads=attention.heads, domain=CONTRIB)
        out = op("MatMul", attended, parameter(f"{name}.to_out.0.weight"))
        out = op("Add", out, parameter(f"{name}.to_out.0.bias"))
        return op("Add", x, op("Reshape", out, op("Shape", x)))

    def _norm(self, name: str, norm: SharedGroupNorm, x: ir.Value, activation: int) -> ir.Value:
        channels = norm.weight.numel()
        weight, bias = (
            self.weights.made(f"{name}.{part}", FLOAT, (channels,), [f"{name}.{part}"], lambda w: w.flatten())
            for part in ("weight", "bias")
        )
        attributes = {"groups": norm.groups, "epsilon": norm.eps, "activation": activation, "channels_last": 1}
        return self.op("GroupNorm", x, weight, bias, domain=CONTRIB, **attributes)
