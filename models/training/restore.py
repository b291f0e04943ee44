"""The committed weights back in the cache, so that training goes on on any machine.  python -m training.restore"""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from transformers import T5EncoderModel

from training.paths import CACHE
from training.stages import STAGES, TEXT_RUN

CHECKPOINT = Path(__file__).parent / "checkpoint"
"""What the shipped bundle was exported from, whole."""

STAGE = "512px"
"""The stage that its transformer comes from."""


def restore(cache: Path = CACHE) -> None:
    """Fill an empty cache with autoencoder, tokenizer, text encoder and the last stage's transformer, in float32."""
    runs, vaes = cache / "runs", (cache / STAGES[STAGE].vae, cache / STAGES[STAGE].decoder)
    taken = [path for path in (*vaes, cache / "tokenizer", runs / TEXT_RUN, runs / STAGE) if path.exists()]
    if taken:
        raise SystemExit(f"nothing restored: {taken[0]} is there already; move it away first")
    encoder = T5EncoderModel.from_pretrained(CHECKPOINT / "text_encoder", dtype=torch.float32).state_dict()
    _keep(runs / TEXT_RUN, {f"encoder.{name}": weight for name, weight in encoder.items()})
    _keep(runs / STAGE, transformer_weights())
    # One encoder, and so the same latents: the better decoder serves both.
    vae = AutoencoderKL.from_pretrained(CHECKPOINT / "vae", torch_dtype=torch.float32)
    for folder in vaes:
        vae.save_pretrained(folder)
    shutil.copytree(CHECKPOINT / "tokenizer", cache / "tokenizer")


def transformer_weights() -> dict[str, torch.Tensor]:
    """Return the committed transformer's weights in float32, those of compressed layers among them."""
    weights = load_file(CHECKPOINT / "transformer" / "diffusion_pytorch_model.safetensors")
    return {name: weight.float() for name, weight in weights.items()}


def _keep(run: Path, weights: dict[str, torch.Tensor]) -> None:
    run.mkdir(parents=True)
    torch.save(weights, run / "restored.pt")


if __name__ == "__main__":
    restore()
