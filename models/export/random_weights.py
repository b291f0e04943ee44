"""Random weights for a checkpoint, tensor by tensor: `draws_of(networks)`.

The features that make published weights hard to store in few bits are included on purpose: single channels far above
the rest, and in T5 activations of 66,000, beyond float16.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .tensor_file import Shape

Draw = Callable[[str, Shape], Tensor]
"""A parameter's values, by its name and shape."""

POOL = 2**24 + 43
"""How many numbers are drawn; a prime, so that rows differ in a matrix that reuses them."""

STREAM = 1000.0
"""T5's hidden states before their last norm: so large that a channel of 66,000 does not drown out the others."""
LARGEST = 66_000.0
USUAL_PEAK = 7.0
"""Roughly the largest square of a normal number over the tokens of a caption."""
LARGE_TEXT_CHANNELS = 8
LARGE_CHANNELS, LARGE_BY = 5, 30.0
"""Channels of the transformer's image tokens, and by how much more they receive than the others."""


@dataclass(frozen=True)
class Networks:
    """Arguments of the configurations of a checkpoint's three networks, as far as they decide its size."""

    transformer: dict[str, Any]
    text_encoder: dict[str, Any]
    vae: dict[str, Any]


SIZES = {
    name: Networks(**networks)
    for name, networks in json.loads(
        Path(__file__).with_name("checkpoint_sizes.json").read_text(encoding="utf-8")
    ).items()
}


def draws_of(networks: Networks) -> dict[str, Draw]:
    """For each part of a checkpoint, how its weights are drawn."""
    return {"text_encoder": _TextDraw(networks.text_encoder), "transformer": _draw_transformer, "vae": _draw_vae}


class _TextDraw:
    """T5's weights: each layer adds a quarter of the stream to it, and in every third some channels reach `LARGEST`.

    There the two factors of the gated layer follow the same direction, so their product is a square, and `wo` passes
    one of these channels to the stream unchanged and the others hardly at all.
    """

    def __init__(self, config: dict[str, Any]):
        self.width, self.inner = config["d_model"], config["d_ff"]
        self.heads, self.head_width = config["num_heads"], config["d_kv"]

    def __call__(self, name: str, shape: Shape) -> Tensor:
        kind = name.split(".")[-2]
        if kind in ("wi_0", "wi_1"):
            return self._inner(name, shape)
        if kind == "wo":
            return self._output(name, shape)
        mean, deviation = {
            "shared": (0, STREAM),
            "relative_attention_bias": (0, 1),
            "layer_norm": (1, 0.1),
            "final_layer_norm": (0.15, 0.02),
            # T5 does not scale the product of queries and keys.
            "q": (0, 1 / math.sqrt(self.width * self.head_width)),
            "o": (0, STREAM / 4 / math.sqrt(self.heads * self.head_width)),
        }.get(kind, (0, 1 / math.sqrt(self.width)))
        return _scaled(shape, deviation).add_(mean)

    def _inner(self, name: str, shape: Shape) -> Tensor:
        weight = _scaled(shape, 1 / math.sqrt(self.width))
        if _has_large_channels(name):
            rows = torch.Generator().manual_seed(_layer(name))
            direction = torch.randn((LARGE_TEXT_CHANNELS, shape[1]), generator=rows) / math.sqrt(shape[1])
            weight[:LARGE_TEXT_CHANNELS] = direction * math.sqrt(LARGEST / USUAL_PEAK)
        return weight

    def _output(self, name: str, shape: Shape) -> Tensor:
        weight = _scaled(shape, STREAM / 2.4 / math.sqrt(self.inner))
        if _has_large_channels(name):
            weight[:, :LARGE_TEXT_CHANNELS] = _normal((shape[0], LARGE_TEXT_CHANNELS)) * 1e-3
            weight[_layer(name) % 7, 0] = 1.0
        return weight


def _has_large_channels(name: str) -> bool:
    return _layer(name) % 3 == 1


def _layer(name: str) -> int:
    return int(name.split(".")[2])


def _draw_transformer(name: str, shape: Shape) -> Tensor:
    if "table" in name:
        return _normal(shape) * 0.3
    weight = _draw(name, shape)
    if name.endswith(("attn1.to_out.0.weight", "ff.net.2.weight", "pos_embed.proj.weight")):
        weight[:: shape[0] // LARGE_CHANNELS] *= LARGE_BY
    if name == "caption_projection.linear_1.weight":
        # T5's states are small.
        weight *= 6
    return weight


def _draw_vae(name: str, shape: Shape) -> Tensor:
    return _draw(name, shape) * (0.3 if name == "decoder.conv_out.weight" else 1)


def _draw(name: str, shape: Shape) -> Tensor:
    """Matrices preserve the variance of their input; norms are near 1 and biases near 0."""
    if len(shape) > 1:
        return _scaled(shape, 1 / math.sqrt(math.prod(shape[1:])))
    return _normal(shape) * 0.05 + (1 if "norm" in name and name.endswith("weight") else 0)


@cache
def _pool() -> Tensor:
    return torch.randn(POOL, generator=torch.Generator().manual_seed(0))


def _normal(shape: Shape) -> Tensor:
    """Normal numbers from a pool, starting anywhere in it: drawing five billion new ones would take minutes."""
    pool, count = _pool(), math.prod(shape)
    start = int(torch.randint(POOL, ()))
    drawn = torch.empty(count)
    done = 0
    while done < count:
        part = pool[start : start + count - done]
        drawn[done : done + len(part)] = part
        done, start = done + len(part), 0
    return drawn.reshape(shape)


def _scaled(shape: Shape, deviation: float) -> Tensor:
    return _normal(shape).mul_(deviation)
