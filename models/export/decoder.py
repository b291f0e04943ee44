"""The VAE decoder; its group norms can be given the statistics of a larger image than the one that they process."""

from collections import OrderedDict
from collections.abc import Iterator

import torch
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import Attention
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn

from network.attention import multi_head_attention

from .upsampling import UpsamplingConv


class Statistics:
    """Mean and variance of each group norm in a call, in the order in which they run: measured, and given."""

    def __init__(self):
        self.seen: list[Tensor] = []
        self._given: Iterator[Tensor] = iter(())

    def begin(self, given: Tensor, is_given: Tensor) -> None:
        """Begin a call; `given` [B, norms, 2, groups] replaces the measured values where `is_given` [1]."""
        self.seen.clear()
        self._given = iter(given.unbind(1))
        self._is_given = is_given

    def choose(self, seen: Tensor) -> Tensor:
        """Record what a norm measures, [B, 2, groups], and return the values that it should use."""
        self.seen.append(seen)
        return torch.where(self._is_given, next(self._given), seen)


class SharedGroupNorm(nn.Module):
    """A group norm over [B, C, …] that lets `statistics` choose its mean and variance."""

    def __init__(self, norm: nn.GroupNorm, statistics: Statistics):
        super().__init__()
        self.groups, self.eps, self.weight, self.bias = norm.num_groups, norm.eps, norm.weight, norm.bias
        self.statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        grouped = x.reshape(x.shape[0], self.groups, -1, x.shape[-1])
        # Row by row first: float32 loses digits in a sum as long as a group's whole map (docs/decisions/025).
        mean = grouped.mean(3).mean(2)
        # A norm, because squaring would make one more copy of the largest maps.
        rows = torch.linalg.vector_norm(grouped - mean[..., None, None], dim=3).square()
        variance = rows.mean(2) / x.shape[-1]
        mean, variance = self.statistics.choose(torch.stack([mean, variance], 1)).unbind(1)
        # One factor and one shift for each channel, so that a large map is traversed twice and not four times.
        factor = torch.rsqrt(variance + self.eps)[..., None] * self.weight.view(self.groups, -1)
        shift = self.bias.view(self.groups, -1) - mean[..., None] * factor
        each = (x.shape[0], x.shape[1], *[1] * (x.dim() - 2))
        return x * factor.reshape(each) + shift.reshape(each)


class VaeDecoder(nn.Module):
    """From latents, already divided by the scaling factor, to an image of −1 … 1 and the statistics of its group norms.

    `given_statistics` [B, norms, 2, groups] (mean, variance) are used instead of the decoder's own where `is_given` [1]
    is true: a tile decoded with the statistics of the whole image has the brightness that it has there. Replaces the
    norms and the upsampling of `vae`.
    """

    def __init__(self, vae: AutoencoderKL):
        super().__init__()
        self.post_quant_conv = vae.post_quant_conv if vae.post_quant_conv is not None else nn.Identity()
        self.decoder = vae.decoder
        # A decoder without attention holds None in its place.
        for attention in filter(None, self.decoder.mid_block.attentions):
            attention.set_processor(VaeAttention())
        self.statistics = Statistics()
        self.norms = _share_norms(self.decoder, self.statistics)
        for block in self.decoder.up_blocks:
            block.upsamplers = block.upsamplers and nn.ModuleList(map(_upsampling, block.upsamplers))

    def forward(self, latents: Tensor, given_statistics: Tensor, is_given: Tensor) -> tuple[Tensor, Tensor]:
        self.statistics.begin(given_statistics, is_given)
        image = self.decoder(self.post_quant_conv(latents))
        return image, torch.stack(self.statistics.seen, 1)


def _upsampling(layer: Upsample2D) -> nn.Module:
    """An equivalent of the layer; its weights keep their names."""
    return nn.Sequential(OrderedDict(conv=UpsamplingConv(layer.conv)))


def _share_norms(module: nn.Module, statistics: Statistics) -> int:
    """Replace all group norms inside a module and return how many there are."""
    count = 0
    for name, child in module.named_children():
        if isinstance(child, nn.GroupNorm):
            setattr(module, name, SharedGroupNorm(child, statistics))
            count += 1
        else:
            count += _share_norms(child, statistics)
    return count


class VaeAttention:
    """The decoder's only attention, with an operator that does not build the tokens × tokens matrix."""

    def __call__(self, attention: Attention, x: Tensor, temb: None = None, **_: object) -> Tensor:
        tokens = attention.group_norm(x.flatten(2)).mT
        attended = multi_head_attention(
            attention.to_q(tokens), attention.to_k(tokens), attention.to_v(tokens), attention.heads
        )
        return x + attention.to_out[0](attended).mT.unflatten(2, x.shape[2:])
