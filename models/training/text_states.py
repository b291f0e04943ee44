"""Caption states for the transformer: the frozen text encoder's output, padded to the batch's longest caption."""

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast, T5EncoderModel

from training.captions import caption
from training.device import DEVICE
from training.scenes import Scene


class TextStates:
    """Turns texts into states [B, T, D] and mask [B, T]."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, encoder: T5EncoderModel):
        self.tokenizer, self.encoder = tokenizer, encoder.eval().to(DEVICE)

    @torch.no_grad()
    def __call__(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        encoded = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        return self.of_tokens(encoded.input_ids, encoded.attention_mask)

    @torch.no_grad()
    def of_tokens(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Turn tokens and mask [B, T], on any device, into states and mask on the training device."""
        mask = mask.to(DEVICE)
        return self.encoder(input_ids=ids.to(DEVICE), attention_mask=mask).last_hidden_state, mask

    def for_scenes(self, scenes: list[Scene], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Write random captions for scenes."""
        return self([caption(s, rng) for s in scenes])
