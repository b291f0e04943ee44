"""Reads a checkpoint's JSON files and refuses, by name, what a bundle could not reproduce."""

import json
from pathlib import Path
from typing import Any

from .errors import ExportError


def read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ExportError(f"{path}: not found.")
    return json.loads(path.read_text(encoding="utf-8"))


def expect(where: Path, name: str, found: object, choices: tuple[object, ...], advice: str = "") -> None:
    """Raises `ExportError` where the value `found` under `name` is none of `choices`; `advice` says what to do then."""
    if found not in choices:
        expected = " or ".join(repr(choice) for choice in choices)
        raise ExportError(f"{where}: {name} is {found!r}; this exporter supports {expected}.{advice and ' '}{advice}")
