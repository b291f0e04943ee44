"""Stage 2: the text encoder, taught to read a caption's scene.  python -m training.train_text

Object, style, background and relation are read off by one learned query each over all token states, much as the
transformer's cross-attention will read them. The encoder is then kept as it is, the queries are thrown away.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from training.captions import caption
from training.icons import DRAWN, STYLES
from training.run import Average, Run, optimisers, set_rate, trapezoid
from training.scenes import BACKGROUNDS, RELATIONS, Scene, sample_scene
from training.tokenizer import VOCABULARY, load_tokenizer

ATTRIBUTES = {
    "object": DRAWN,
    "other": ("none", *DRAWN),
    "style": STYLES,
    "background": tuple(BACKGROUNDS),
    "relation": ("none", *RELATIONS),
}


def build_text_encoder() -> T5EncoderModel:
    """Return an untrained T5 encoder: 4 layers, width 192."""
    return T5EncoderModel(
        T5Config(
            vocab_size=VOCABULARY,
            d_model=192,
            d_kv=32,
            d_ff=512,
            num_layers=4,
            num_heads=6,
            feed_forward_proj="gated-gelu",
            dropout_rate=0.0,
            pad_token_id=0,
            eos_token_id=1,
            tie_word_embeddings=False,
        )
    )


class SceneReader(nn.Module):
    """Text encoder with one query and one classifier per attribute."""

    def __init__(self):
        super().__init__()
        self.encoder = build_text_encoder()
        width = self.encoder.config.d_model
        self.queries = nn.Parameter(torch.randn(len(ATTRIBUTES), width) / width**0.5)
        self.heads = nn.ModuleList(nn.Linear(width, len(values)) for values in ATTRIBUTES.values())

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
        """Return one [B, values] of logits per attribute."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        attention = (states @ self.queries.T).masked_fill(mask[:, :, None] == 0, -1e4).softmax(1)
        read = attention.mT @ states
        return [head(read[:, i]) for i, head in enumerate(self.heads)]


def targets(scene: Scene) -> list[int]:
    """Return the index of each attribute's value."""
    first, other = scene.objects[0], scene.objects[1].name if len(scene.objects) == 2 else "none"
    values = (first.name, other, first.style, scene.background, scene.relation or "none")
    return [names.index(v) for names, v in zip(ATTRIBUTES.values(), values, strict=True)]


def text_batch(
    rng: np.random.Generator, tokenizer: PreTrainedTokenizerFast, batch: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw scenes and captions: ids and mask [B, T], targets [attributes, B]."""
    scenes = [sample_scene(rng, pair_share=0.4) for _ in range(batch)]
    encoded = tokenizer([caption(s, rng) for s in scenes], padding=True, return_tensors="pt")
    return encoded.input_ids, encoded.attention_mask, torch.tensor([targets(s) for s in scenes]).T


@torch.no_grad()
def accuracy(reader: SceneReader, tokenizer: PreTrainedTokenizerFast, count: int = 512) -> dict[str, float]:
    """Share of captions read rightly, by attribute; about a tenth do not say style or background at all."""
    ids, mask, wanted = text_batch(np.random.default_rng(77), tokenizer, count)
    rows = zip(ATTRIBUTES, reader(ids, mask), wanted, strict=True)
    return {name: round((x.argmax(1) == w).float().mean().item(), 3) for name, x, w in rows}


def train(run: Run, steps: int, batch: int, lr: float) -> T5EncoderModel:
    """Train and return the averaged encoder."""
    torch.manual_seed(2)
    tokenizer = load_tokenizer()
    reader = SceneReader()
    average = Average(reader, 0.99)
    optimizers = optimisers(reader, lambda n, p: p.ndim == 2 and "block" in n and "bias" not in n, lr)
    start = run.resume(reader, average, optimizers)
    for step in range(start, steps):
        set_rate(optimizers, lr * trapezoid(step, steps, warmup=50))
        ids, mask, wanted = text_batch(np.random.default_rng([2, step]), tokenizer, batch)
        loss = sum(F.cross_entropy(x, w) for x, w in zip(reader(ids, mask), wanted, strict=True))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        average.update(reader)
        if step % 50 == 49 or step == steps - 1:
            run.log(step=step, loss=round(loss.item(), 4), **accuracy(average.module, tokenizer))
    run.save(steps, reader, average, optimizers)
    return average.module.encoder


def load_text_encoder(run: Run) -> T5EncoderModel:
    """Return a finished run's averaged encoder, frozen."""
    reader = SceneReader()
    weights = {n.removeprefix("encoder."): w for n, w in run.averaged().items() if n.startswith("encoder.")}
    reader.encoder.load_state_dict(weights)
    return reader.encoder.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--run", default="text")
    arguments = parser.parse_args()
    train(Run(arguments.run), arguments.steps, arguments.batch, arguments.lr)


if __name__ == "__main__":
    main()
