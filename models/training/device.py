"""Chooses the device for training: a GPU if there is one, else the processor. The code is the same for both."""

from contextlib import AbstractContextManager
from functools import cache
from time import perf_counter

import torch
from torch import nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
ON_GPU = DEVICE.type == "cuda"
LOADERS = 10 if ON_GPU else 0
"""The number of processes that write and tokenise captions ahead of a GPU; a processor's cores are busy enough."""

if ON_GPU:
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


@cache
def is_bfloat16_faster() -> bool:
    """Whether bfloat16 speeds up products: always on GPUs; measured on a processor, since its flags do not show it.

    Of two processors with AVX512-BF16, one is twice as fast with it and one half as fast.
    """

    def seconds(dtype: torch.dtype) -> float:
        x, w = torch.ones(2048, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
        times = []
        for _ in range(8):
            started = perf_counter()
            x @ w
            times.append(perf_counter() - started)
        return min(times)

    return ON_GPU or seconds(torch.bfloat16) < seconds(torch.float32)


def fast_arithmetic() -> AbstractContextManager:
    """bfloat16 for products, on devices that are faster with it; sums, weights and losses stay float32."""
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=is_bfloat16_faster())


def fuse(module: nn.Module) -> None:
    """Fuse a module's pointwise steps, if a GPU makes that worth the compile time; the results are the same."""
    if ON_GPU:
        module.compile()
