"""Multi-head attention that runs in torch and exports as ONNX Runtime's fused operator.

`com.microsoft.MultiHeadAttention` never builds the tokens × tokens matrix where there is no mask, so self-attention
memory grows with the tokens and not with their square (see docs/decisions/010-attention-operator.md).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

MASKED_SCORE = -10000.0
"""What the reference adds to the score of a padding token (diffusers, `PixArtTransformer2DModel.forward`)."""


def multi_head_attention(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None = None) -> Tensor:
    """Scaled dot-product attention over `heads` heads.

    Args:
        query: [B, N, C].
        key: [B, S, C].
        value: [B, S, C].
        heads: divides C.
        mask: [B, S], 1 for a token to look at and 0 for padding; None where every token counts.

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
