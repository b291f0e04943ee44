"""Training data of one picture shape: scenes and their latents, created once and then read from disk."""

import pickle
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL

from training.compose import compose
from training.device import DEVICE, ON_GPU, fast_arithmetic
from training.paths import CACHE
from training.scenes import Scene, sample_scene
from training.train_vae import encode, to_tensor


@dataclass(frozen=True)
class Recipe:
    """The contents of a latent set, which are the same for the same recipe and autoencoder.

    `base_side` is the latent side of the pictures' size (16 at 128 px, 32 at 256 px), which sets their positions.
    Recipes with the same seed, count and share of pairs show the same scenes, whatever their size.
    """

    seed: int
    width: int
    height: int
    count: int
    base_side: int
    pair_share: float = 0.3


@cache
def draw_scenes(seed: int, count: int, pair_share: float) -> list[Scene]:
    """Draw the scenes of a recipe."""
    rng = np.random.default_rng(seed)
    return [sample_scene(rng, pair_share) for _ in range(count)]


@torch.no_grad()
def make_latents(vae: AutoencoderKL, folder: Path, recipe: Recipe) -> None:
    """Paint the scenes; write `latents.npy` (float16 [count, 4, h, w]) and `scenes.pickle` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = draw_scenes(recipe.seed, recipe.count, recipe.pair_share)
    latents = np.empty((recipe.count, 4, recipe.height // 8, recipe.width // 8), np.float16)
    batch = max(1, 2 ** (24 if ON_GPU else 19) // (recipe.width * recipe.height))
    with fast_arithmetic():
        for i in range(0, recipe.count, batch):
            x = to_tensor(compose(scenes[i : i + batch], recipe.width, recipe.height))
            latents[i : i + batch] = encode(vae, x)[0].half().cpu().numpy()
    (folder / "scenes.pickle").write_bytes(pickle.dumps(scenes))
    np.save(folder / "latents.npy", latents)


class LatentSet:
    """Scenes with their latents: in a GPU's memory, or else read from disk as needed."""

    def __init__(self, folder: Path, base_side: int):
        self.base_side = base_side
        self.latents = torch.from_numpy(np.load(folder / "latents.npy", mmap_mode="c")).to(DEVICE)
        self.scenes: list[Scene] = pickle.loads((folder / "scenes.pickle").read_bytes())


def latent_set(vae: AutoencoderKL, recipe: Recipe, root: Path) -> LatentSet:
    """Return a set from the folder of an autoencoder's sets; create it the first time."""
    folder = root / f"{recipe.width}x{recipe.height}-{recipe.count}-{recipe.seed}"
    if not (folder / "latents.npy").exists():
        make_latents(vae, folder, recipe)
    return LatentSet(folder, recipe.base_side)


def latents_root(vae_run: str) -> Path:
    """Return the folder of an autoencoder's latent sets."""
    return CACHE / "latents" / vae_run
