"""Reads and writes single tensors of safetensors files: mapping a whole file would count as memory."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .errors import ExportError

DTYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}
"""The number types that weights may have."""

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Stored:
    """The location of a tensor."""

    file: Path
    name: str
    shape: Shape
    dtype: str
    offset: int

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize

    def read(self) -> Tensor:
        """Reads the tensor as it is stored."""
        dtype = DTYPES[self.dtype]
        buffer = bytearray(self.nbytes)
        with self.file.open("rb", buffering=0) as file:
            file.seek(self.offset)
            left = memoryview(buffer)
            # One call reads at most 2 GiB.
            while left and (read := file.readinto(left)):
                left = left[read:]
        if left:
            raise ExportError(f"{self.file}: it was truncated while it was being read. Download the file again.")
        return torch.frombuffer(buffer, dtype=dtype).reshape(self.shape) if buffer else torch.empty(self.shape)


def read_header(file: Path) -> dict[str, Stored]:
    """The tensors of a file, without their values. Raises `ExportError` if it is cut off or not safetensors."""
    try:
        with safe_open(file, framework="pt") as opened:
            names = list(opened.keys())
    except SafetensorError as error:
        raise ExportError(
            f"{file}: expected a complete safetensors file, found {file.stat().st_size} bytes ({error}). "
            "Download the file again."
        ) from error
    with file.open("rb") as raw:
        length = int.from_bytes(raw.read(8), "little")
        header = json.loads(raw.read(length))
    return {name: _stored(file, name, header[name], 8 + length) for name in names}


def _stored(file: Path, name: str, entry: dict, start: int) -> Stored:
    return Stored(file, name, tuple(entry["shape"]), entry["dtype"], start + entry["data_offsets"][0])


def write_tensors(
    file: Path,
    shapes: Mapping[str, Shape],
    dtype: torch.dtype,
    make: Callable[[str, Shape], Tensor],
    reached: Callable[[int], None],
) -> None:
    """Writes a safetensors file one tensor after another; `make` returns each, `reached` gets the bytes so far."""
    kind = next(name for name, value in DTYPES.items() if value == dtype)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with file.open("wb") as out:
        out.write(len(text).to_bytes(8, "little") + text)
        for name, shape in shapes.items():
            out.write(memoryview(make(name, shape).reshape(-1).view(torch.uint8).numpy()))
            reached(out.tell())
