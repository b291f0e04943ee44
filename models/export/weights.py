"""The tensors of a model's weight files: all expected ones are there, none is left over, and all values are finite."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .errors import ExportError
from .progress import Progress, Report
from .storing import HALF_MIN_ELEMENTS, LARGEST_HALF
from .tensor_file import DTYPES, Shape, Stored, read_header
from .weight_files import find_weights

NAMES_SHOWN = 20


@dataclass(frozen=True)
class Weights:
    """The tensors that a model needs, by its own names for them."""

    folder: Path
    variant: str | None
    stored: dict[str, Stored]

    def tensor(self, name: str) -> Tensor:
        """Reads one tensor, as float32."""
        return self.stored[name].read().float()

    def load(self) -> dict[str, Tensor]:
        """Reads all tensors, as float32."""
        return {name: self.tensor(name) for name in self.stored}

    def check_values(self, kind: str, report: Report) -> None:
        """Reads every tensor once and raises `ExportError` with the names of those that hold NaN or infinity.

        Tensors that this `kind` of weights stores as float16 have to fit in it too.
        """
        progress = Progress(f"{self.folder.name}: checked", sum(each.nbytes for each in self.stored.values()), report)
        done = 0
        not_finite, too_large = [], []
        for name, stored in self.stored.items():
            tensor = self.tensor(name)
            if not tensor.isfinite().all():
                not_finite.append(name)
            elif kind == "fp16" and tensor.numel() >= HALF_MIN_ELEMENTS and tensor.abs().max() > LARGEST_HALF:
                too_large.append(name)
            done += stored.nbytes
            progress.reached(done)
        if not_finite:
            raise ExportError(
                f"{self.folder}: expected numbers, found NaN or infinity in {_some(not_finite)}. Download the weights "
                "again; if they are published like this, as some float16 variants are, use another variant."
            )
        if too_large:
            raise beyond_half(self.folder, too_large)


def open_weights(
    folder: Path,
    stem: str,
    expected: Mapping[str, Shape],
    harmless: Mapping[str, str],
    *,
    rename: Callable[[set[str]], Mapping[str, str]] = lambda names: {},
    optional: Mapping[str, Shape] | None = None,
) -> Weights:
    """Reads which tensors there are, but not their values.

    Args:
        folder: the folder with the files.
        stem: the files' base name.
        expected: names and shapes of all tensors that the model needs.
        harmless: patterns of names that may be left over, each with the reason.
        rename: given all names in the files, the model's names for those that differ.
        optional: names and shapes of tensors that the model uses if they are there.

    Raises:
        ExportError: a file is missing or cut off, or the tensors are not the expected ones; the message names them.
    """
    found = find_weights(folder, stem)
    in_files: dict[str, Stored] = {}
    for file in found.files:
        for name, stored in read_header(file).items():
            if name in in_files:
                both = f"{in_files[name].file.name} and {file.name}"
                raise ExportError(f"{folder}: {name} is in both {both}. Download both again.")
            in_files[name] = stored
    if found.listed is not None:
        _check_listed(folder, found.listed, in_files)
    renamed = rename(set(in_files))
    tensors = {renamed.get(name, name): stored for name, stored in in_files.items()}
    expected = {**expected, **{name: shape for name, shape in (optional or {}).items() if name in tensors}}
    problems = _problems(expected, tensors, harmless)
    if problems:
        raise ExportError(
            f"{folder}: the weights do not match the model that config.json describes.\n  "
            + "\n  ".join(problems)
            + "\nTake config.json and weights from the same download, and download truncated files again."
        )
    return Weights(folder, found.variant, {name: tensors[name] for name in expected})


def beyond_half(folder: Path, names: list[str]) -> ExportError:
    """The error for weights that float16, in which they would be stored, cannot hold."""
    return ExportError(
        f"{folder}: {_some(names)} hold values above {LARGEST_HALF:.0f}, the largest float16. "
        "Store this network's weights in another format, such as fp32."
    )


def shapes_of(module: nn.Module) -> dict[str, Shape]:
    """Names and shapes of a module's weights."""
    return {name: tuple(weight.shape) for name, weight in module.state_dict().items()}


def empty_model(where: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Builds a model without memory for its weights.

    Raises `ExportError` if the libraries cannot build one from the configuration `where`.
    """
    try:
        with torch.device("meta"):
            return build().eval().requires_grad_(False)
    except Exception as error:  # the libraries raise whatever their arithmetic runs into
        raise ExportError(f"{where}: it does not describe a model ({error}). Download the file again.") from error


def _check_listed(folder: Path, listed: Mapping[str, str], found: Mapping[str, Stored]) -> None:
    astray = [name for name, file in listed.items() if name not in found or found[name].file.name != file]
    if astray:
        raise ExportError(f"{folder}: {_some(astray)}: not in the shard that the index names. Download both again.")


def _problems(expected: Mapping[str, Shape], found: Mapping[str, Stored], harmless: Mapping[str, str]) -> list[str]:
    missing = [name for name in expected if name not in found]
    left_over = [n for n in found if n not in expected and not any(re.fullmatch(pattern, n) for pattern in harmless)]
    there = [(name, found[name], shape) for name, shape in expected.items() if name in found]
    shapes = [f"{n} is {list(s.shape)}, not {list(shape)}" for n, s, shape in there if s.shape != shape]
    types = [f"{n} is {s.dtype}, not one of {', '.join(DTYPES)}" for n, s, _ in there if s.dtype not in DTYPES]
    lists = {"missing": missing, "left over": left_over, "of another shape": shapes, "of another type": types}
    return [f"{what}: {_some(names)}" for what, names in lists.items() if names]


def _some(names: list[str]) -> str:
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
