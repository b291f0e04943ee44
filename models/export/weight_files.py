"""Finds the files that hold a model's weights: one, or shards with an index, also under a variant's name."""

import re
from dataclasses import dataclass
from pathlib import Path

from .config import read_json
from .errors import ExportError

PICKLES = {".bin", ".pt", ".pth", ".ckpt"}
"""Files that run code when opened, so they are never opened."""


@dataclass(frozen=True)
class WeightFiles:
    """The files of a model, and the variant (fp16, say) under whose name they were found."""

    files: tuple[Path, ...]
    variant: str | None
    listed: dict[str, str] | None
    """The file of each tensor, from the shard index; None if there is only one file."""


def find_weights(folder: Path, stem: str) -> WeightFiles:
    """Finds the weights in `folder` whose files are named `stem`.

    Files without a variant come first, as in diffusers; if there are none, those of the only variant.

    Raises `ExportError` if there are none, if the choice is ambiguous, and for missing shards.
    """
    named = re.compile(rf"{stem}(?:\.(\w+))?\.safetensors|{stem}\.safetensors\.index(?:\.(\w+))?\.json")
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_file() and (match := named.fullmatch(path.name)):
            found.setdefault(match[1] or match[2] or "", []).append(path)
    if not found:
        raise _nothing_found(folder, stem)
    variant = "" if "" in found else min(found)
    candidates = found[variant] if variant == "" else [path for paths in found.values() for path in paths]
    if len(candidates) > 1:
        names = ", ".join(path.name for path in candidates)
        raise ExportError(
            f"{folder}: expected the weights once, found {names}. Keep only the ones to export in the folder."
        )
    first = candidates[0]
    if first.suffix == ".safetensors":
        return WeightFiles((first,), variant or None, listed=None)
    listed = _read_index(first)
    return WeightFiles(tuple(folder / name for name in sorted(set(listed.values()))), variant or None, listed)


def _read_index(index: Path) -> dict[str, str]:
    listed = read_json(index).get("weight_map")
    is_map = isinstance(listed, dict) and all(isinstance(name, str) for name in listed.values())
    if not is_map or not listed:
        raise ExportError(f"{index}: expected weight_map, the file of every tensor; found none. Download it again.")
    strange = sorted({name for name in listed.values() if Path(name).name != name or not name.endswith(".safetensors")})
    if strange:
        raise ExportError(f"{index}: expected safetensors files in the same folder; it names {', '.join(strange)}.")
    missing = sorted({name for name in listed.values() if not (index.parent / name).is_file()})
    if missing:
        raise ExportError(f"{index}: it names {', '.join(missing)}, not found beside it. Download the missing files.")
    return listed


def _nothing_found(folder: Path, stem: str) -> ExportError:
    others = sorted(path.name for path in folder.iterdir() if path.suffix in {*PICKLES, ".safetensors"})
    problem = f"{folder / stem}.safetensors: not found"
    if not others:
        return ExportError(f"{problem}. Download the weights of this folder.")
    if all(Path(name).suffix in PICKLES for name in others):
        return ExportError(
            f"{problem}; only safetensors files are read, because pickles ({', '.join(others)}) can run code. "
            "Download the safetensors files, or load the model where you trust its origin and save it with "
            "save_pretrained()."
        )
    return ExportError(
        f"{problem}, nor {stem}.safetensors.index.json, the index of shards; found {', '.join(others)}. "
        "Download the missing files, or give the file its usual name."
    )
