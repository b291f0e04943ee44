"""Copies the committed weights to the cache, so that training can resume anywhere.  python -m training.restore"""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from transformers import T5EncoderModel

from training.paths import CACHE
from training.stages import STAGES, TEXT_RUN

CHECKPOINT = Path(__file__).parent / "checkpoint"
"""The source of the shipped bundles: a Hugging Face folder, and further transformers beside its own."""

TRANSFORMERS = {"512px": "512px", "2k-compressed": "transformer", "few-steps": "few-steps"}
"""The checkpoint's folder with each stage's transformer."""

VAES = {name for stage in TRANSFORMERS for name in (STAGES[stage].vae, STAGES[stage].decoder)}


def restore(cache: Path = CACHE) -> None:
    """Fill an empty cache with autoencoder, tokenizer, text encoder and the kept stages' transformers, in float32."""
    runs, vaes = cache / "runs", [cache / name for name in VAES]
    kept = [*vaes, cache / "tokenizer", *(runs / name for name in (TEXT_RUN, *TRANSFORMERS))]
    taken = [path for path in kept if path.exists()]
    if taken:
        raise SystemExit(f"nothing restored: {taken[0]} already exists; move it away first")
    encoder = T5EncoderModel.from_pretrained(CHECKPOINT / "text_encoder", dtype=torch.float32).state_dict()
    _keep(runs / TEXT_RUN, {f"encoder.{name}": weight for name, weight in encoder.items()})
    for stage in TRANSFORMERS:
        _keep(runs / stage, transformer_weights(stage))
    # Both share one encoder, and so the same latents: the better decoder serves both.
    vae = AutoencoderKL.from_pretrained(CHECKPOINT / "vae", torch_dtype=torch.float32)
    for folder in vaes:
        vae.save_pretrained(folder)
    shutil.copytree(CHECKPOINT / "tokenizer", cache / "tokenizer")
    print(f"restored {TEXT_RUN}, {', '.join(TRANSFORMERS)} in {runs}")


def transformer_weights(stage: str) -> dict[str, torch.Tensor]:
    """Return a kept stage's transformer in float32, including the weights of compressed layers."""
    weights = load_file(CHECKPOINT / TRANSFORMERS[stage] / "diffusion_pytorch_model.safetensors")
    return {name: weight.float() for name, weight in weights.items()}


def _keep(run: Path, weights: dict[str, torch.Tensor]) -> None:
    run.mkdir(parents=True)
    torch.save(weights, run / "restored.pt")


if __name__ == "__main__":
    restore()
