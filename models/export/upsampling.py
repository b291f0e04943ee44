"""A convolution of an enlarged map, computed on the small one."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UpsamplingConv(nn.Module):
    """Convolves a map [B, C, h, w], doubled by repeating each element, with a kernel of 3 × 3, without doubling it.

    Three rows of the doubled map are two of the small one, so that an even and an odd row see two rows each: four
    kernels of 2 × 2, one for each parity of row and column, do the work of one of 3 × 3 with 4 of 9 multiplications
    (docs/decisions/106). The kernels are sums that a runtime makes once, as it loads the graph.
    """

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias

    def forward(self, x: Tensor) -> Tensor:
        phases = []
        for row, kernel_of_rows in enumerate(_halves(self.weight, 2)):
            for column, kernel in enumerate(_halves(kernel_of_rows, 3)):
                padded = F.pad(x, (1 - column, column, 1 - row, row))
                phases.append(F.conv2d(padded, kernel, self.bias))
        batch, _, height, width = x.shape
        return F.pixel_shuffle(torch.stack(phases, 2).reshape(batch, -1, height, width), 2)


def _halves(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Kernels of an even and of an odd row (or column): what of the three falls together, added."""
    before, at, after = weight.split(1, axis)
    return torch.cat([before, at + after], axis), torch.cat([before + at, after], axis)
