"""Writes a draft: the graph, and its weights one after another into a file beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import onnx_ir as ir
import torch
from torch import Tensor

from .drafts import Draft
from .errors import ExportError
from .progress import Progress, Report, say
from .recipes import Read, Recipe

EXTERNAL_DATA_BYTES = 100 * 2**20
"""Weights above this go into a file of their own; a protobuf file ends at 2 GB."""

INLINE_BYTES = 256
"""Smaller weights stay in the graph, where checks of shapes see them."""

ALIGNMENT, PAGE, PAGED_BYTES = 64, 2**16, 2**20
"""Weights begin at multiples of the first, and those of a MiB or more at multiples of the second: as large as a unit of
mapped memory is on any system."""


def has_data_file(draft: Draft) -> bool:
    """Whether the weights go into a file beside the graph."""
    return draft.nbytes > EXTERNAL_DATA_BYTES


def bytes_of(draft: Draft) -> int:
    """What the weights of a draft need on disk; the graph itself is less than a percent of it, or a few MB."""
    if not has_data_file(draft):
        return draft.nbytes
    return max(offset + recipe.nbytes for recipe, offset in _places(draft))


def write_draft(draft: Draft, read: Read, folder: Path, report: Report = say) -> None:
    """Writes `folder / draft.file`, and `<file>.data` beside it where its weights are large.

    Of the weights only one is in memory at a time. `draft` can be written once.
    """
    weights = draft.model.graph.initializers
    places = dict(_named(_places(draft))) if has_data_file(draft) else {}
    data = f"{draft.file}.data"
    for name, recipe in draft.recipes.items():
        if name in places:
            place, shape = places[name], ir.Shape(recipe.shape)
            weights[name].const_value = ir.ExternalTensor(
                data, place, recipe.nbytes, recipe.dtype, shape=shape, name=name, base_dir=folder
            )
        else:
            weights[name].const_value = _inline(recipe, _checked(recipe, read))
    if places:
        with (folder / data).open("wb") as file:
            _write_data(draft, places, read, file, report)
    (folder / draft.file).write_bytes(ir.to_proto(draft.model).SerializeToString())


def _write_data(draft: Draft, places: dict[str, int], read: Read, file: BinaryIO, report: Report) -> None:
    progress = Progress(f"{draft.file}.data: written", bytes_of(draft), report)
    for name, place in places.items():
        recipe = draft.recipes[name]
        file.write(bytes(place - file.tell()))
        file.write(_bytes(_checked(recipe, read)))
        progress.reached(file.tell())


def _places(draft: Draft) -> Iterator[tuple[Recipe, int]]:
    end = 0
    for recipe in draft.recipes.values():
        if recipe.nbytes < INLINE_BYTES:
            continue
        unit = PAGE if recipe.nbytes >= PAGED_BYTES else ALIGNMENT
        start = -(-end // unit) * unit
        yield recipe, start
        end = start + recipe.nbytes


def _named(places: Iterator[tuple[Recipe, int]]) -> Iterator[tuple[str, int]]:
    for recipe, offset in places:
        yield recipe.name, offset


def _checked(recipe: Recipe, read: Read) -> Tensor:
    value = recipe.value(read)
    if value.nbytes != recipe.nbytes:
        raise ExportError(f"{recipe.name}: {value.nbytes} bytes were made where {recipe.nbytes} were announced.")
    return value


def _bytes(value: Tensor) -> memoryview:
    return memoryview(value.reshape(-1).view(torch.uint8).numpy())


def _inline(recipe: Recipe, value: Tensor) -> ir.Tensor:
    array = value.reshape(-1).view(torch.uint8).numpy().view(recipe.dtype.numpy()).reshape(recipe.shape)
    return ir.Tensor(array, dtype=recipe.dtype, name=recipe.name)
