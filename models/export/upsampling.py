"""A convolution of an upsampled map, computed on the small map."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class UpsamplingConv(nn.Module):
    """Convolves a map [B, C, h, w], doubled by repeating each element, with a 3 × 3 kernel, without doubling it.

    Three rows of the doubled map are two rows of the small one, so even and odd rows each see two rows: four 2 × 2
    kernels, one for each parity of row and column, do the work of one 3 × 3 kernel with 4 of 9 multiplications
    (docs/decisions/106). The kernels are sums that a runtime computes once, when it loads the graph.
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
    """The kernels of an even and an odd row (or column): of three weights, those on the same element are added."""
    before, at, after = weight.split(1, axis)
    return torch.cat([before, at + after], axis), torch.cat([before + at, after], axis)
