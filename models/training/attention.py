"""The transformer's attention, whole and with compressed keys and values; named as in `models/export`."""

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    """Multi-head attention of `x` to `context`; `mask` is added to the scores."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: torch.Tensor, context: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        return self.attend(self.to_q(x), self.to_k(context), self.to_v(context), mask)

    def attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        def split(y: torch.Tensor) -> torch.Tensor:
            return y.view(y.shape[0], y.shape[1], self.heads, -1).transpose(1, 2)

        y = F.scaled_dot_product_attention(split(query), split(key), split(value), attn_mask=mask)
        return self.to_out[0](y.transpose(1, 2).flatten(2))


class SelfAttention(Attention):
    """Attention among the image tokens of a grid [rows, columns]."""

    def forward(self, x: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        return self.attend(self.to_q(x), self.to_k(x), self.to_v(x))


class CompressedSelfAttention(SelfAttention):
    """Self-attention whose keys and values are shortened on the grid (PixArt-Σ, section 3.3).

    A depthwise convolution with stride `scale`, which starts as the average of its cells, then a layer norm; both are
    shared by keys and values. A last odd row or column is left out, as in the reference.
    """

    def __init__(self, width: int, heads: int, scale: int):
        super().__init__(width, heads)
        self.sr = nn.Conv2d(width, width, scale, stride=scale, groups=width)
        self.norm = nn.LayerNorm(width)
        nn.init.constant_(self.sr.weight, 1 / scale**2)
        nn.init.zeros_(self.sr.bias)

    def forward(self, x: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        return self.attend(self.to_q(x), self._shorten(self.to_k(x), grid), self._shorten(self.to_v(x), grid))

    def _shorten(self, x: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        return self.norm(self.sr(x.mT.unflatten(2, grid)).flatten(2).mT)
