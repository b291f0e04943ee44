"""Calls to diffusers' own transformer, in the terms of our graphs."""

import torch
from diffusers import PixArtTransformer2DModel
from diffusers.models.embeddings import get_2d_sincos_pos_embed
from torch import Tensor


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
    """One denoising call, cut to the latent channels: [B, 4, h, w]."""
    output = reference(
        latents,
        encoder_hidden_states=text_states,
        encoder_attention_mask=mask,
        timestep=timestep,
        added_cond_kwargs={"resolution": None, "aspect_ratio": None},
    )
    return output.sample[:, : latents.shape[1]]
