"""Prepares batches ahead of training, in other processes if a GPU would wait for them."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.device import LOADERS

Prepared = TypeVar("Prepared")


class _Steps(IterableDataset):
    """The batch of every step from `first` on, indefinitely; several processes take turns."""

    def __init__(self, batch: Callable[[int], object], first: int):
        self.batch, self.first = batch, first

    def __iter__(self) -> Iterator[object]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        return map(self.batch, count(self.first + offset, stride))


def prepared(batch: Callable[[int], Prepared], first: int) -> Iterator[Prepared]:
    """Yield `batch(step)` for the steps from `first` on, in order, indefinitely."""
    steps = _Steps(batch, first)
    return iter(DataLoader(steps, batch_size=None, num_workers=LOADERS, prefetch_factor=8 if LOADERS else None))
