"""Captions of a scene, short or dense, in many phrasings."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from training.icons import OBJECTS
from training.scenes import Scene


@cache
def wording() -> dict:
    """Return the phrases that captions are made of."""
    return json.loads((Path(__file__).parent / "wording.json").read_text())


def plain_caption(name: str, style: str, background: str) -> str:
    """Return the plainest caption of a single object, as used on test sheets."""
    colour = wording()["backgrounds"][background][0]
    return f"{_article(style)} {name} on {_article(colour)} background"


def caption(scene: Scene, rng: np.random.Generator, whole: bool = False, dense: bool | None = None) -> str:
    """Describe a scene in a random wording: one in four is dense, or all or none according to `dense`.

    One in ten captions of a single object leaves out style or background, unless `whole` forbids it.
    """
    words = wording()
    kind = "pair" if scene.relation else "group" if scene.count > 1 else "single"
    if kind == "single" and not whole and rng.random() < 0.1:
        text = _partial(scene, rng)
    else:
        long = rng.random() < 0.25 if dense is None else dense
        text = _pick(words[kind + ("_dense" if long else "")], rng).format(**_fields(scene, rng))
    if rng.random() < 0.3:
        text = _pick(words["prefixes"], rng) + text + _pick(words["suffixes"], rng)
    return _letter_case(text, rng)


def _partial(scene: Scene, rng: np.random.Generator) -> str:
    """Name only part of what a single object's scene shows."""
    fields = _fields(scene, rng)
    templates = ("{an_object} on {a_ground}", "{object}", "{a_style_object}", "{an_object}", "{object}, {ground}")
    return _pick(templates, rng).format(**fields)


def _fields(scene: Scene, rng: np.random.Generator) -> dict[str, str]:
    """Choose words for everything that a template may name."""
    words = wording()
    style = _pick(words["styles"][scene.objects[0].style], rng)
    colour = _pick(words["backgrounds"][scene.background], rng)
    ground = f"{colour} background"
    fields = {
        "style": style,
        "a_style": _article(style),
        "colour": colour,
        "ground": ground,
        "a_ground": _article(ground),
        "relation": _pick(words["relations"][scene.relation], rng) if scene.relation else "",
    }
    if scene.relation:
        fields["place"], fields["other_place"] = words["places"][scene.relation]
    if scene.count > 1:
        fields["count"] = _pick(words["counts"][str(scene.count)], rng)
        fields["layout"] = _pick(words["layouts"][str(scene.count)], rng)
        fields["objects"] = plural(scene.objects[0].name)
        return fields
    for role, placed in zip(("object", "other"), scene.objects, strict=False):
        name = _object_words(placed.name, rng)
        sized, styled = _sized(name, style, scene, rng)
        fields |= {role: sized, f"an_{role}": _article(sized), f"a_style_{role}": _article(styled)}
    return fields


def _sized(name: str, style: str, scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    """Return the name with its size, and with size and style in either order."""
    if scene.size == "normal":
        return name, f"{style} {name}"
    size = _pick(wording()["sizes"][scene.size], rng)
    return f"{size} {name}", f"{size} {style} {name}" if rng.random() < 0.5 else f"{style} {size} {name}"


def plural(name: str) -> str:
    """Return the name of several of an object."""
    return OBJECTS[name].get("plural", f"{name}s")


def _object_words(name: str, rng: np.random.Generator) -> str:
    """The object's own name in two of three cases, else one of its other names."""
    also = OBJECTS[name]["also"]
    return _pick(also, rng) if also and rng.random() < 1 / 3 else name


def _article(words: str) -> str:
    """Put "a" or "an" before a phrase."""
    return f"{'an' if words[0] in 'aeiou' and words[:3] != 'uni' else 'a'} {words}"


def _pick(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[rng.integers(len(choices))]


def _letter_case(text: str, rng: np.random.Generator) -> str:
    """People write with and without capitals."""
    chance = rng.random()
    if chance < 0.35:
        return text[0].upper() + text[1:]
    return text.title() if chance < 0.4 else text.lower() if chance < 0.8 else text
