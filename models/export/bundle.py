"""bundle.json: the description that docs/bundle-format.md lays down."""

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
"""The latent side of each size."""

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
"""The option that says what stands there; the rest is the checkpoint's."""


@dataclass(frozen=True)
class BundleOptions:
    """What a person says of a bundle and the checkpoint does not hold."""

    name: str
    description: str
    license: str
    source: str
    sizes: tuple[str, ...]
    clean_caption: bool
    max_tokens: int | None = None
    """Of a caption; where nothing is said, what the checkpoint's pipeline takes."""
    steps: int | None = None
    guidance: float | None = None
    """What a job gets that does not say; where nothing is said here either, what the sampler is usually run with."""


def describe_bundle(options: BundleOptions, checkpoint: Checkpoint) -> dict[str, Any]:
    """All of bundle.json but the digests of its files. Raises `ExportError` for what its readers would refuse."""
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
        raise ExportError(f"{'; '.join(problems)}. A bundle with this would not be read.")
    return description


def write_description(folder: Path, description: dict[str, Any]) -> None:
    """Writes bundle.json; every other file of `folder` is listed with its digest and size."""
    files = {path.name: _digest(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
    text = json.dumps({**description, "files": files}, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / DESCRIPTION_FILE).write_text(text + "\n", encoding="utf-8")


def _positions(size: str, position_range: float) -> dict[str, float]:
    """Every size spans the same range of positions (PixArt-Σ, section 3.3), so the scale grows with the side."""
    sample_size = SAMPLE_SIZES[size]
    return {"sampleSize": sample_size, "interpolationScale": sample_size / position_range}


def single_word(tokenizer: Tokenizer) -> dict[str, bool]:
    """What tells a bundle with such tokens from earlier ones, whose readers found them within words too."""
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
