"""What each training step sees, decided ahead of it: scenes, and their captions as tokens."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import PreTrainedTokenizerFast

from training.captions import caption
from training.device import LOADERS
from training.latents import LatentSet
from training.stages import Stage

CAPTION_DROPOUT = 0.1
TOKENS = 40
"""Captions are padded to a multiple of this, so that few lengths occur; it divides the tokenizer's limit."""


@dataclass(frozen=True)
class Batch:
    """One step's pictures: `chosen` of the stage's source number `source`, with tokens and mask [B, T]."""

    source: int
    chosen: torch.Tensor
    ids: torch.Tensor
    mask: torch.Tensor


class Batches(IterableDataset):
    """The batches of a stage from a step on, the same for the same step; a share of captions is empty for guidance."""

    def __init__(self, stage: Stage, sets: list[LatentSet], tokenizer: PreTrainedTokenizerFast, first: int):
        self.stage, self.tokenizer, self.first = stage, tokenizer, first
        self.scenes = [data.scenes for data in sets]

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        offset, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        for step in range(self.first + offset, self.stage.steps, stride):
            yield self.batch(step)

    def batch(self, step: int) -> Batch:
        rng = np.random.default_rng([self.stage.seed, step])
        source = rng.choice(len(self.scenes), p=[s.share for s in self.stage.sources])
        scenes = self.scenes[source]
        chosen = np.sort(rng.choice(len(scenes), self.stage.sources[source].batch, replace=False))
        texts = ["" if rng.random() < CAPTION_DROPOUT else caption(scenes[i], rng) for i in chosen]
        tokens = self.tokenizer(texts, truncation=True, padding=True, pad_to_multiple_of=TOKENS, return_tensors="pt")
        return Batch(int(source), torch.from_numpy(chosen), tokens.input_ids, tokens.attention_mask)


def load_batches(
    stage: Stage, sets: list[LatentSet], tokenizer: PreTrainedTokenizerFast, first: int
) -> Iterator[Batch]:
    """Yield a stage's batches in order, prepared ahead in other processes where a GPU would wait for them."""
    batches = Batches(stage, sets, tokenizer, first)
    return iter(DataLoader(batches, batch_size=None, num_workers=LOADERS, prefetch_factor=8 if LOADERS else None))
