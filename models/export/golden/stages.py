"""Golden values of the stages that need no model: tokenizers, caption cleaning and noise."""

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, PixArtSigmaPipeline
from tokenizers import Tokenizer

from .texts import CAPTION_TEXTS, TOKENIZER_TEXTS

SEEDS = (0, 1, 2**31, 2**32 - 1)
COUNTS = (1, 2, 5, 15, 16, 17, 31, 32, 100)
LARGE_COUNT = 5_003
STREAM_SEED = 5
STREAMS = ((64, 64, 64), (37, 37, 37), (5, 5, 5), (15, 16, 1, 2, 3), (3, 700, 3, 17, 1, 1))
"""Lengths that are and are not multiples of torch's block of 16, are too short for it, and cross one MT19937 state."""
WHOLE_LATENTS = (1, 4, 144, 128)
WHOLE_STRIDE = 4999


def write_tokens(tokenizer_file: Path, prompts: list[str], target: Path) -> None:
    """The Rust tokenizer's ids, for each prompt of the catalog in order, and for each difficult text."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokens = {
        "catalog": [tokenizer.encode(prompt).ids for prompt in prompts],
        "texts": [{"text": text, "ids": tokenizer.encode(text).ids} for text in TOKENIZER_TEXTS],
    }
    write_json(tokens, target)


def write_captions(target: Path) -> None:
    """The reference's caption cleaning of each difficult text."""
    without_parts = PixArtSigmaPipeline.__new__(PixArtSigmaPipeline)
    cleaned = without_parts._text_preprocessing(list(CAPTION_TEXTS), clean_caption=True)
    pairs = zip(CAPTION_TEXTS, cleaned, strict=True)
    write_json([{"text": text, "cleaned": clean} for text, clean in pairs], target)


def write_noise(folder: Path) -> None:
    """Normal draws of torch's CPU generator: noise.json lists seed, count and byte offset into noise.bin."""
    folder.mkdir(parents=True, exist_ok=True)
    draws, offset = [], 0
    with (folder / "noise.bin").open("wb") as file:
        for seed in SEEDS:
            for count in (*COUNTS, LARGE_COUNT):
                noise = torch.randn(count, generator=torch.Generator("cpu").manual_seed(seed))
                draws.append({"seed": seed, "count": count, "offset": offset})
                offset += file.write(noise.numpy().astype(np.dtype("<f4")).tobytes())
    write_json(draws, folder / "noise.json")


def write_noise_streams(folder: Path) -> None:
    """Several consecutive draws of one generator: noise-streams.json lists the seed and the length of each."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "noise-streams.bin").open("wb") as file:
        for counts in STREAMS:
            generator = torch.Generator("cpu").manual_seed(STREAM_SEED)
            for count in counts:
                file.write(torch.randn(count, generator=generator).numpy().astype(np.dtype("<f4")).tobytes())
    write_json([{"seed": STREAM_SEED, "counts": counts} for counts in STREAMS], folder / "noise-streams.json")


def write_whole_decode(vae_folder: Path, target: Path) -> None:
    """A sample of the values of an image of 1152 × 1024 px that the VAE decodes in one piece, from normal latents."""
    vae = AutoencoderKL.from_pretrained(vae_folder).eval()
    latents = torch.randn(WHOLE_LATENTS, generator=torch.Generator("cpu").manual_seed(STREAM_SEED))
    with torch.no_grad():
        image = vae.decode(latents / vae.config.scaling_factor).sample
    values = [round(value, 6) for value in image.flatten()[::WHOLE_STRIDE].tolist()]
    write_json({"seed": STREAM_SEED, "latents": WHOLE_LATENTS[1:], "stride": WHOLE_STRIDE, "values": values}, target)


def write_json(value: object, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n", encoding="utf-8")
