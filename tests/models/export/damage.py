"""Ways to change a checkpoint's files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

WEIGHTS = "diffusion_pytorch_model.safetensors"
FILES = {
    "transformer": f"transformer/{WEIGHTS}",
    "vae": f"vae/{WEIGHTS}",
    "text_encoder": "text_encoder/model.safetensors",
}


def change_json(file: Path, **settings: Any) -> None:
    """Sets fields of a JSON file."""
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | settings), encoding="utf-8")


def change_weights(file: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    """Applies `change` to the tensors of a safetensors file."""
    state = load_file(file)
    change(state)
    save_file(state, file)


def write_shards(file: Path, variant: str = "") -> Path:
    """Splits a file into two shards with an index in its place; returns the index."""
    state = load_file(file)
    names = sorted(state)
    index = {}
    for part, chosen in enumerate((names[::2], names[1::2]), 1):
        shard = f"{file.stem}-{part:05}-of-00002{variant}.safetensors"
        save_file({name: state[name] for name in chosen}, file.with_name(shard))
        index |= dict.fromkeys(chosen, shard)
    file.unlink()
    target = file.with_name(f"{file.name}.index{variant}.json")
    target.write_text(json.dumps({"metadata": {}, "weight_map": index}), encoding="utf-8")
    return target
