"""Measures the inputs of a transformer's linear layers, to decide how to fit them into 8 bits."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import parts
from .graphs import Graph
from .streaming import streamed

TIMESTEPS = (980.0, 500.0, 60.0)
SIDE, TOKENS = 32, 20
"""Latents of 256 pixels, and a caption."""

LOUD = 8.0
"""A channel is an outlier if one of its values is this many times the root mean square of the median channel: nearly
twice what values from a normal distribution reach.
"""
MOST = 1 / 8
"""The largest share of an input's channels that count as outliers. Published transformers have a few in a thousand."""


@dataclass(frozen=True)
class Spread:
    """How the values of a layer's input are distributed."""

    range: float
    """The range of all values, divided by the root mean square of the median channel: the largest of all examples. In a
    mean over all channels, the outliers would hide themselves. About 9 for a normal distribution.
    """
    outliers: Tensor
    """The outlier channels [k], in ascending order."""


@torch.no_grad()
def measure_spreads(graph: Graph) -> dict[str, Spread]:
    """For each linear layer of the transformer in `graph`, the `Spread` of its input.

    Runs the network on noise, with few weights in memory at a time. Outlier channels appear whatever the image (Sun et
    al., "Massive Activations in Large Language Models", arXiv 2402.17762), so noise finds them.
    """
    inputs = parts.transformer_graph(graph.module, len(TIMESTEPS), TOKENS, SIDE, SIDE).inputs
    inputs["timestep"] = torch.tensor(TIMESTEPS)
    spreads: dict[str, Spread] = {}
    linears = [(name, layer) for name, layer in graph.module.named_modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_pre_hook(_measured_as(name, spreads)) for name, layer in linears]
    try:
        with streamed(graph.module, graph.read):
            graph.module(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return spreads


def spread(x: Tensor) -> Spread:
    """The spread of a tensor [examples, …, channels]."""
    rows = x.reshape(x.shape[0], -1, x.shape[-1])
    usual = rows.square().mean(1).sqrt().median(1).values.clamp_min(1e-30)
    reach = (rows.abs().amax(1) / usual[:, None]).amax(0)
    loudest = reach.topk(int(len(reach) * MOST))
    outliers = loudest.indices[loudest.values > LOUD].sort().values
    return Spread(float(((rows.amax((1, 2)) - rows.amin((1, 2))) / usual).max()), outliers)


def _measured_as(name: str, spreads: dict[str, Spread]) -> Callable[[nn.Module, tuple[Tensor]], None]:
    def measure(_: nn.Module, inputs: tuple[Tensor]) -> None:
        spreads[name] = spread(inputs[0])

    return measure
