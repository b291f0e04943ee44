"""`ShuffleDecoder` as a graph for CUDA: float16, channels last, latents to the bytes of a picture.

Channels become pixels without arithmetic on shapes, which ONNX Runtime would leave to the processor: a `Reshape` can
infer one side of a map and not two, so each level doubles the last axis, has the two change places, and doubles the
other. Every other level therefore sees the picture turned, rows for columns, and so do its kernels.
"""

import onnx_ir as ir
from torch import Tensor, nn

from network.shuffle_decoder import ShuffleDecoder

from .cuda_decoder_nodes import DecoderNodes, draft_decoder
from .drafts import Draft


def cuda_shuffle_decoder(decoder: ShuffleDecoder, stored: Draft, full_stages: int = 0) -> Draft:
    """Drafts the graph; `stored` is the draft for the CPU, and the last `full_stages` levels compute in float32."""
    return draft_decoder(
        decoder.shape.latent_channels,
        lambda draft, latents: _Decoder(decoder, stored, draft, full_stages).decode(latents),
    )


class _Decoder(DecoderNodes):
    def __init__(self, module: ShuffleDecoder, stored: Draft, draft: Draft, full_stages: int):
        super().__init__(stored, draft, len(module.levels) - full_stages)
        self.module = module

    def decode(self, latents: ir.Value) -> tuple[ir.Value, ir.Value]:
        module = self.module
        # So that it stands upright after the last level.
        is_turned = len(module.levels) % 2 == 1
        x = self.op("Transpose", latents, perm=[0, 3, 2, 1] if is_turned else [0, 2, 3, 1])
        x = self.conv("conv_in", module.conv_in, self.begin(0, x), is_turned=is_turned)
        ups = [(f"ups.{at}", up) for at, up in enumerate(module.ups)] + [("conv_out", module.conv_out)]
        for stage, (level, (name, up)) in enumerate(zip(module.levels, ups, strict=True)):
            x = self.begin(stage, x)
            for at, block in enumerate(level):
                x = self._residual(f"levels.{stage}.{at}", block, x, is_turned)
            x = self._double(name, up, x, is_turned)
            is_turned = not is_turned
        return self.to_bytes(x)

    def _residual(self, name: str, block: nn.Module, x: ir.Value, is_turned: bool) -> ir.Value:
        inner = self.op("Relu", self.conv(f"{name}.conv1", block.conv1, x, is_turned=is_turned))
        return self.op("Add", x, self.conv(f"{name}.conv2", block.conv2, inner, is_turned=is_turned))

    def _double(self, name: str, conv: nn.Conv2d, x: ir.Value, is_turned: bool) -> ir.Value:
        """A map of twice the size and turned, [B, b, a, C] from [B, a, b, 4C]."""
        op, constant, width = self.op, self.weights.constant, conv.out_channels // 4
        weight, bias = (
            self.weights.made(
                f"{name}.{part}",
                self.dtype,
                tuple(getattr(conv, part).shape),
                [f"{name}.{part}"],
                lambda parameter: _last_axis_first(parameter, is_turned),
            )
            for part in ("weight", "bias")
        )
        wide = self.convolve(x, weight, bias, conv, is_turned)
        long = op("Reshape", wide, constant(f"{name}.long", [0, 0, -1, 2, width]))
        turned = op("Transpose", long, perm=[0, 2, 1, 3, 4])
        return op("Reshape", turned, constant(f"{name}.both", [0, 0, -1, width]))


def _last_axis_first(parameter: Tensor, is_turned: bool) -> Tensor:
    """Outputs as they lie in memory, in place of torch's (channel, row, column): which of two pixels along the map's
    last axis, which along the other, and the channel."""
    pixels = parameter.unflatten(0, (-1, 2, 2))
    channel, row, column = 0, 1, 2
    first, second = (row, column) if is_turned else (column, row)
    return pixels.permute(first, second, channel, *range(3, pixels.dim())).flatten(0, 2)
