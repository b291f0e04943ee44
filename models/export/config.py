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
    """How each field of a configuration file is handled; any other field is refused."""

    used: frozenset[str]
    """Fields that are copied, whatever their value."""
    choices: dict[str, tuple[object, ...]]
    """Fields with a list of supported values."""
    without_effect: frozenset[str]
    """Fields without any effect on images."""

    @property
    def known(self) -> frozenset[str]:
        return self.used | self.choices.keys() | self.without_effect


def read_json(path: Path) -> dict[str, Any]:
    """Raises `ExportError` if `path` is missing or holds no JSON object."""
    if not path.is_file():
        raise ExportError(f"{path}: not found. Download it from the checkpoint's source.")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ExportError(f"{path}: expected JSON, found something else ({error}). Download the file again.") from error
    if not isinstance(value, dict):
        raise ExportError(f"{path}: expected a JSON object, found {type(value).__name__}. Download the file again.")
    return value


def with_defaults(model: type, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration, with the defaults of a diffusers class for missing fields."""
    parameters = inspect.signature(model.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty} | config


def check_fields(where: Path, config: dict[str, Any], rules: Rules, advice: str = NO_WAY) -> None:
    """Raises `ExportError` for the first field that the rules do not list, or whose value they do not allow."""
    for name, value in config.items():
        if name in rules.choices:
            expect(where, name, value, rules.choices[name], advice)
        elif name not in rules.known and not name.startswith("_"):
            raise ExportError(
                f"{where}: {name} is {value!r}; this exporter does not know that field or its effect on images. "
                "Remove it if the model works without it."
            )


def expect(where: Path, name: str, found: object, choices: tuple[object, ...], advice: str = NO_WAY) -> None:
    """Raises `ExportError` if the value `found` of `name` is not among `choices`; `advice` says what to do then."""
    if found not in choices:
        expected = " or ".join(repr(choice) for choice in choices)
        raise ExportError(f"{where}: {name} is {found!r}; this exporter supports {expected}. {advice}")


MOST_LAYERS = 1000
"""More than any model has; each layer takes memory before the weights, which would reveal the mistake, are read."""


def expect_few_layers(where: Path, layers: int) -> None:
    """Raises `ExportError` for a number of layers that no model has."""
    if layers > MOST_LAYERS:
        raise ExportError(f"{where}: num_layers is {layers}; expected at most {MOST_LAYERS}. Download the file again.")
