"""Measures the spread of the inputs of a transformer's linear layers, which decides whether 8 bits are enough."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from . import parts
from .graphs import Graph
from .streaming import streamed

TIMESTEPS = (980.0, 500.0, 60.0)
SIDE, TOKENS = 32, 20
"""Latents of 256 pixels, and a caption."""


@torch.no_grad()
def measure_spreads(graph: Graph) -> dict[str, float]:
    """For each linear layer of the transformer in `graph`, the `spread` of its input.

    Runs the network on noise, with few weights in memory at a time. Outlier channels appear whatever the image (Sun et
    al., "Massive Activations in Large Language Models", arXiv 2402.17762), so noise finds them. A normal distribution
    has a spread of about 9.
    """
    inputs = parts.transformer_graph(graph.module, len(TIMESTEPS), TOKENS, SIDE, SIDE).inputs
    inputs["timestep"] = torch.tensor(TIMESTEPS)
    spreads: dict[str, float] = {}
    linears = [(name, layer) for name, layer in graph.module.named_modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_pre_hook(_noted_as(name, spreads)) for name, layer in linears]
    try:
        with streamed(graph.module, graph.read):
            graph.module(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return spreads


def spread(x: Tensor) -> float:
    """The range of a tensor [B, …, C] over the root mean square of its median channel; the largest over its examples.

    The median, because outlier channels would hide themselves in a mean over all.
    """
    rows = x.reshape(x.shape[0], -1, x.shape[-1])
    usual = rows.square().mean(1).sqrt().median(1).values.clamp_min(1e-30)
    return float(((rows.amax((1, 2)) - rows.amin((1, 2))) / usual).max())


def _noted_as(name: str, spreads: dict[str, float]) -> Callable[[nn.Module, tuple[Tensor]], None]:
    return lambda _, inputs: spreads.__setitem__(name, spread(inputs[0]))
