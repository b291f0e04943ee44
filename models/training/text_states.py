"""Caption states for the transformer: the frozen text encoder's output, padded to the batch's longest caption."""

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, T5EncoderModel

from training.captions import caption
from training.scenes import Scene


class TextStates:
    """Turns texts into states [B, T, D] and mask [B, T]."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, encoder: T5EncoderModel):
        self.tokenizer, self.encoder = tokenizer, encoder.eval()

    @torch.no_grad()
    def __call__(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        encoded = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        states = self.encoder(input_ids=encoded.input_ids, attention_mask=encoded.attention_mask)
        return states.last_hidden_state, encoded.attention_mask

    def for_scenes(
        self, scenes: list[Scene], rng: np.random.Generator, dropout: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Caption scenes at random; a share has the empty caption, which guidance needs."""
        return self(["" if rng.random() < dropout else caption(s, rng) for s in scenes])
