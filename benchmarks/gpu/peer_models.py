"""What the peer computes: diffusers' pipeline with random weights, made on the device, and a T5 encoder.

The networks are as large as those of export.random_checkpoint, which a kit does not pack: both read one file.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PixArtSigmaPipeline, PixArtTransformer2DModel
from transformers import T5Config, T5EncoderModel

LATENTS_OF_512 = 64
"""The side at which positions are not scaled (PixArt-Σ, section 3.3)."""

TILE_SIDE = 1024
"""Pixels that SDXL's decoder was trained on, which diffusers takes for the size of its tiles; its default is 32."""


@dataclass(frozen=True)
class Networks:
    """Arguments of the configurations of a checkpoint's three networks."""

    transformer: dict[str, Any]
    text_encoder: dict[str, Any]
    vae: dict[str, Any]


_SIZES = json.loads((Path(__file__).parents[2] / "models/export/checkpoint_sizes.json").read_text(encoding="utf-8"))
XL, TOY = Networks(**_SIZES["xl"]), Networks(**_SIZES["tiny"])


def pipeline_for(networks: Networks, sample_size: int, device: str, dtype: torch.dtype) -> PixArtSigmaPipeline:
    """The pipeline of a checkpoint for one size, whose latents are `sample_size` wide; without a text encoder."""
    with _made_on(device, dtype):
        transformer = PixArtTransformer2DModel(
            **networks.transformer, sample_size=sample_size, interpolation_scale=sample_size / LATENTS_OF_512
        )
        vae = AutoencoderKL(**networks.vae, sample_size=TILE_SIDE)
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
        return T5EncoderModel(T5Config(**networks.text_encoder)).eval().requires_grad_(False)


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
