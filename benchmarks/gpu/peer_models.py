"""What the peer computes: diffusers' pipeline with random weights, made on the device, and a T5 encoder.

The configurations are those of export.random_checkpoint, written out, since the machine with the GPU has no exporter;
a test compares them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel
from transformers import T5Config, T5EncoderModel

LATENTS_OF_512 = 64
"""The side at which positions are not scaled (PixArt-Σ, section 3.3)."""


@dataclass(frozen=True)
class Networks:
    """The dimensions of a transformer, a decoder and a text encoder."""

    layers: int
    heads: int
    head_width: int
    text_layers: int
    text_width: int
    text_inner: int
    text_heads: int
    text_head_width: int
    vae_channels: tuple[int, ...]
    vae_groups: int

    @property
    def transformer(self) -> dict[str, Any]:
        return {
            "num_layers": self.layers,
            "num_attention_heads": self.heads,
            "attention_head_dim": self.head_width,
            "cross_attention_dim": self.heads * self.head_width,
            "caption_channels": self.text_width,
            "in_channels": 4,
            "out_channels": 8,
            "use_additional_conditions": False,
        }

    @property
    def vae(self) -> dict[str, Any]:
        blocks = len(self.vae_channels)
        return {
            "down_block_types": ["DownEncoderBlock2D"] * blocks,
            "up_block_types": ["UpDecoderBlock2D"] * blocks,
            "block_out_channels": self.vae_channels,
            "layers_per_block": 2,
            "norm_num_groups": self.vae_groups,
            "latent_channels": 4,
            "scaling_factor": 0.13025,
        }

    @property
    def text(self) -> dict[str, Any]:
        return {
            "vocab_size": 32_128,
            "d_model": self.text_width,
            "d_kv": self.text_head_width,
            "d_ff": self.text_inner,
            "num_layers": self.text_layers,
            "num_heads": self.text_heads,
            "feed_forward_proj": "gated-gelu",
        }


XL = Networks(28, 16, 72, 24, 4096, 10240, 64, 64, (128, 256, 512, 512), 32)
TOY = Networks(3, 4, 12, 4, 64, 160, 4, 16, (8, 8, 16, 16), 4)


def pipeline_for(networks: Networks, sample_size: int, device: str, dtype: torch.dtype) -> PixArtSigmaPipeline:
    """The pipeline of a checkpoint for one size, whose latents are `sample_size` wide; without a text encoder."""
    with _made_on(device, dtype):
        transformer = PixArtTransformer2DModel(
            **networks.transformer, sample_size=sample_size, interpolation_scale=sample_size / LATENTS_OF_512
        )
        vae = AutoencoderKL(**networks.vae)
    scheduler = DPMSolverMultistepScheduler(beta_start=0.0001, beta_end=0.02)
    pipeline = PixArtSigmaPipeline(
        tokenizer=None,
        text_encoder=None,
        vae=vae.eval().requires_grad_(False),
        transformer=transformer.eval().requires_grad_(False),
        scheduler=scheduler,
    )
    # Positional embeddings are always created on the CPU in float32.
    pipeline.to(device, dtype)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def text_encoder_for(networks: Networks, device: str, dtype: torch.dtype) -> T5EncoderModel:
    """T5's encoder with random weights."""
    with _made_on(device, dtype):
        return T5EncoderModel(T5Config(**networks.text)).eval().requires_grad_(False)


class _made_on:  # noqa: N801 – a context manager is called like a function
    """Parameters are drawn on the device and in the type that they stay in: five billion take too long otherwise."""

    def __init__(self, device: str, dtype: torch.dtype):
        self.device, self.dtype = torch.device(device), dtype

    def __enter__(self) -> None:
        self.before = torch.get_default_dtype()
        torch.set_default_dtype(self.dtype)
        self.device.__enter__()

    def __exit__(self, *args: object) -> None:
        self.device.__exit__(*args)
        torch.set_default_dtype(self.before)
