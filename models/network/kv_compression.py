"""Key/value compression (PixArt-Σ, section 3.3), and its storage in a checkpoint: diffusers does not support it."""

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
    """The layers that compress keys and values, and the factor along each side."""

    layers: tuple[int, ...]
    scale: int

    def description(self) -> dict[str, Any]:
        """Its entry in a checkpoint's config.json."""
        return {"layers": list(self.layers), "scale": self.scale, "sampling": "conv"}


def is_compression_weight(name: str) -> bool:
    """Whether a parameter exists only for compression."""
    return ".attn1.sr." in name or ".attn1.norm." in name


def add_compression(folder: Path, compression: KvCompression, weights: Mapping[str, Tensor]) -> None:
    """Add the weights and the config's entry that diffusers left out of its `transformer/` folder."""
    file = folder / SAFETENSORS_WEIGHTS_NAME
    save_file({**load_file(file), **weights}, file, metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["kv_compression"] = compression.description()
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
