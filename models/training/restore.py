"""The committed weights back in the cache, so that training goes on on any machine.  python -m training.restore"""

import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PixArtTransformer2DModel
from transformers import T5EncoderModel

from training.paths import CACHE

CHECKPOINT = Path(__file__).parent / "checkpoint"
STAGE = "256px-fine"


def restore(cache: Path = CACHE) -> None:
    """Fill an empty cache with autoencoder, tokenizer, text encoder and the last stage's transformer, in float32."""
    positions = "pos_embed.pos_embed"
    encoder = T5EncoderModel.from_pretrained(CHECKPOINT / "text_encoder", dtype=torch.float32).state_dict()
    transformer = PixArtTransformer2DModel.from_pretrained(CHECKPOINT / "transformer", torch_dtype=torch.float32)
    vae = AutoencoderKL.from_pretrained(CHECKPOINT / "vae", torch_dtype=torch.float32)
    runs = {
        "text": {f"encoder.{name}": weight for name, weight in encoder.items()},
        STAGE: {name: weight for name, weight in transformer.state_dict().items() if name != positions},
    }
    taken = [path for path in (cache / "vae", *(cache / "runs" / name for name in runs)) if path.exists()]
    if taken:
        raise SystemExit(f"nothing restored: {taken[0]} is there already; move it away first")
    for name, weights in runs.items():
        folder = cache / "runs" / name
        folder.mkdir(parents=True)
        torch.save(weights, folder / "restored.pt")
    vae.save_pretrained(cache / "vae")
    shutil.copytree(CHECKPOINT / "tokenizer", cache / "tokenizer", dirs_exist_ok=True)


if __name__ == "__main__":
    restore()
