"""Training data of one picture shape: scenes and their latents, made once and read from disk afterwards."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from training.compose import compose
from training.paths import CACHE
from training.scenes import Placed, Scene, sample_scene
from training.train_vae import to_tensor


@dataclass(frozen=True)
class Recipe:
    """What a latent set holds; it is the same for the same recipe and autoencoder.

    `base_side` is the latent side of the pictures' size (16 at 128 px, 32 at 256 px), which sets their positions.
    """

    seed: int
    width: int
    height: int
    count: int
    base_side: int
    pair_share: float = 0.15


@torch.no_grad()
def make_latents(vae: AutoencoderKL, folder: Path, recipe: Recipe) -> None:
    """Paint the scenes; write `latents.npy` (float16 [count, 4, h, w]) and `scenes.jsonl` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(recipe.seed)
    scenes = [sample_scene(rng, recipe.pair_share) for _ in range(recipe.count)]
    latents = np.empty((recipe.count, 4, recipe.height // 8, recipe.width // 8), np.float16)
    batch = max(1, 2**19 // (recipe.width * recipe.height))
    for i in range(0, recipe.count, batch):
        x = to_tensor(np.stack([compose(s, recipe.width, recipe.height) for s in scenes[i : i + batch]]))
        latents[i : i + batch] = vae.quant_conv(vae.encoder(x)).chunk(2, 1)[0].numpy()
    (folder / "scenes.jsonl").write_text("".join(json.dumps(asdict(s)) + "\n" for s in scenes))
    np.save(folder / "latents.npy", latents)


class LatentSet:
    """Scenes with their latents, read from disk as they are needed."""

    def __init__(self, folder: Path, base_side: int):
        self.base_side = base_side
        self.latents = np.load(folder / "latents.npy", mmap_mode="r")
        self.scenes = [scene_from(json.loads(line)) for line in (folder / "scenes.jsonl").read_text().splitlines()]

    def draw(self, rng: np.random.Generator, batch: int) -> tuple[list[Scene], torch.Tensor]:
        """Draw a batch of scenes with their latents, float32."""
        chosen = np.sort(rng.choice(len(self.scenes), batch, replace=False))
        return [self.scenes[i] for i in chosen], torch.from_numpy(self.latents[chosen].astype(np.float32))


def scene_from(values: dict) -> Scene:
    """Read back a scene that `asdict` wrote."""
    return Scene(values["background"], tuple(Placed(**o) for o in values["objects"]), values["relation"])


def latent_set(vae: AutoencoderKL, recipe: Recipe, root: Path = CACHE / "latents") -> LatentSet:
    """Return a set from the cache; make it the first time."""
    folder = root / f"{recipe.width}x{recipe.height}-{recipe.count}-{recipe.seed}"
    if not (folder / "latents.npy").exists():
        make_latents(vae, folder, recipe)
    return LatentSet(folder, recipe.base_side)
