"""How far the inputs of a transformer's linear layers spread: what decides whether 8 bits are enough for them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from network.transformer import PixArtTransformer, TransformerShape

from .parts import padding_mask
from .recipes import Read

TIMESTEPS = (980.0, 500.0, 60.0)
SIDE, TOKENS = 32, 20


@torch.no_grad()
def measure_spreads(shape: TransformerShape, read: Read) -> dict[str, float]:
    """For each linear layer of the blocks, the range of its input over the input's root mean square.

    Runs the blocks on noise of the three timesteps, one block in memory at a time. Channels that stand out do so
    whatever is drawn (Sun et al., "Massive Activations in Large Language Models", arXiv 2402.17762), so noise finds them;
    a normal distribution has a spread of about 9.

    Args:
        shape: the transformer's dimensions.
        read: gives its parameters.
    """
    with torch.device("meta"):
        transformer = PixArtTransformer(shape).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    batch = len(TIMESTEPS)
    latents = torch.randn(batch, shape.latent_channels, SIDE * shape.patch, SIDE * shape.patch, generator=generator)
    text_states = torch.randn(batch, TOKENS, shape.caption_width, generator=generator)
    with _loaded(transformer.pos_embed, "pos_embed.", read), _loaded(transformer.adaln_single, "adaln_single.", read):
        x = transformer.pos_embed.proj(latents).flatten(2).mT
        modulation, _ = transformer.adaln_single(torch.tensor(TIMESTEPS), transformer._size(latents))
    with _loaded(transformer.caption_projection, "caption_projection.", read):
        caption = transformer.caption_projection(text_states)
    spreads: dict[str, float] = {}
    for index, block in enumerate(transformer.transformer_blocks):
        prefix = f"transformer_blocks.{index}."
        with _loaded(block, prefix, read), _watched(block, prefix, spreads):
            x = block(x, modulation, caption, padding_mask(batch, TOKENS), (SIDE, SIDE))
    return spreads


def spread(x: Tensor) -> float:
    """The range of a tensor [B, …] over its root mean square, for the example in which that is largest."""
    rows = x.flatten(1)
    return float(((rows.amax(1) - rows.amin(1)) / rows.square().mean(1).sqrt().clamp_min(1e-30)).max())


@contextmanager
def _loaded(module: nn.Module, prefix: str, read: Read) -> Iterator[None]:
    module.load_state_dict({name: read(prefix + name) for name in module.state_dict()}, assign=True)
    try:
        yield
    finally:
        module.to("meta")


@contextmanager
def _watched(block: nn.Module, prefix: str, spreads: dict[str, float]) -> Iterator[None]:
    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
        return lambda _, inputs: spreads.__setitem__(name, spread(inputs[0]))

    linears = [(prefix + name, module) for name, module in block.named_modules() if isinstance(module, nn.Linear)]
    hooks = [module.register_forward_pre_hook(watch(name)) for name, module in linears]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
