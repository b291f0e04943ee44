"""The committed weights back in the cache, so that training goes on on any machine.  python -m training.restore"""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PixArtTransformer2DModel
from transformers import T5EncoderModel

from training.paths import CACHE
from training.stages import TEXT_RUN

HERE = Path(__file__).parent
CHECKPOINT = HERE / "checkpoint"
"""What the shipped bundle was exported from, whole."""

CONTINUED = HERE / "continued"
"""Text encoder and transformer as they went on from there: more objects and two in order, not yet as clean."""

RUNS = {CHECKPOINT: ("text", "256px-fine"), CONTINUED: (TEXT_RUN, "256px-pairs")}
"""The runs of text encoder and transformer that a folder's weights come from."""


def restore(cache: Path = CACHE) -> None:
    """Fill an empty cache with autoencoder, tokenizer, text encoders and the last stages' transformers, in float32."""
    taken = [
        path
        for path in (cache / "vae", *(cache / "runs" / name for names in RUNS.values() for name in names))
        if path.exists()
    ]
    if taken:
        raise SystemExit(f"nothing restored: {taken[0]} is there already; move it away first")
    for folder, (text, stage) in RUNS.items():
        encoder = T5EncoderModel.from_pretrained(folder / "text_encoder", dtype=torch.float32).state_dict()
        _keep(cache / "runs" / text, {f"encoder.{name}": weight for name, weight in encoder.items()})
        transformer = PixArtTransformer2DModel.from_pretrained(folder / "transformer", torch_dtype=torch.float32)
        _keep(cache / "runs" / stage, {n: w for n, w in transformer.state_dict().items() if n != "pos_embed.pos_embed"})
    AutoencoderKL.from_pretrained(CHECKPOINT / "vae", torch_dtype=torch.float32).save_pretrained(cache / "vae")
    shutil.copytree(CHECKPOINT / "tokenizer", cache / "tokenizer", dirs_exist_ok=True)


def _keep(run: Path, weights: dict[str, torch.Tensor]) -> None:
    run.mkdir(parents=True)
    torch.save(weights, run / "restored.pt")


if __name__ == "__main__":
    restore()
