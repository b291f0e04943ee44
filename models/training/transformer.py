"""PixArt-Σ's transformer for training: initial weights, positions of tokens, and conversion to diffusers' class."""

from dataclasses import replace

import torch
from diffusers import PixArtTransformer2DModel
from diffusers.models.embeddings import get_2d_sincos_pos_embed
from torch import nn

from network.kv_compression import KvCompression, is_compression_weight
from network.transformer import PixArtTransformer, TransformerShape

SHAPE = TransformerShape(
    layers=8, heads=6, head_width=32, patch=2, latent_channels=4, out_channels=4, caption_width=192
)
"""The shipped model's, before any layer is compressed."""

UNIT_SIDE = 32
"""The latent side at which the positions' interpolation scale is 1."""


class Transformer(PixArtTransformer):
    """Predicts v, from captions in the text encoder's form; positions follow from the picture's size."""

    def __init__(self, shape: TransformerShape = SHAPE):
        super().__init__(shape)
        self.positions: dict[tuple[int, int, int], torch.Tensor] = {}
        self._initialise()

    def _initialise(self) -> None:
        """Xavier for matrices; zero for projections into the residual stream, so that blocks start as identity."""
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
        """Return v for noisy latents [B, 4, h, w] at timesteps [B], given caption states [B, T, D] and mask [B, T].

        `base_side`: the latent side of this picture's size (16 at 128 px, 32 at 256 px), for its positions.
        """
        positions = self.position_embedding(*latents.shape[2:], base_side)
        return super().forward(latents, timestep.float(), positions, self.caption_projection(caption), caption_mask)

    def position_embedding(self, height: int, width: int, base_side: int) -> torch.Tensor:
        """Sine-cosine positions that span the same range at every size (PixArt-Σ, section 3.3) [1, N, C]."""
        key = (height, width, base_side)
        if key not in self.positions:
            patch = self.shape.patch
            table = get_2d_sincos_pos_embed(
                self.shape.width,
                (height // patch, width // patch),
                base_size=base_side // patch,
                interpolation_scale=base_side / UNIT_SIDE,
                output_type="pt",
            )
            self.positions[key] = table.float()[None].to(self.scale_shift_table.device)
        return self.positions[key]


def compress(model: Transformer, layers: tuple[int, ...]) -> Transformer:
    """Return the same model with the keys and values of `layers` compressed by new, averaging convolutions."""
    compressed = Transformer(with_compression(model.shape, layers))
    missing, _ = compressed.load_state_dict(model.state_dict(), strict=False)
    if not all(is_compression_weight(name) for name in missing):
        raise ValueError(f"the model to compress lacks {missing}")
    return compressed


def with_compression(shape: TransformerShape, layers: tuple[int, ...]) -> TransformerShape:
    """Return a shape whose `layers`, if any, halve each side of their keys and values."""
    return replace(shape, kv_compression=KvCompression(layers, scale=2) if layers else None)


def from_weights(weights: dict[str, torch.Tensor]) -> Transformer:
    """Return the model with these weights, which show the layers that are compressed."""
    layers = range(SHAPE.layers)
    compressed = tuple(i for i in layers if f"transformer_blocks.{i}.attn1.sr.weight" in weights)
    model = Transformer(with_compression(SHAPE, compressed))
    model.load_state_dict(weights)
    return model


def to_diffusers(model: Transformer, base_side: int) -> PixArtTransformer2DModel:
    """Return diffusers' model with the same weights, set to the positions of one size.

    Its class cannot hold the weights of compressed layers; `training.huggingface` adds them to the folder.
    """
    shape = model.shape
    other = PixArtTransformer2DModel(
        num_attention_heads=shape.heads,
        attention_head_dim=shape.head_width,
        in_channels=shape.latent_channels,
        out_channels=shape.out_channels,
        num_layers=shape.layers,
        cross_attention_dim=shape.width,
        caption_channels=shape.caption_width,
        sample_size=base_side,
        patch_size=shape.patch,
        interpolation_scale=base_side / UNIT_SIDE,
        use_additional_conditions=False,
        norm_elementwise_affine=False,
        norm_eps=1e-6,
    )
    weights = {n: p.detach().clone() for n, p in model.state_dict().items() if not is_compression_weight(n)}
    missing, unexpected = other.load_state_dict(weights, strict=False)
    if unexpected or set(missing) - {"pos_embed.pos_embed"}:
        raise ValueError(f"the weights do not match diffusers' transformer: missing {missing}, unexpected {unexpected}")
    return other.eval()
