"""A picture's content, as plain data for every resolution, and the held-out combinations."""

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
# The share of the shorter side that a single object takes; a caption names the size unless it is the normal one.
SIZES = {"small": (0.4, 0.46), "normal": (0.7, 0.78), "large": (0.88, 0.94)}
# The centres of a group's objects, by their number.
GROUPS = {
    2: ((-0.24, 0.0), (0.24, 0.0)),
    3: ((0.0, -0.23), (-0.24, 0.23), (0.24, 0.23)),
    4: ((-0.24, -0.24), (0.24, -0.24), (-0.24, 0.24), (0.24, 0.24)),
}
KINDS = ("single", "sized", "group", "pair")
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
    """A background and one object, two that differ, or two to four alike.

    With two that differ, `relation` is the position of the first relative to the second.
    """

    background: str
    objects: tuple[Placed, ...]
    relation: str | None = None

    @property
    def count(self) -> int:
        """The number of the first object."""
        return 1 if self.relation else len(self.objects)

    @property
    def size(self) -> str:
        """The size of a single object; groups have the normal one."""
        side = self.objects[0].size
        near = min(SIZES, key=lambda name: abs(side - sum(SIZES[name]) / 2))
        return near if len(self.objects) == 1 else "normal"


def held_out(*key: str) -> bool:
    """Return whether a combination (object, style, background; or a pair of objects) is reserved for testing."""
    digest = hashlib.sha256("|".join(key).encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


def is_held_out_pair(scene: Scene) -> bool:
    """Return whether the scene shows two objects that training never shows together."""
    return scene.relation is not None and held_out(*sorted(o.name for o in scene.objects))


def is_held_out(scene: Scene) -> bool:
    """Return whether any part of the scene is a held-out combination."""
    return is_held_out_pair(scene) or any(held_out(o.name, o.style, scene.background) for o in scene.objects)


def single(rng: np.random.Generator, name: str, style: str, background: str, size: str = "normal") -> Scene:
    """Place one object near the centre."""
    x, y = rng.uniform(-0.02, 0.02, 2)
    return Scene(background, (Placed(name, style, x, y, rng.uniform(*SIZES[size])),))


def group(rng: np.random.Generator, name: str, style: str, background: str, count: int) -> Scene:
    """Place two to four of one object."""
    size = rng.uniform(0.4, 0.44)
    shifts = rng.uniform(-0.015, 0.015, (count, 2))
    centres = [(x + dx, y + dy) for (x, y), (dx, dy) in zip(GROUPS[count], shifts, strict=True)]
    return Scene(background, tuple(Placed(name, style, x, y, size) for x, y in centres))


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


def any_scene(rng: np.random.Generator, kind: str) -> Scene:
    """Draw a scene of one of KINDS; styles, objects and backgrounds evenly."""
    style = STYLES[rng.integers(len(STYLES))]
    background = tuple(BACKGROUNDS)[rng.integers(len(BACKGROUNDS))]
    first, second = (int(i) for i in rng.integers((len(OBJECT_NAMES), len(OBJECT_NAMES) - 1)))
    name, other = OBJECT_NAMES[first], OBJECT_NAMES[second + (second >= first)]
    match kind:
        case "pair":
            return pair(rng, (name, other), style, background, RELATIONS[rng.integers(len(RELATIONS))])
        case "group":
            return group(rng, name, style, background, int(rng.integers(2, 5)))
        case "sized":
            return single(rng, name, style, background, ("small", "large")[rng.integers(2)])
    return single(rng, name, style, background)


def sample_scene(rng: np.random.Generator, pair_share: float) -> Scene:
    """Draw a training scene: any combination except the held-out ones.

    Of scenes that are not pairs, one in seven shows several of one object and one in five a small or large one.
    """
    other = np.array([0.66, 0.2, 0.14]) * (1 - pair_share)
    kind = KINDS[int(np.searchsorted(np.cumsum(other), rng.random(), side="right"))]
    while is_held_out(scene := any_scene(rng, kind)):
        pass
    return scene


def held_out_scenes(count: int, kind: str, seed: int) -> list[Scene]:
    """Draw scenes of a kind with combinations outside training; pairs are held out as pairs."""
    rng = np.random.default_rng(seed)
    wanted = is_held_out_pair if kind == "pair" else is_held_out
    scenes: list[Scene] = []
    while len(scenes) < count:
        if wanted(scene := any_scene(rng, kind)):
            scenes.append(scene)
    return scenes
