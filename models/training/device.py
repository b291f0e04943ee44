"""Where training computes: on a GPU where there is one, else on the processor. The code is the same on both."""

from contextlib import AbstractContextManager

import torch
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ON_GPU = DEVICE.type == "cuda"
LOADERS = 10 if ON_GPU else 0
"""Processes that word and tokenise captions ahead of a GPU; a processor's cores have enough to do."""

if ON_GPU:
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


HAS_BFLOAT16 = ON_GPU or torch.cpu.get_capabilities().get("avx512_bf16", False)


def fast_arithmetic() -> AbstractContextManager:
    """bfloat16 for products, on devices that have instructions for it; sums, weights and losses stay float32."""
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=HAS_BFLOAT16)


def fuse(module: nn.Module) -> None:
    """Fuse a module's pointwise steps, where a GPU makes that worth a compiler's time; it computes the same."""
    if ON_GPU:
        module.compile()
