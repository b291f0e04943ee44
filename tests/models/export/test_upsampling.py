import pytest
import torch
import torch.nn.functional as F
from torch import nn

from export.upsampling import UpsamplingConv


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (6, 5), (16, 16)])
def test_it_equals_the_convolution_of_the_upsampled_map(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 5, 3, padding=1).double()
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    expected = conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))
    assert torch.allclose(UpsamplingConv(conv)(x), expected, atol=1e-12)
