"""bundle.json, as specified in docs/bundle-format.md."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from network.transformer import TransformerShape

from .checkpoint import Checkpoint
from .description_rules import problems_of
from .errors import ExportError
from .scheduler import SchedulerPart

DESCRIPTION_FILE = "bundle.json"
SAMPLE_SIZES = {"256": 32, "512": 64, "1024": 128, "2k": 256, "4k": 512}
"""The side of the latents for each size."""

LARGE_PIECE = 256**2
"""Latents of the largest bins of 2K."""

_ORIGINS = {
    "name": "--name",
    "description": "--description",
    "license": "--license",
    "source": "--source",
    "sizes": "--size",
    "tokenizer.maxTokens": "--max-tokens",
    "defaults.steps": "--steps",
    "defaults.guidance": "--guidance",
}
"""The option that sets each field; the other fields come from the checkpoint."""


@dataclass(frozen=True)
class BundleOptions:
    """The properties of a bundle that the checkpoint does not contain, given by a person."""

    name: str
    description: str
    license: str
    source: str
    sizes: tuple[str, ...]
    clean_caption: bool
    max_tokens: int | None = None
    """The length of a caption; default: that of the checkpoint's pipeline."""
    steps: int | None = None
    guidance: float | None = None
    """Defaults for jobs; if not given, the sampler's usual values."""


def describe_bundle(options: BundleOptions, checkpoint: Checkpoint) -> dict[str, Any]:
    """Everything in bundle.json except the files' digests. Raises `ExportError` for values that readers refuse."""
    checkpoint.scheduler.check_steps(options.steps)
    description = {
        "format": 2,
        "name": options.name,
        "description": options.description,
        "license": options.license,
        "source": options.source,
        "sizes": {size: _positions(size, checkpoint.transformer.position_range) for size in options.sizes},
        "tokenizer": {
            "maxTokens": checkpoint.kind.max_tokens if options.max_tokens is None else options.max_tokens,
            "eosTokenId": checkpoint.tokenizer.eos_id,
            "cleanCaption": options.clean_caption,
            **single_word(checkpoint.tokenizer.tokenizer),
        },
        "transformer": _transformer(checkpoint.transformer.shape),
        "vae": _vae(checkpoint),
        "scheduler": checkpoint.scheduler.description,
        "defaults": _defaults(options, checkpoint.scheduler),
        "files": {},
    }
    problems = [
        f"{_ORIGINS.get(path, f'{checkpoint.folder}: {path}')}: {what}" for path, what in problems_of(description)
    ]
    if problems:
        raise ExportError(f"{'; '.join(problems)}. No reader would accept such a bundle.")
    return description


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Writes bundle.json, with the digest and size of every other file in `folder`."""
    files = {path.name: _digest(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    text = json.dumps({**description, "files": files}, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def _positions(size: str, position_range: float) -> dict[str, float]:
    """Every size spans the same range of positions (PixArt-Σ, section 3.3), so the scale grows with the side."""
    sample_size = SAMPLE_SIZES[size]
    return {"sampleSize": sample_size, "interpolationScale": sample_size / position_range}


def single_word(tokenizer: Tokenizer) -> dict[str, bool]:
    """Marks a bundle with such tokens, because earlier readers matched them inside words too."""
    added = tokenizer.get_added_tokens_decoder().values()
    return {"singleWord": True} if any(token.single_word for token in added) else {}


def _transformer(shape: TransformerShape) -> dict[str, Any]:
    return {
        "heads": shape.heads,
        "headWidth": shape.head_width,
        "patch": shape.patch,
        "latentChannels": shape.latent_channels,
    }


def _vae(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "factor": checkpoint.vae.factor,
        "scaling": checkpoint.vae.config["scaling_factor"],
        "norms": checkpoint.decoder.norms,
        "groups": checkpoint.decoder.groups,
    }


def _defaults(options: BundleOptions, scheduler: SchedulerPart) -> dict[str, float]:
    return {
        "steps": scheduler.steps if options.steps is None else options.steps,
        "guidance": scheduler.guidance if options.guidance is None else options.guidance,
    }


def _digest(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return {"sha256": sha256, "bytes": path.stat().st_size}
