"""The PixArt-Σ transformer, which `training` trains and `export` writes as graphs.

Parameters are named as in diffusers' `PixArtTransformer2DModel`, so its weights load by name. It differs in what a
graph for every size needs: the position embedding and the projected caption are inputs, the caption's mask keeps its
integer form, and the output is cut to the latent channels. Reference: Chen et al., "PixArt-Σ", arXiv 2403.04692.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import CrossAttention, SelfAttention
from .kv_compression import KvCompression

TIMESTEP_CHANNELS = 256
MODULATIONS = 6
NORM_EPSILON = 1e-6


@dataclass(frozen=True)
class TransformerShape:
    """The dimensions that decide a transformer's weights."""

    layers: int
    heads: int
    head_width: int
    patch: int
    latent_channels: int
    out_channels: int
    caption_width: int
    kv_compression: KvCompression | None = None

    @property
    def width(self) -> int:
        return self.heads * self.head_width

    def compression_of(self, layer: int) -> int | None:
        """By how much a layer shortens its keys and values along each side; None where it does not."""
        compression = self.kv_compression
        return compression.scale if compression and layer in compression.layers else None


class GeluProjection(nn.Module):
    """Linear, then tanh-GELU."""

    def __init__(self, width: int, inner: int):
        super().__init__()
        self.proj = nn.Linear(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    """The block's MLP, four times as wide inside."""

    def __init__(self, width: int):
        super().__init__()
        inner = 4 * width
        self.net = nn.Sequential(GeluProjection(width, inner), nn.Identity(), nn.Linear(inner, width))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Block(nn.Module):
    """Self-attention, cross-attention and MLP; the timestep shifts, scales and gates the first and the last."""

    def __init__(self, shape: TransformerShape, scale: int | None):
        super().__init__()
        width = shape.width
        self.scale_shift_table = nn.Parameter(torch.zeros(MODULATIONS, width))
        self.norm = nn.LayerNorm(width, eps=NORM_EPSILON, elementwise_affine=False)
        self.attn1 = SelfAttention(width, shape.heads, scale)
        self.attn2 = CrossAttention(width, shape.heads)
        self.ff = FeedForward(width)

    def forward(self, x: Tensor, modulation: Tensor, caption: Tensor, mask: Tensor, grid: tuple[int, int]) -> Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.scale_shift_table + modulation).chunk(MODULATIONS, dim=1)
        x = x + gate1 * self.attn1(self.norm(x) * (1 + scale1) + shift1, grid)
        x = x + self.attn2(x, caption, mask)
        return x + gate2 * self.ff(self.norm(x) * (1 + scale2) + shift2)


class TimestepEmbedder(nn.Module):
    """Sinusoids of the timestep, then a two-layer MLP."""

    def __init__(self, width: int):
        super().__init__()
        self.linear_1 = nn.Linear(TIMESTEP_CHANNELS, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, timestep: Tensor) -> Tensor:
        half = TIMESTEP_CHANNELS // 2
        exponent = torch.arange(half, dtype=torch.float32, device=timestep.device) / half
        angle = timestep[:, None] * torch.exp(-math.log(10000) * exponent)
        return self.linear_2(F.silu(self.linear_1(torch.cat([angle.cos(), angle.sin()], dim=1))))


class AdaLayerNormSingle(nn.Module):
    """One modulation of all blocks from the timestep (PixArt-α, section 2.3)."""

    def __init__(self, width: int):
        super().__init__()
        self.emb = nn.Module()
        self.emb.timestep_embedder = TimestepEmbedder(width)
        self.linear = nn.Linear(width, MODULATIONS * width)

    def forward(self, timestep: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.emb.timestep_embedder(timestep)
        return self.linear(F.silu(embedded)).unflatten(1, (MODULATIONS, -1)), embedded


class CaptionProjection(nn.Module):
    """Text states [B, T, D] to the transformer's width [B, T, C]."""

    def __init__(self, caption_width: int, width: int):
        super().__init__()
        self.linear_1 = nn.Linear(caption_width, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, text_states: Tensor) -> Tensor:
        return self.linear_2(F.gelu(self.linear_1(text_states), approximate="tanh"))


class PixArtTransformer(nn.Module):
    """One denoising call; `caption_projection` is called beforehand, once a picture."""

    def __init__(self, shape: TransformerShape):
        super().__init__()
        self.shape = shape
        self.pos_embed = nn.Module()
        self.pos_embed.proj = nn.Conv2d(shape.latent_channels, shape.width, shape.patch, shape.patch)
        self.adaln_single = AdaLayerNormSingle(shape.width)
        self.caption_projection = CaptionProjection(shape.caption_width, shape.width)
        self.transformer_blocks = nn.ModuleList(
            Block(shape, shape.compression_of(layer)) for layer in range(shape.layers)
        )
        self.norm_out = nn.LayerNorm(shape.width, eps=NORM_EPSILON, elementwise_affine=False)
        self.scale_shift_table = nn.Parameter(torch.zeros(2, shape.width))
        self.proj_out = nn.Linear(shape.width, shape.patch**2 * shape.out_channels)

    def forward(
        self,
        latents: Tensor,
        timestep: Tensor,
        position_embedding: Tensor,
        caption: Tensor,
        caption_mask: Tensor,
    ) -> Tensor:
        """Predicts what the sampler needs.

        Args:
            latents: [B, 4, h, w], h and w multiples of the patch.
            timestep: [B], float, 0 … 999.
            position_embedding: [1, N, C] for the N = (h / patch) · (w / patch) image tokens.
            caption: [B, T, C], the output of `caption_projection`.
            caption_mask: [B, T], 1 for a caption token and 0 for padding.

        Returns:
            [B, 4, h, w].
        """
        patches = self.pos_embed.proj(latents)
        grid = (patches.shape[2], patches.shape[3])
        x = patches.flatten(2).mT + position_embedding
        modulation, embedded = self.adaln_single(timestep)
        for block in self.transformer_blocks:
            x = block(x, modulation, caption, caption_mask, grid)
        shift, scale = (self.scale_shift_table + embedded[:, None]).chunk(2, dim=1)
        return self._unpatch(self.proj_out(self.norm_out(x) * (1 + scale) + shift), grid)

    def _unpatch(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        patch = self.shape.patch
        x = x.unflatten(2, (patch, patch, self.shape.out_channels))[..., : self.shape.latent_channels]
        x = x.unflatten(1, grid).permute(0, 5, 1, 3, 2, 4)
        return x.flatten(4, 5).flatten(2, 3)
