"""The file format of golden arrays: raw little-endian, one after another."""

from pathlib import Path
from typing import Any

import numpy as np


def write_tensors(arrays: dict[str, np.ndarray], folder: Path) -> dict[str, Any]:
    """Writes `folder / tensors.bin`; returns dtype, shape and byte offset of each array for the JSON beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, offset = {}, 0
    with (folder / "tensors.bin").open("wb") as file:
        for name, array in arrays.items():
            dtype = "uint8" if array.dtype == np.uint8 else "float32"
            entries[name] = {"dtype": dtype, "shape": list(array.shape), "offset": offset}
            offset += file.write(array.astype("<f4" if dtype == "float32" else "u1").tobytes())
    return entries
