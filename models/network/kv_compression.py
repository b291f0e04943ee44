"""Key/value compression (PixArt-Σ, section 3.3), and its place in a checkpoint: diffusers has none for it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors.torch import load_file, save_file
from torch import Tensor


@dataclass(frozen=True)
class KvCompression:
    """Which layers shorten keys and values, and by how much along each side."""

    layers: tuple[int, ...]
    scale: int

    def description(self) -> dict[str, Any]:
        """Its entry in a checkpoint's config.json."""
        return {"layers": list(self.layers), "scale": self.scale, "sampling": "conv"}


def is_compression_weight(name: str) -> bool:
    """Whether a parameter is one that a layer has for compression only."""
    return ".attn1.sr." in name or ".attn1.norm." in name


def add_compression(folder: Path, compression: KvCompression, weights: Mapping[str, Tensor]) -> None:
    """Add to the `transformer/` folder that diffusers wrote what it left out: these weights and the config's entry."""
    file = folder / SAFETENSORS_WEIGHTS_NAME
    save_file({**load_file(file), **weights}, file, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["kv_compression"] = compression.description()
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
