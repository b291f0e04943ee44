"""What a picture shows, as plain data that holds at every resolution; and which combinations are held out."""

import hashlib
from dataclasses import dataclass

import numpy as np

from training.icons import OBJECT_NAMES, STYLES

# Top and bottom colour of each background; equal colours make a plain one.
BACKGROUNDS: dict[str, tuple[str, str]] = {
    "white": ("#ffffff", "#ffffff"),
    "black": ("#101014", "#101014"),
    "grey": ("#9a9da3", "#9a9da3"),
    "red": ("#d9383a", "#d9383a"),
    "orange": ("#f58a2c", "#f58a2c"),
    "yellow": ("#f9dc4a", "#f9dc4a"),
    "green": ("#3fa65a", "#3fa65a"),
    "teal": ("#1f9e9b", "#1f9e9b"),
    "blue": ("#2f6fe0", "#2f6fe0"),
    "navy": ("#16265c", "#16265c"),
    "purple": ("#7c45b8", "#7c45b8"),
    "pink": ("#f6a5c4", "#f6a5c4"),
    "sunset": ("#ff9a44", "#d1388f"),
    "sky": ("#5bb4f5", "#eef8ff"),
    "ocean": ("#3fc1e0", "#0d3b8c"),
    "meadow": ("#e6f7a0", "#4fae3e"),
}
RELATIONS = ("left of", "right of", "above", "below")
HELD_OUT_SHARE = 0.06


@dataclass(frozen=True)
class Placed:
    """One object: centre and size are fractions of the picture's shorter side, measured from its centre."""

    name: str
    style: str
    x: float
    y: float
    size: float


@dataclass(frozen=True)
class Scene:
    """A background and one or two objects; with two, `relation` says how the first lies to the second."""

    background: str
    objects: tuple[Placed, ...]
    relation: str | None = None


def held_out(*key: str) -> bool:
    """Say whether a combination (object, style, background; or a pair of objects) is kept for testing only."""
    digest = hashlib.sha256("|".join(key).encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def is_held_out(scene: Scene) -> bool:
    """Say whether any part of the scene belongs to the held-out combinations."""
    names = sorted(o.name for o in scene.objects)
    pair = len(names) == 2 and held_out(*names)
    return pair or any(held_out(o.name, o.style, scene.background) for o in scene.objects)


def single(rng: np.random.Generator, name: str, style: str, background: str) -> Scene:
    """Place one large object near the centre."""
    x, y = rng.uniform(-0.02, 0.02, 2)
    return Scene(background, (Placed(name, style, x, y, rng.uniform(0.7, 0.78)),))


def pair(rng: np.random.Generator, names: tuple[str, str], style: str, background: str, relation: str) -> Scene:
    """Place two objects beside or above each other; the first is the relation's subject."""
    offset = rng.uniform(0.23, 0.25) * (-1 if relation in ("left of", "above") else 1)
    across = relation in ("left of", "right of")
    objects = []
    for name, along in zip(names, (offset, -offset), strict=True):
        aside = rng.uniform(-0.02, 0.02)
        x, y = (along, aside) if across else (aside, along)
        objects.append(Placed(name, style, x, y, rng.uniform(0.4, 0.44)))
    return Scene(background, tuple(objects), relation)


def sample_scene(rng: np.random.Generator, pair_share: float, names: tuple[str, ...] = OBJECT_NAMES) -> Scene:
    """Draw a training scene: any combination but the held-out ones; styles, objects and backgrounds evenly."""
    while True:
        style = STYLES[rng.integers(len(STYLES))]
        background = tuple(BACKGROUNDS)[rng.integers(len(BACKGROUNDS))]
        if rng.random() < pair_share:
            first, second = rng.choice(len(names), 2, replace=False)
            relation = RELATIONS[rng.integers(len(RELATIONS))]
            scene = pair(rng, (names[first], names[second]), style, background, relation)
        else:
            scene = single(rng, names[rng.integers(len(names))], style, background)
        if not is_held_out(scene):
            return scene
