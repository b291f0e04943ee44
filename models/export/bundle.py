"""bundle.json: the description that docs/bundle-format.md lays down."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from network.transformer import TransformerShape

from .checkpoint import TokenizerPart
from .scheduler import SchedulerPart

DESCRIPTION_FILE = "bundle.json"
SAMPLE_SIZES = {"256": 32, "512": 64, "1024": 128, "2k": 256, "4k": 512}
"""The latent side of each size."""


@dataclass(frozen=True)
class BundleOptions:
    """What a person says of a bundle and the checkpoint does not hold."""

    name: str
    description: str
    license: str
    source: str
    sizes: tuple[str, ...]
    max_tokens: int
    clean_caption: bool
    steps: int | None = None
    guidance: float | None = None
    """What a job gets that does not say; where nothing is said here either, what the sampler is usually run with."""


@dataclass(frozen=True)
class CheckpointFacts:
    """What the checkpoint says of itself."""

    tokenizer: TokenizerPart
    position_range: float
    text_width: int
    transformer: TransformerShape
    vae: dict[str, Any]
    vae_norms: int
    scheduler: SchedulerPart


def write_description(folder: Path, options: BundleOptions, facts: CheckpointFacts) -> None:
    """Writes bundle.json; every other file of `folder` is listed with its digest and size."""
    description = {
        "format": 2,
        "name": options.name,
        "description": options.description,
        "license": options.license,
        "source": options.source,
        "sizes": {size: _positions(size, facts.position_range) for size in options.sizes},
        "tokenizer": {
            "maxTokens": options.max_tokens,
            "padTokenId": facts.tokenizer.pad_id,
            "eosTokenId": facts.tokenizer.eos_id,
            "cleanCaption": options.clean_caption,
            **single_word(facts.tokenizer.tokenizer),
        },
        "textEncoder": {"width": facts.text_width},
        "transformer": _transformer(facts.transformer),
        "vae": _vae(facts.vae, facts.vae_norms),
        "scheduler": facts.scheduler.description,
        "defaults": _defaults(options, facts.scheduler),
        "files": {path.name: _digest(path) for path in sorted(folder.iterdir())},
    }
    text = json.dumps(description, indent=2, ensure_ascii=False)
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
        "layers": shape.layers,
        "heads": shape.heads,
        "headWidth": shape.head_width,
        "patch": shape.patch,
        "latentChannels": shape.latent_channels,
        "kvCompression": shape.kv_compression and shape.kv_compression.description(),
    }


def _vae(config: dict[str, Any], norms: int) -> dict[str, Any]:
    return {
        "factor": 2 ** (len(config["block_out_channels"]) - 1),
        "scaling": config["scaling_factor"],
        "shift": config.get("shift_factor") or 0,
        "norms": norms,
        "groups": config["norm_num_groups"],
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
