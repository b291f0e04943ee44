"""A separately trained classifier: reads objects, places, number, size, style and background from a picture."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from training.device import DEVICE
from training.finite import finite
from training.icons import STYLES
from training.run import Run
from training.scenes import BACKGROUNDS, SIZES, Scene
from training.train_text import COUNTS, OPTIONAL, PLACES, places

SIDE = 128
"""Pictures of every size are scaled down to this side."""

CHANNELS = (64, 96, 128, 160)
PATCHES = (4, 2, 2, 2)
"""The factor by which each stage reduces its input."""

ATTRIBUTES = {
    "object": OPTIONAL,
    **dict.fromkeys(PLACES, OPTIONAL),
    "count": COUNTS,
    "size": tuple(SIZES),
    "style": STYLES,
    "background": tuple(BACKGROUNDS),
}


class Residual(nn.Module):
    """Two convolutions with a residual connection."""

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
    """From images [B, 3, 128, 128] in -1 … 1 to one [B, values] of logits per attribute.

    Convolutions leave a grid of 4 × 4 cells with position embeddings. Each attribute attends to them with a learned
    query; one classifier of objects serves all places, so that an object is learned once.
    """

    def __init__(self):
        super().__init__()
        shapes = zip((3, *CHANNELS[:-1]), CHANNELS, PATCHES, strict=True)
        self.stages = nn.Sequential(*(nn.Sequential(nn.Conv2d(a, b, p, stride=p), Residual(b)) for a, b, p in shapes))
        width, cells = CHANNELS[-1], SIDE // math.prod(PATCHES)
        self.places = nn.Parameter(torch.randn(width, cells, cells) * 0.02)
        self.norm = nn.LayerNorm(width)
        self.keys = nn.Linear(width, width)
        self.queries = nn.Parameter(torch.randn(len(ATTRIBUTES), width) / width**0.5)
        self.objects = nn.Linear(width, len(OPTIONAL) - 1)
        self.heads = nn.ModuleList(
            nn.Linear(width, 1 if values is OPTIONAL else len(values)) for values in ATTRIBUTES.values()
        )

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        cells = F.silu(self.norm((self.stages(images) + self.places).flatten(2).mT))
        looks = torch.softmax(self.queries @ self.keys(cells).mT, -1)
        seen = (looks @ cells).unbind(1)
        logits = zip(self.heads, seen, ATTRIBUTES.values(), strict=True)
        return [
            torch.cat([head(x), self.objects(x)], 1) if values is OPTIONAL else head(x) for head, x, values in logits
        ]


def targets(scene: Scene) -> list[int]:
    """Return the index of each attribute's value; "object" is "none" if there are two that differ."""
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
    """Scale square images [B, 3, h, h] down to the scorer's side."""
    return F.interpolate(images, size=(SIDE, SIDE), mode="area")


@torch.no_grad()
def read(scorer: Scorer, images: torch.Tensor) -> torch.Tensor:
    """Return the index of each attribute's likeliest value, [B, attributes], for images [B, 3, h, h] in -1 … 1.

    Raises `FloatingPointError` for logits that are not finite, because none of those is likeliest.
    """
    logits = (scorer(shrink(part)) for part in images.split(100))
    return torch.cat([torch.stack([finite(x, "the scorer's logits").argmax(1) for x in each], 1) for each in logits])


def load_scorer(run: Run) -> Scorer:
    """Return a finished run's averaged scorer."""
    scorer = Scorer()
    scorer.load_state_dict(run.averaged())
    return scorer.eval().requires_grad_(False).to(DEVICE)
