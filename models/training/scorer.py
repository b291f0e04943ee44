"""A judge of pictures, trained apart from the model: it reads objects, places, number, size, style and
background off an image.

python -m training.scorer

It sees true scenes and their way through the autoencoder only, never a picture that the model drew.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn

from training.compose import compose
from training.device import DEVICE, fast_arithmetic
from training.icons import STYLES
from training.run import Average, Run, optimisers, set_rate, trapezoid
from training.scenes import BACKGROUNDS, KINDS, SIZES, Scene, any_scene, is_held_out, is_held_out_pair, sample_scene
from training.stages import STAGES
from training.train_text import COUNTS, OPTIONAL, PLACES, places
from training.train_vae import load_vae, reconstruct, to_tensor

SIDE = 128
"""Pictures of every size are shrunk to this side."""

ATTRIBUTES = {
    "object": OPTIONAL,
    **dict.fromkeys(PLACES, OPTIONAL),
    "count": COUNTS,
    "size": tuple(SIZES),
    "style": STYLES,
    "background": tuple(BACKGROUNDS),
}


class Residual(nn.Module):
    """Two convolutions around which the input is added."""

    def __init__(self, channels: int):
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(2))
        self.norms = nn.ModuleList(nn.GroupNorm(8, channels) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            y = convolution(F.silu(norm(y)))
        return x + y


class Scorer(nn.Module):
    """Images [B, 3, 128, 128] in -1 … 1 to one [B, values] of logits per attribute.

    What is left at the end is a grid of 4 × 4 cells and no average, so that places can be told apart.
    """

    def __init__(self, channels: tuple[int, ...] = (32, 64, 96, 128, 128)):
        super().__init__()
        widths = zip((3, *channels), channels, strict=False)
        self.stages = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(a, b, 4, stride=2, padding=1), Residual(b)) for a, b in widths)
        )
        cells = SIDE // 2 ** len(channels)
        self.heads = nn.ModuleList(nn.Linear(channels[-1] * cells**2, len(values)) for values in ATTRIBUTES.values())

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        features = F.silu(self.stages(images)).flatten(1)
        return [head(features) for head in self.heads]


def targets(scene: Scene) -> list[int]:
    """Return the index of each attribute's value; "object" is "none" where there are two that differ."""
    first = scene.objects[0]
    alone = "none" if scene.relation else first.name
    values = {
        "object": alone,
        **places(scene),
        "count": str(scene.count),
        "size": scene.size,
        "style": first.style,
        "background": scene.background,
    }
    return [names.index(values[attribute]) for attribute, names in ATTRIBUTES.items()]


def shrink(images: torch.Tensor) -> torch.Tensor:
    """Shrink square images [B, 3, h, h] to the scorer's side."""
    return F.interpolate(images, size=(SIDE, SIDE), mode="area")


@torch.no_grad()
def pictures(scenes: list[Scene], vae: AutoencoderKL | None, side: int = 128) -> torch.Tensor:
    """Paint scenes, send them through the autoencoder if one is given, and shrink them, uint8 [B, 3, 128, 128]."""
    shrunk = []
    for i in range(0, len(scenes), 64):
        x = to_tensor(compose(scenes[i : i + 64], side, side))
        shrunk.append(((shrink(x if vae is None else reconstruct(vae, x)) + 1) * 127.5).round().byte())
    return torch.cat(shrunk)


def held_out_scenes(count: int, kind: str, seed: int) -> list[Scene]:
    """Draw scenes of a kind whose combinations are never trained on; pairs are held out as pairs."""
    rng = np.random.default_rng(seed)
    wanted = is_held_out_pair if kind == "pair" else is_held_out
    scenes: list[Scene] = []
    while len(scenes) < count:
        if wanted(scene := any_scene(rng, kind)):
            scenes.append(scene)
    return scenes


@torch.no_grad()
def accuracy(scorer: Scorer, images: torch.Tensor, scenes: list[Scene]) -> dict[str, float]:
    """Share of scenes read rightly, by attribute."""
    wanted = torch.tensor([targets(s) for s in scenes], device=images.device).T
    logits = scorer(images.float() / 127.5 - 1)
    rows = zip(ATTRIBUTES, logits, wanted, strict=True)
    return {name: round((x.argmax(1) == w).float().mean().item(), 4) for name, x, w in rows}


def train(run: Run, vae: AutoencoderKL, *, steps: int, batch: int, lr: float, scenes: int) -> Scorer:
    """Train on so many scenes, each true and through the autoencoder, and return the averaged scorer."""
    torch.manual_seed(11)
    rng = np.random.default_rng(11)
    drawn = [sample_scene(rng, pair_share=0.4) for _ in range(scenes)]
    images = torch.cat([pictures(drawn, None), pictures(drawn, vae)])
    wanted = torch.tensor([targets(s) for s in drawn], device=DEVICE).repeat(2, 1)
    test = [s for kind in KINDS for s in held_out_scenes(max(1, scenes // 64), kind, seed=12)]
    tests = {"true": pictures(test, None), "decoded": pictures(test, vae)}
    scorer = Scorer().to(DEVICE)
    average = Average(scorer, 0.99)
    optimizers = optimisers(scorer, lambda _, p: p.ndim == 4, lr)
    for step in range(run.resume(scorer, average, optimizers), steps):
        set_rate(optimizers, lr * trapezoid(step, steps, warmup=50))
        chosen = torch.from_numpy(np.random.default_rng([11, step]).integers(len(images), size=batch)).to(DEVICE)
        with fast_arithmetic():
            logits = scorer(images[chosen].float() / 127.5 - 1)
        loss = sum(F.cross_entropy(x.float(), w) for x, w in zip(logits, wanted[chosen].T, strict=True))
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        average.update(scorer)
        if step % 500 == 499 or step == steps - 1:
            run.save(step + 1, scorer, average, optimizers)
            for kind, pool in tests.items():
                run.log(step=step + 1, loss=round(loss.item(), 4), kind=kind, **accuracy(average.module, pool, test))
    return average.module


def load_scorer(run: Run) -> Scorer:
    """Return a finished run's averaged scorer."""
    scorer = Scorer()
    scorer.load_state_dict(run.averaged())
    return scorer.eval().requires_grad_(False).to(DEVICE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--scenes", type=int, default=30_000, help="how many are painted")
    arguments = parser.parse_args()
    train(
        Run("scorer"),
        load_vae(STAGES["512px"].decoder),
        steps=arguments.steps,
        batch=arguments.batch,
        lr=arguments.lr,
        scenes=arguments.scenes,
    )


if __name__ == "__main__":
    main()
