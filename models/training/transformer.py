"""PixArt-Σ's transformer, compact and fast to train; parameters are named as in diffusers' class."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from diffusers import PixArtTransformer2DModel
from diffusers.models.embeddings import get_2d_sincos_pos_embed
from torch import nn

from training.attention import Attention, CompressedSelfAttention, SelfAttention


@dataclass(frozen=True)
class Shape:
    """The transformer's dimensions; `base` is the latent side at which the interpolation scale is 1.

    The layers in `compressed_layers` shorten their keys and values by `compression` along each side.
    """

    layers: int = 8
    heads: int = 6
    head_width: int = 32
    channels: int = 4
    patch: int = 2
    caption_width: int = 192
    base: int = 32
    compressed_layers: tuple[int, ...] = ()
    compression: int = 2

    @property
    def width(self) -> int:
        return self.heads * self.head_width


class TanhGelu(nn.Module):
    """The MLP's first half; named as in diffusers (`ff.net.0.proj`)."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.proj = nn.Linear(width, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.gelu(self.proj(x), approximate="tanh")


class FeedForward(nn.Module):
    """The block's MLP, four times as wide inside."""

    def __init__(self, width: int):
        super().__init__()
        self.net = nn.ModuleList([TanhGelu(width, 4 * width), nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.net[2](self.net[0](x))


class Block(nn.Module):
    """One block: modulated self-attention, plain cross-attention, modulated MLP."""

    def __init__(self, width: int, heads: int, compression: int | None):
        super().__init__()
        self.scale_shift_table = nn.Parameter(torch.zeros(6, width))
        self.attn1 = CompressedSelfAttention(width, heads, compression) if compression else SelfAttention(width, heads)
        self.attn2 = Attention(width, heads)
        self.ff = FeedForward(width)

    def forward(
        self,
        x: torch.Tensor,
        caption: torch.Tensor,
        mask: torch.Tensor,
        modulation: torch.Tensor,
        grid: tuple[int, int],
    ) -> torch.Tensor:
        shift1, scale1, gate1, shift2, scale2, gate2 = (self.scale_shift_table + modulation).unsqueeze(2).unbind(1)
        x = x + gate1 * self.attn1(modulate(x, shift1, scale1), grid)
        x = x + self.attn2(x, caption, mask)
        return x + gate2 * self.ff(modulate(x, shift2, scale2))


def modulate(x: torch.Tensor, shift: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Layer norm without weights, then the timestep's scale and shift."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class Perceptron(nn.Module):
    """Two linear layers with an activation between; names as in diffusers."""

    def __init__(self, inside: int, outside: int, activation: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(inside, outside), nn.Linear(outside, outside)
        self.activation = activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear_2(self.activation(self.linear_1(x)))


class Holder(nn.Module):
    """A named group of modules, so that parameter names equal those of diffusers."""

    def __init__(self, **modules: nn.Module):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class Transformer(nn.Module):
    """Predicts v for noisy latents [B, 4, h, w] at timesteps [B], given caption states [B, T, D] and mask [B, T]."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape, width = shape, shape.width
        self.pos_embed = Holder(proj=nn.Conv2d(shape.channels, width, shape.patch, shape.patch))
        self.adaln_single = Holder(
            emb=Holder(timestep_embedder=Perceptron(256, width, F.silu)), linear=nn.Linear(width, 6 * width)
        )
        self.caption_projection = Perceptron(shape.caption_width, width, lambda x: F.gelu(x, approximate="tanh"))
        self.transformer_blocks = nn.ModuleList(
            Block(width, shape.heads, shape.compression if layer in shape.compressed_layers else None)
            for layer in range(shape.layers)
        )
        self.scale_shift_table = nn.Parameter(torch.zeros(2, width))
        self.proj_out = nn.Linear(width, shape.patch**2 * shape.channels)
        self.positions: dict[tuple[int, int, int], torch.Tensor] = {}
        self._initialise()

    def _initialise(self) -> None:
        """Xavier for matrices; zero for what adds to the residual stream, so that every block starts as identity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.pos_embed.proj.weight.view(self.shape.width, -1))
        nn.init.normal_(self.adaln_single.linear.weight, std=0.02)
        nn.init.zeros_(self.proj_out.weight)
        for block in self.transformer_blocks:
            nn.init.zeros_(block.attn1.to_out[0].weight)
            nn.init.zeros_(block.attn2.to_out[0].weight)
            nn.init.zeros_(block.ff.net[2].weight)
            with torch.no_grad():
                block.scale_shift_table[2].fill_(1)
                block.scale_shift_table[5].fill_(1)

    def forward(
        self,
        latents: torch.Tensor,
        timestep: torch.Tensor,
        caption: torch.Tensor,
        caption_mask: torch.Tensor,
        *,
        base_side: int,
    ) -> torch.Tensor:
        """`base_side`: the latent side of this picture's size (16 at 128 px, 32 at 256 px), for its positions."""
        _, _, height, width = latents.shape
        x = self.pos_embed.proj(latents).flatten(2).transpose(1, 2) + self.position_embedding(height, width, base_side)
        embedded = self.adaln_single.emb.timestep_embedder(timestep_features(timestep))
        modulation = self.adaln_single.linear(F.silu(embedded)).view(-1, 6, self.shape.width)
        caption = self.caption_projection(caption)
        mask = (caption_mask == 0)[:, None, None].to(x.dtype) * -10_000.0
        grid = (height // self.shape.patch, width // self.shape.patch)
        for block in self.transformer_blocks:
            x = block(x, caption, mask, modulation, grid)
        shift, scale = (self.scale_shift_table + embedded[:, None]).unsqueeze(2).unbind(1)
        return self._unpatch(self.proj_out(modulate(x, shift, scale)), height, width)

    def position_embedding(self, height: int, width: int, base_side: int) -> torch.Tensor:
        """Sine-cosine positions that span the same range at every size (PixArt-Σ, section 3.3) [1, N, C]."""
        key = (height, width, base_side)
        if key not in self.positions:
            patch = self.shape.patch
            table = get_2d_sincos_pos_embed(
                self.shape.width,
                (height // patch, width // patch),
                base_size=base_side // patch,
                interpolation_scale=base_side / self.shape.base,
                output_type="pt",
            )
            self.positions[key] = table.float()[None].to(self.scale_shift_table.device)
        return self.positions[key]

    def _unpatch(self, x: torch.Tensor, height: int, width: int) -> torch.Tensor:
        patch, channels = self.shape.patch, self.shape.channels
        x = x.view(-1, height // patch, width // patch, patch, patch, channels)
        return x.permute(0, 5, 1, 3, 2, 4).reshape(-1, channels, height, width)


def timestep_features(timestep: torch.Tensor) -> torch.Tensor:
    """256 cosines and sines of the timestep (diffusers' `Timesteps`, flipped, no frequency shift)."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(128, dtype=torch.float32, device=timestep.device) / 128)
    angles = timestep.float()[:, None] * frequencies
    return torch.cat([angles.cos(), angles.sin()], 1)


def compress(model: Transformer, layers: tuple[int, ...]) -> Transformer:
    """Return the same model with keys and values of `layers` shortened by fresh, averaging convolutions."""
    compressed = Transformer(replace(model.shape, compressed_layers=layers))
    missing, _ = compressed.load_state_dict(model.state_dict(), strict=False)
    if not all(".attn1.sr." in name or ".attn1.norm." in name for name in missing):
        raise ValueError(f"the model to compress lacks {missing}")
    return compressed


def from_weights(weights: dict[str, torch.Tensor]) -> Transformer:
    """Return the model that has these weights, which say what layers are compressed."""
    layers = range(Shape().layers)
    compressed = tuple(i for i in layers if f"transformer_blocks.{i}.attn1.sr.weight" in weights)
    model = Transformer(Shape(compressed_layers=compressed))
    model.load_state_dict(weights)
    return model


def to_diffusers(model: Transformer, base_side: int) -> PixArtTransformer2DModel:
    """Return diffusers' model with the same weights, set to the positions of one size.

    Its class has no place for the weights of compressed layers; `training.huggingface` adds them to the folder.
    """
    shape = model.shape
    other = PixArtTransformer2DModel(
        num_attention_heads=shape.heads,
        attention_head_dim=shape.head_width,
        in_channels=shape.channels,
        out_channels=shape.channels,
        num_layers=shape.layers,
        cross_attention_dim=shape.width,
        caption_channels=shape.caption_width,
        sample_size=base_side,
        patch_size=shape.patch,
        interpolation_scale=base_side / shape.base,
        use_additional_conditions=False,
        norm_elementwise_affine=False,
        norm_eps=1e-6,
    )
    compression = compression_weights(model)
    weights = {n: p.detach().clone() for n, p in model.state_dict().items() if n not in compression}
    missing, unexpected = other.load_state_dict(weights, strict=False)
    if unexpected or set(missing) - {"pos_embed.pos_embed"}:
        raise ValueError(f"diffusers' transformer has other weights: missing {missing}, unexpected {unexpected}")
    return other.eval()


def compression_weights(model: Transformer) -> dict[str, torch.Tensor]:
    """Return what the compressed layers have beside diffusers' weights, by name."""
    return {n: p for n, p in model.state_dict().items() if ".attn1.sr." in n or ".attn1.norm." in n}
