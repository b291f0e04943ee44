"""Multi-head attention that trains in torch and exports as ONNX Runtime's fused operator.

Without a mask, `com.microsoft.MultiHeadAttention` never builds the tokens × tokens matrix, so the memory of
self-attention grows with the number of tokens and not with its square (see docs/decisions/010-attention-operator.md).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MASKED_SCORE = -10000.0
"""The value that the reference adds to a padding token's score (diffusers, `PixArtTransformer2DModel.forward`)."""


class Attention(nn.Module):
    """The projections of a multi-head attention; parameters are named as in diffusers."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(width, width)
        self.to_v = nn.Linear(width, width)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])


class CrossAttention(Attention):
    """Attention of image tokens to caption tokens."""

    def forward(self, x: Tensor, caption: Tensor, mask: Tensor) -> Tensor:
        attended = multi_head_attention(self.to_q(x), self.to_k(caption), self.to_v(caption), self.heads, mask)
        return self.to_out[0](attended)


class SelfAttention(Attention):
    """Attention among image tokens; with `scale`, keys and values are first compressed on the token grid.

    They share a depthwise convolution with stride `scale`, which starts as the average of its cells, and a layer norm
    (PixArt-Σ, section 3.3).
    """

    def __init__(self, width: int, heads: int, scale: int | None):
        super().__init__(width, heads)
        self.sr = self.norm = None
        if scale is not None:
            self.sr = nn.Conv2d(width, width, scale, stride=scale, groups=width)
            self.norm = nn.LayerNorm(width)
            nn.init.constant_(self.sr.weight, 1 / scale**2)
            nn.init.zeros_(self.sr.bias)

    def forward(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        key, value = self._shorten(self.to_k(x), grid), self._shorten(self.to_v(x), grid)
        return self.to_out[0](multi_head_attention(self.to_q(x), key, value, self.heads))

    def _shorten(self, x: Tensor, grid: tuple[int, int]) -> Tensor:
        """Compresses [B, N, C]. A last odd row or column of the grid is dropped, as in the reference."""
        if self.sr is None:
            return x
        return self.norm(self.sr(x.mT.unflatten(2, grid)).flatten(2).mT)


def multi_head_attention(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention over `heads` heads.

    Args:
        query: [B, N, C].
        key: [B, S, C].
        value: [B, S, C].
        heads: divides C.
        mask: [B, S], 1 for a token to attend to and 0 for padding; None if every token counts.

    Returns:
        [B, N, C].
    """
    if torch.onnx.is_in_onnx_export():
        return _operator(query, key, value, heads, mask)
    q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (query, key, value))
    bias = None if mask is None else (1 - mask.to(q.dtype))[:, None, None] * MASKED_SCORE
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).flatten(2)


def _operator(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    inputs: list[Tensor | None] = [query, key, value]
    attributes: dict[str, int | float] = {"num_heads": heads}
    if mask is not None:
        inputs += [None, mask.to(torch.int32)]
        attributes["mask_filter_value"] = MASKED_SCORE
    return torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        inputs,
        attributes,
        dtype=query.dtype,
        shape=query.shape,
        version=1,
    )
