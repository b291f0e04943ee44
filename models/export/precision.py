"""How a bundle's networks store their weights; each network has a precision of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from .drafts import Draft
from .storing import halve_weights


@dataclass(frozen=True)
class Kind:
    """One way of storing weights."""

    rewrite: Callable[[Draft], None]
    tolerance: float
    """The largest relative error against torch in float32 that an export accepts."""


KINDS = {
    "fp32": Kind(lambda draft: None, 1e-4),
    # It keeps 11 bits of a weight (a relative error up to 2⁻¹²); layers add these up.
    "fp16": Kind(partial(halve_weights, kind="fp16"), 1e-2),
    # And this one 8.
    "bf16": Kind(partial(halve_weights, kind="bf16"), 8e-2),
}

CHOICES = {"text_encoder": ("fp32", "fp16", "bf16"), "transformer": ("fp32", "fp16"), "vae": ("fp32", "fp16")}


@dataclass(frozen=True)
class Precision:
    """The kind of each network's weights."""

    text_encoder: str = "fp32"
    transformer: str = "fp32"
    vae: str = "fp32"


PROFILES = {
    "cpu": Precision(),
    "gpu": Precision("bf16", "fp16", "fp16"),
    "small": Precision("fp16", "fp16", "fp16"),
}
"""What `--for` means: a machine with memory, a graphics card, and as little disk as these kinds need."""
