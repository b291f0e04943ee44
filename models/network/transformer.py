"""The transformer of PixArt-Σ and PixArt-α, which `training` trains and `export` writes as graphs.

Parameters are named as in diffusers' `PixArtTransformer2DModel`, so its weights load by name. The differences let one
graph serve every size: the position embedding and the projected caption are inputs, the caption's mask stays an
integer, and the output is reduced to the latent channels. Reference: Chen et al., "PixArt-Σ", arXiv 2403.04692.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .attention import CrossAttention, SelfAttention
from .kv_compression import KvCompression

SINUSOIDS = 256
MODULATIONS = 6
NORM_EPSILON = 1e-6


@dataclass(frozen=True)
class TransformerShape:
    """The dimensions that determine a transformer's weights."""

    layers: int
    heads: int
    head_width: int
    patch: int
    latent_channels: int
    out_channels: int
    caption_width: int
    kv_compression: KvCompression | None = None
    pixels_per_latent: int | None = None
    """Pixels along a side, for a model that receives its image's size, like PixArt-α's at 1024 px; else None."""

    @property
    def width(self) -> int:
        return self.heads * self.head_width

    def compression_of(self, layer: int) -> int | None:
        """The factor by which a layer compresses its keys and values along each side; None if it does not."""
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


class NumberEmbedder(nn.Module):
    """Sinusoids of a number, such as the timestep, then a two-layer MLP."""

    def __init__(self, width: int):
        super().__init__()
        self.linear_1 = nn.Linear(SINUSOIDS, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, number: Tensor) -> Tensor:
        half = SINUSOIDS // 2
        exponent = torch.arange(half, dtype=torch.float32, device=number.device) / half
        angle = number[:, None] * torch.exp(-math.log(10000) * exponent)
        return self.linear_2(F.silu(self.linear_1(torch.cat([angle.cos(), angle.sin()], dim=1))))


class AdaLayerNormSingle(nn.Module):
    """One modulation for all blocks, from the timestep and, if the model receives it, the image's size (PixArt-α,
    section 2.3).
    """

    def __init__(self, width: int, is_told_sizes: bool):
        super().__init__()
        self.emb = nn.Module()
        self.emb.timestep_embedder = NumberEmbedder(width)
        if is_told_sizes:
            self.emb.resolution_embedder = NumberEmbedder(width // 3)
            self.emb.aspect_ratio_embedder = NumberEmbedder(width // 3)
        self.linear = nn.Linear(width, MODULATIONS * width)

    def forward(self, timestep: Tensor, size: Tensor | None) -> tuple[Tensor, Tensor]:
        """`size`: height and width in pixels [B, 2], for a model that receives them."""
        embedded = self.emb.timestep_embedder(timestep)
        if size is not None:
            sides = self.emb.resolution_embedder(size.flatten()).unflatten(0, (-1, 2)).flatten(1)
            aspect_ratio = self.emb.aspect_ratio_embedder(size[:, 0] / size[:, 1])
            embedded = embedded + torch.cat([sides, aspect_ratio], dim=1)
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
    """One denoising call; `caption_projection` is called once per image, in advance."""

    def __init__(self, shape: TransformerShape):
        super().__init__()
        self.shape = shape
        self.pos_embed = nn.Module()
        self.pos_embed.proj = nn.Conv2d(shape.latent_channels, shape.width, shape.patch, shape.patch)
        self.adaln_single = AdaLayerNormSingle(shape.width, shape.pixels_per_latent is not None)
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
        """Predicts the sampler's input.

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
        modulation, embedded = self.adaln_single(timestep, self._size(latents))
        for block in self.transformer_blocks:
            x = block(x, modulation, caption, caption_mask, grid)
        shift, scale = (self.scale_shift_table + embedded[:, None]).chunk(2, dim=1)
        return self._unpatch(self.proj_out(self.norm_out(x) * (1 + scale) + shift), grid)

    def _size(self, latents: Tensor) -> Tensor | None:
        """Height and width of the image in pixels [B, 2], computed in a way that a graph reproduces."""
        if self.shape.pixels_per_latent is None:
            return None
        ones = torch.ones_like(latents[:, 0])
        return torch.stack([ones[:, :, 0].sum(1), ones[:, 0].sum(1)], dim=1) * self.shape.pixels_per_latent

    def _unpatch(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        patch = self.shape.patch
        x = x.unflatten(2, (patch, patch, self.shape.out_channels))[..., : self.shape.latent_channels]
        x = x.unflatten(1, grid).permute(0, 5, 1, 3, 2, 4)
        return x.flatten(4, 5).flatten(2, 3)
