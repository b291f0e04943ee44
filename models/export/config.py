"""Reads a checkpoint's JSON files and refuses, by name, what a bundle could not reproduce."""

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ExportError

NO_WAY = "A model that needs another value cannot be exported."


@dataclass(frozen=True)
class Rules:
    """What becomes of each field of a configuration file; a field that stands nowhere here is refused."""

    used: frozenset[str]
    """Taken over, whatever they say."""
    choices: dict[str, tuple[object, ...]]
    """The values that are supported."""
    without_effect: frozenset[str]
    """They change no picture."""

    @property
    def known(self) -> frozenset[str]:
        return self.used | self.choices.keys() | self.without_effect


def read_json(path: Path) -> dict[str, Any]:
    """Raises `ExportError` where `path` is missing or holds no JSON object."""
    if not path.is_file():
        raise ExportError(f"{path}: not found. Download it from where the checkpoint comes from.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path}: expected JSON, found none ({error}). Download the file again.") from error
    if not isinstance(value, dict):
        raise ExportError(f"{path}: expected a JSON object, found {type(value).__name__}. Download the file again.")
    return value


def with_defaults(model: type, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration with what a class of diffusers takes where a field is missing."""
    parameters = inspect.signature(model.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty} | config


def check_fields(where: Path, config: dict[str, Any], rules: Rules, advice: str = NO_WAY) -> None:
    """Raises `ExportError` for the first field that the rules do not know, or whose value they do not allow."""
    for name, value in config.items():
        if name in rules.choices:
            expect(where, name, value, rules.choices[name], advice)
        elif name not in rules.known and not name.startswith("_"):
            raise ExportError(
                f"{where}: {name} is {value!r}; this exporter does not know that field, nor what it does to a picture. "
                "Take it out where the model does without it."
            )


def expect(where: Path, name: str, found: object, choices: tuple[object, ...], advice: str = NO_WAY) -> None:
    """Raises `ExportError` where the value `found` under `name` is none of `choices`; `advice` says what to do then."""
    if found not in choices:
        expected = " or ".join(repr(choice) for choice in choices)
        raise ExportError(f"{where}: {name} is {found!r}; this exporter supports {expected}. {advice}")


MOST_LAYERS = 1000
"""More than any model has; each takes memory before the weights, which would show a mistake, are looked at."""


def expect_few_layers(where: Path, layers: int) -> None:
    """Raises `ExportError` for a number of layers that no model has."""
    if layers > MOST_LAYERS:
        raise ExportError(f"{where}: num_layers is {layers}; expected at most {MOST_LAYERS}. Download the file again.")
