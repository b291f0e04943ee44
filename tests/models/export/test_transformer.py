from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from export.checkpoint import load_transformer
from export.parts import transformer_graph
from export.transformer import PixArtTransformer, SelfAttention, TransformerShape
from export.verify import verify_against_reference

SHAPE = TransformerShape(layers=2, heads=2, head_width=8, patch=2, latent_channels=4, out_channels=8, caption_width=12)


def call(transformer: PixArtTransformer, **changes: Tensor) -> Tensor:
    torch.manual_seed(0)
    inputs = transformer_graph(transformer).inputs
    with torch.no_grad():
        return transformer(**{**inputs, **changes})


@pytest.mark.parametrize(("height", "width"), [(8, 8), (10, 14), (2, 18)])
@torch.no_grad()
def test_equals_the_reference_class_on_even_and_odd_grids(
    checkpoints: dict[str, Path], height: int, width: int
) -> None:
    transformer, projection = load_transformer(checkpoints["tiny-epsilon"])
    inputs = transformer_graph(transformer, height=height, width=width).inputs
    error = verify_against_reference(checkpoints["tiny-epsilon"], transformer, projection, inputs)
    assert error < 1e-5


def test_reads_every_weight_that_the_reference_class_reads(checkpoints: dict[str, Path]) -> None:
    transformer, projection = load_transformer(checkpoints["tiny-epsilon"])
    reference = PixArtTransformer2DModel.from_pretrained(checkpoints["tiny-epsilon"] / "transformer")
    ours = sum(weight.numel() for part in (transformer, projection) for weight in part.parameters())
    assert ours == sum(weight.numel() for weight in reference.parameters())


def test_padding_tokens_of_the_caption_do_not_change_the_prediction() -> None:
    transformer = PixArtTransformer(SHAPE).eval()
    mask = transformer_graph(transformer).inputs["caption_mask"]
    caption = torch.randn(*mask.shape, SHAPE.width)
    elsewhere = torch.where(mask[..., None] == 1, caption, caption + 5)
    torch.testing.assert_close(call(transformer, caption=caption), call(transformer, caption=elsewhere))
    assert not torch.equal(
        call(transformer, caption=caption), call(transformer, caption=elsewhere, caption_mask=torch.ones_like(mask))
    )


@torch.no_grad()
def test_fresh_compression_averages_and_leaves_out_the_last_odd_row_and_column() -> None:
    attention = SelfAttention(SHAPE, scale=2)
    tokens = torch.randn(3, 5 * 7, SHAPE.width)
    grid = tokens.mT.unflatten(2, (5, 7))
    expected = F.layer_norm(F.avg_pool2d(grid, 2).flatten(2).mT, (SHAPE.width,))
    torch.testing.assert_close(attention._compress(tokens, (5, 7)), expected)


@torch.no_grad()
def test_compressed_attention_is_attention_over_compressed_keys_and_values() -> None:
    attention = SelfAttention(SHAPE, scale=2)
    x = torch.randn(1, 16, SHAPE.width)
    key, value = (attention._compress(project(x), (4, 4)) for project in (attention.to_k, attention.to_v))
    q, k, v = (t.unflatten(2, (SHAPE.heads, -1)).transpose(1, 2) for t in (attention.to_q(x), key, value))
    weights = (q @ k.mT / SHAPE.head_width**0.5).softmax(-1)
    expected = attention.to_out[0]((weights @ v).transpose(1, 2).flatten(2))
    assert key.shape == (1, 4, SHAPE.width)
    torch.testing.assert_close(attention(x, (4, 4)), expected)
