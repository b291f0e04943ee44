"""Tiny PixArt checkpoints, complete in every part; each part affects the image."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PixArtAlphaPipeline,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
)
from torch import Tensor, nn
from transformers import AutoTokenizer, T5Config, T5EncoderModel

from network.attention import SelfAttention
from network.kv_compression import KvCompression, add_compression

from .tokenizers import write_byte_level, write_unigram

Model = TypeVar("Model", bound=nn.Module)

LAYERS, HEADS, HEAD_WIDTH, TEXT_WIDTH = 2, 2, 24, 32
VAE_CHANNELS = (8, 8, 16, 16)


@dataclass(frozen=True)
class TinyCheckpoint:
    """The differences between the tiny checkpoints."""

    name: str
    seed: int
    max_tokens: int
    out_channels: int
    scaling: float
    write_tokenizer: Callable[[list[str], Path], None]
    scheduler_class: type = DPMSolverMultistepScheduler
    scheduler: dict[str, Any] = field(default_factory=dict)
    compressed_layers: tuple[int, ...] = ()
    pipeline: type = PixArtSigmaPipeline
    sample_size: int = 32


ZERO_TERMINAL_SNR = {
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "rescale_betas_zero_snr": True,
}
EPSILON = TinyCheckpoint("tiny-epsilon", 1, 24, out_channels=8, scaling=0.13025, write_tokenizer=write_unigram)
CHECKPOINTS = (
    EPSILON,
    TinyCheckpoint(
        "tiny-velocity",
        2,
        20,
        out_channels=8,
        scaling=1.0,
        write_tokenizer=write_byte_level,
        scheduler={
            **ZERO_TERMINAL_SNR,
            "beta_schedule": "scaled_linear",
            "beta_start": 0.00085,
            "beta_end": 0.012,
        },
    ),
    TinyCheckpoint(
        "tiny-compressed",
        3,
        32,
        out_channels=4,
        scaling=0.5,
        write_tokenizer=write_byte_level,
        scheduler=ZERO_TERMINAL_SNR,
        compressed_layers=(1,),
    ),
    # The same weights, so that no graph is stored twice.
    replace(EPSILON, name="tiny-euler", scheduler_class=EulerDiscreteScheduler),
    replace(EPSILON, name="tiny-lcm", scheduler_class=LCMScheduler),
    # Like PixArt-α at 1024 px, which receives the size of its image.
    replace(EPSILON, name="tiny-alpha", max_tokens=120, pipeline=PixArtAlphaPipeline, sample_size=128),
)


def write_checkpoint(tiny: TinyCheckpoint, texts: list[str], folder: Path) -> None:
    """Writes `tiny` in Hugging Face's layout; its tokenizer is trained on `texts`."""
    tiny.write_tokenizer(texts, folder / "tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    torch.manual_seed(tiny.seed)
    pipeline = tiny.pipeline(
        tokenizer=tokenizer,
        text_encoder=_text_encoder(len(tokenizer)),
        vae=_vae(tiny.scaling),
        transformer=_transformer(tiny),
        scheduler=tiny.scheduler_class(
            **{"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02, **tiny.scheduler}
        ),
    )
    for part in ("text_encoder", "vae", "transformer", "scheduler"):
        getattr(pipeline, part).save_pretrained(folder / part)
    pipeline.save_config(folder)
    if tiny.compressed_layers:
        compression = KvCompression(tiny.compressed_layers, scale=2)
        add_compression(folder / "transformer", compression, _compression_weights(compression))


def _text_encoder(vocabulary: int) -> T5EncoderModel:
    config = T5Config(
        vocab_size=vocabulary,
        d_model=TEXT_WIDTH,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
    )
    return _randomise(T5EncoderModel(config), gain=1.0)


def _vae(scaling: float) -> AutoencoderKL:
    vae = AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * len(VAE_CHANNELS),
        up_block_types=["UpDecoderBlock2D"] * len(VAE_CHANNELS),
        block_out_channels=VAE_CHANNELS,
        norm_num_groups=4,
        layers_per_block=1,
        latent_channels=4,
        scaling_factor=scaling,
    )
    _randomise(vae, gain=1.0)
    vae.decoder.conv_out.weight.data.mul_(0.5)
    return vae


def _transformer(tiny: TinyCheckpoint) -> PixArtTransformer2DModel:
    width = HEADS * HEAD_WIDTH
    transformer = PixArtTransformer2DModel(
        num_attention_heads=HEADS,
        attention_head_dim=HEAD_WIDTH,
        num_layers=LAYERS,
        cross_attention_dim=width,
        caption_channels=TEXT_WIDTH,
        in_channels=4,
        out_channels=tiny.out_channels,
        sample_size=tiny.sample_size,
        interpolation_scale=tiny.sample_size / 64,
        use_additional_conditions=tiny.pipeline is PixArtAlphaPipeline,
    )
    return _randomise(transformer, gain=1.2)


def _randomise(model: Model, gain: float) -> Model:
    """Draws every weight again: matrices preserve the variance of their input (times `gain`²), biases are 0.1."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "table" in name:
                weight.normal_(0, 0.5)
            elif "relative_attention_bias" in name or "shared" in name or "embed_tokens" in name:
                weight.normal_(0, 1)
            elif weight.dim() > 1:
                weight.normal_(0, gain / math.sqrt(weight[0].numel()))
            elif "norm" in name and name.endswith("weight"):
                weight.normal_(1, 0.1)
            else:
                weight.normal_(0, 0.1)
    return model


def _compression_weights(compression: KvCompression) -> dict[str, Tensor]:
    """The weights that the reference class does not have, close to averaging."""
    weights = {}
    for layer in compression.layers:
        attention = SelfAttention(HEADS * HEAD_WIDTH, HEADS, compression.scale)
        for module in ("sr", "norm"):
            for name, weight in getattr(attention, module).state_dict().items():
                noise = torch.randn_like(weight) * 0.1
                weights[f"transformer_blocks.{layer}.attn1.{module}.{name}"] = weight + noise
    return weights
