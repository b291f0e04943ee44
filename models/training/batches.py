"""The data of each training step, chosen in advance: scenes, and their captions as tokens."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from training.ahead import prepared
from training.captions import caption
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


class Batches:
    """The batches of a stage, reproducible by step; a share of captions is empty, for guidance."""

    def __init__(self, stage: Stage, sets: list[LatentSet], tokenizer: PreTrainedTokenizerFast):
        self.stage, self.tokenizer = stage, tokenizer
        self.scenes = [data.scenes for data in sets]

    def at(self, step: int) -> Batch:
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
    """Yield a stage's batches from a step on, in order, indefinitely."""
    return prepared(Batches(stage, sets, tokenizer).at, first)
