"""How a bundle's networks store their weights; each network has a precision of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .drafts import Draft
from .graphs import Graph
from .progress import Report
from .quantising import quantise
from .storing import halve_weights


@dataclass(frozen=True)
class Kind:
    """One way of storing weights."""

    rewrite: Callable[[Draft, Graph, Report], None]
    tolerance: float
    """The largest relative error against torch in float32 that an export accepts."""


def _halve(kind: str, draft: Draft, graph: Graph, report: Report) -> None:
    halve_weights(draft, kind)


KINDS = {
    # Rounding alone: two implementations of 28 layers with outlier channels differed by 3.1e-4, a wrong layer by over
    # 1e-1.
    "fp32": Kind(lambda draft, graph, report: None, 1e-3),
    # It keeps 11 bits of a weight (a relative error up to 2⁻¹²); layers add these up.
    "fp16": Kind(partial(_halve, "fp16"), 1e-2),
    # And this one 8.
    "bf16": Kind(partial(_halve, "bf16"), 8e-2),
    "int8": Kind(partial(quantise, 8), 1e-1),
    "int4": Kind(partial(quantise, 4), 3e-1),
}

CHOICES = {
    "text_encoder": ("fp32", "fp16", "bf16", "int8", "int4"),
    "transformer": ("fp32", "fp16", "int8"),
    "vae": ("fp32", "fp16"),
}

CUDA_KINDS = {"text_encoder": ("fp16", "bf16", "int8", "int4"), "transformer": ("fp16",), "vae": ("fp16",)}
"""The kinds of weights that graphs for CUDA are made of; all of them compute in float16."""


@dataclass(frozen=True)
class Precision:
    """The kind of each network's weights."""

    text_encoder: str = "fp32"
    transformer: str = "fp32"
    vae: str = "fp32"
    has_cuda: bool = False
    """Whether networks get a graph for CUDA beside that for the CPU, where their weights permit one."""


PROFILES = {
    "cpu": Precision("int8", "int8", "fp32"),
    "gpu": Precision("fp16", "fp16", "fp16", has_cuda=True),
    # A decoder in fp16 takes twice the memory of one in fp32: its Casts are folded at load (docs/decisions/012).
    "small": Precision("int4", "int8", "fp32"),
}
"""What `--for` means: the fastest on a processor, a graphics card, and as little memory as there is."""
