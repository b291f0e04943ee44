"""Stage 2: the text encoder, trained to understand a caption's scene.  python -m training.train_text

Objects, their places, number and size, style, background and relation are each read by one learned query over all token
states, much as the transformer's cross-attention will read them; a query for each place makes the states say where an
object goes. The encoder is then kept, and the queries are discarded.
"""

import argparse

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from training.ahead import prepared
from training.captions import caption
from training.device import DEVICE
from training.finite import finite
from training.icons import OBJECT_NAMES, STYLES
from training.run import Average, Length, Run, descend, optimisers, set_rate, trapezoid
from training.scenes import BACKGROUNDS, RELATIONS, SIZES, Scene, sample_scene
from training.stages import TEXT_RUN
from training.tokenizer import VOCABULARY, load_tokenizer

PLACES = ("left", "right", "top", "bottom")
OPTIONAL = ("none", *OBJECT_NAMES)
COUNTS = ("1", "2", "3", "4")
ATTRIBUTES = {
    "object": OBJECT_NAMES,
    "other": OPTIONAL,
    **dict.fromkeys(PLACES, OPTIONAL),
    "style": STYLES,
    "background": tuple(BACKGROUNDS),
    "relation": ("none", *RELATIONS),
    "count": COUNTS,
    "size": tuple(SIZES),
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


@torch.no_grad()
def give_direction(encoder: T5EncoderModel) -> None:
    """Make head 0 of every layer attend to earlier tokens only, and head 1 to later ones.

    T5's only notion of order is one bias per head and distance. It starts near 0 and Adam moves it by at most the
    learning rate per step, so in a few hundred steps no head would learn to tell before from after.
    """
    bias = encoder.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    later = encoder.config.relative_attention_num_buckets // 2
    bias[later:, 0] = bias[:later, 1] = -4.0


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
    first = scene.objects[0]
    values = {
        "object": first.name,
        "other": scene.objects[1].name if scene.relation else "none",
        **places(scene),
        "style": first.style,
        "background": scene.background,
        "relation": scene.relation or "none",
        "count": str(scene.count),
        "size": scene.size,
    }
    return [names.index(values[attribute]) for attribute, names in ATTRIBUTES.items()]


def places(scene: Scene) -> dict[str, str]:
    """Return which of two objects is at the left, right, top and bottom; "none" where they do not differ."""
    held = dict.fromkeys(PLACES, "none")
    if scene.relation:
        across = scene.relation in ("left of", "right of")
        ordered = sorted(scene.objects, key=lambda o: o.x if across else o.y)
        held |= zip(("left", "right") if across else ("top", "bottom"), (o.name for o in ordered), strict=True)
    return held


def captions_to_read(
    tokenizer: PreTrainedTokenizerFast, count: int, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw scenes and write captions: ids and mask [B, T], targets [attributes, B]."""
    scenes = [sample_scene(rng, pair_share=0.5) for _ in range(count)]
    encoded = tokenizer([caption(s, rng) for s in scenes], padding=True, return_tensors="pt")
    return encoded.input_ids, encoded.attention_mask, torch.tensor([targets(s) for s in scenes]).T


@torch.no_grad()
def accuracy(reader: SceneReader, tokenizer: PreTrainedTokenizerFast, samples: int = 512) -> dict[str, float]:
    """The share of captions understood correctly, by attribute; about a tenth name no style or background."""
    ids, mask, wanted = captions_to_read(tokenizer, samples, np.random.default_rng(77))
    rows = zip(ATTRIBUTES, reader(ids.to(DEVICE), mask.to(DEVICE)), wanted.to(DEVICE), strict=True)
    return {name: round((finite(x, name).argmax(1) == w).float().mean().item(), 3) for name, x, w in rows}


def train(run: Run, length: Length, batch: int, lr: float) -> T5EncoderModel:
    """Train and return the averaged encoder."""
    torch.manual_seed(2)
    tokenizer = load_tokenizer()
    reader = SceneReader()
    give_direction(reader.encoder)
    reader.to(DEVICE)
    average = Average(reader, 0.99)
    optimizers = optimisers(reader, lambda n, p: p.ndim == 2 and "block" in n and "bias" not in n, lr)
    step = run.resume(reader, average, optimizers)
    batches = prepared(lambda i: captions_to_read(tokenizer, batch, np.random.default_rng([2, i])), step)
    while step < (steps := length.total(step)):
        set_rate(optimizers, lr * trapezoid(step, steps, warmup=50))
        ids, mask, wanted = (x.to(DEVICE) for x in next(batches))
        loss = sum(F.cross_entropy(x, w) for x, w in zip(reader(ids, mask), wanted, strict=True))
        descend(loss, reader, optimizers, average)
        step += 1
        if step % 100 == 0:
            run.log(step=step, loss=round(loss.item(), 4))
        if step % 1000 == 0:
            run.save(step, reader, average, optimizers)
    run.save(step, reader, average, optimizers)
    run.log(step=step, **accuracy(average.module, tokenizer, 16 * batch))
    return average.module.encoder


def load_text_encoder(run: Run) -> T5EncoderModel:
    """Return a finished run's averaged encoder, frozen."""
    reader = SceneReader()
    reader.encoder.load_state_dict(encoder_weights(run))
    return reader.encoder.eval().requires_grad_(False)


def encoder_weights(run: Run) -> dict[str, torch.Tensor]:
    """Return the averaged weights of a run's encoder, without the queries and classifiers used in training."""
    return {n.removeprefix("encoder."): w for n, w in run.averaged().items() if n.startswith("encoder.")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--minutes", type=float, help="train for this long instead of --steps")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--run", default=TEXT_RUN)
    arguments = parser.parse_args()
    train(Run(arguments.run), Length(arguments.steps, arguments.minutes), arguments.batch, arguments.lr)


if __name__ == "__main__":
    main()
