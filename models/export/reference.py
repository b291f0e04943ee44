"""Calls to diffusers' own transformer, in the terms of our graphs."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from diffusers import PixArtTransformer2DModel
from diffusers.models.embeddings import get_2d_sincos_pos_embed
from torch import Tensor

from network.transformer import NumberEmbedder, PixArtTransformer

from .transformer_part import PIXELS_PER_LATENT


def position_embedding(reference: PixArtTransformer2DModel, latents: Tensor) -> Tensor:
    """The position embedding [1, N, C] that the reference adds for `latents` [B, 4, h, w]."""
    embed = reference.pos_embed
    grid = tuple(side // embed.patch_size for side in latents.shape[-2:])
    positions = get_2d_sincos_pos_embed(
        reference.inner_dim, grid, base_size=embed.base_size, interpolation_scale=embed.interpolation_scale
    )
    return positions[None].float()


@torch.no_grad()
def predict(
    reference: PixArtTransformer2DModel, latents: Tensor, timestep: Tensor, text_states: Tensor, mask: Tensor
) -> Tensor:
    """One denoising call, reduced to the latent channels: [B, 4, h, w]."""
    sizes = _sizes(latents) if reference.use_additional_conditions else {"resolution": None, "aspect_ratio": None}
    output = reference(
        latents,
        encoder_hidden_states=text_states,
        encoder_attention_mask=mask,
        timestep=timestep,
        added_cond_kwargs=sizes,
    )
    return output.sample[:, : latents.shape[1]]


@contextmanager
def sinusoids_in_float32(transformer: PixArtTransformer) -> Iterator[None]:
    """Has our transformer, in float64, compute sinusoids of numbers in float32, as the reference always does."""
    handles = []
    for embedder in transformer.modules():
        if isinstance(embedder, NumberEmbedder):
            handles += [
                embedder.register_forward_pre_hook(lambda _, inputs: (inputs[0].float(),)),
                embedder.linear_1.register_forward_pre_hook(lambda _, inputs: (inputs[0].double(),)),
            ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _sizes(latents: Tensor) -> dict[str, Tensor]:
    """The extra inputs of PixArt-α's transformer at 1024 px: height and width in pixels, and their ratio."""
    batch, _, *sides = latents.shape
    height, width = (float(side * PIXELS_PER_LATENT) for side in sides)
    return {
        "resolution": torch.tensor([[height, width]]).repeat(batch, 1),
        "aspect_ratio": torch.tensor([[height / width]]).repeat(batch, 1),
    }
