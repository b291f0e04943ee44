"""Writes a draft: the graph, and its weights one after another into a file beside it."""

from collections.abc import Iterable, Iterator, Sequence
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


def has_data_file(*drafts: Draft) -> bool:
    """Whether the weights go into a file beside the graphs: where they are large, or several graphs share them."""
    return len(drafts) > 1 or drafts[0].nbytes > EXTERNAL_DATA_BYTES


def bytes_of(*drafts: Draft) -> int:
    """What the weights of the drafts need on disk; a graph itself is less than a percent of it, or a few MB."""
    if not has_data_file(*drafts):
        return drafts[0].nbytes
    return max(offset + recipe.nbytes for recipe, offset in _places(_recipes(drafts).values()))


def write_draft(draft: Draft, read: Read, folder: Path, report: Report = say) -> None:
    """Writes `folder / draft.file`, and `<file>.data` beside it where its weights are large.

    Of the weights only one is in memory at a time. `draft` can be written once.
    """
    write_drafts([draft], read, folder, report)


def write_drafts(drafts: list[Draft], read: Read, folder: Path, report: Report = say) -> None:
    """Writes graphs whose weights of the same name are the same, and lie once in the data file of the first."""
    recipes = _recipes(drafts)
    places = dict(_named(_places(recipes.values()))) if has_data_file(*drafts) else {}
    data = f"{drafts[0].file}.data"
    for draft in drafts:
        _give_numbers(draft, places, read, folder / data)
    if places:
        with (folder / data).open("wb") as file:
            _write_data({name: recipes[name] for name in places}, places, read, file, report)
    for draft in drafts:
        (folder / draft.file).write_bytes(ir.to_proto(draft.model).SerializeToString())


def _recipes(drafts: Sequence[Draft]) -> dict[str, Recipe]:
    """All of some drafts by name. Raises `ValueError` where two have different ones under the same name."""
    recipes: dict[str, Recipe] = {}
    for draft in drafts:
        for name, recipe in draft.recipes.items():
            if recipes.setdefault(name, recipe) is not recipe:
                raise ValueError(f"{draft.file} has another weight {name} than {drafts[0].file}")
    return recipes


def _give_numbers(draft: Draft, places: dict[str, int], read: Read, data: Path) -> None:
    weights = draft.model.graph.initializers
    for name, recipe in draft.recipes.items():
        if name in places:
            place, shape = places[name], ir.Shape(recipe.shape)
            weights[name].const_value = ir.ExternalTensor(
                data.name, place, recipe.nbytes, recipe.dtype, shape=shape, name=name, base_dir=data.parent
            )
        else:
            weights[name].const_value = _inline(recipe, _checked(recipe, read))


def _write_data(recipes: dict[str, Recipe], places: dict[str, int], read: Read, file: BinaryIO, report: Report) -> None:
    total = max(places[name] + recipe.nbytes for name, recipe in recipes.items())
    progress = Progress(f"{Path(file.name).name}: written", total, report)
    for name, recipe in recipes.items():
        file.write(bytes(places[name] - file.tell()))
        file.write(_bytes(_checked(recipe, read)))
        progress.reached(file.tell())


def _places(recipes: Iterable[Recipe]) -> Iterator[tuple[Recipe, int]]:
    end = 0
    for recipe in recipes:
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
