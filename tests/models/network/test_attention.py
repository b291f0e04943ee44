import torch
import torch.nn.functional as F

from network.attention import SelfAttention

WIDTH, HEADS = 16, 2


@torch.no_grad()
def test_new_compression_averages_and_drops_the_last_odd_row_and_column() -> None:
    attention = SelfAttention(WIDTH, HEADS, scale=2)
    tokens = torch.randn(3, 5 * 7, WIDTH)
    grid = tokens.mT.unflatten(2, (5, 7))
    expected = F.layer_norm(F.avg_pool2d(grid, 2).flatten(2).mT, (WIDTH,))
    torch.testing.assert_close(attention._shorten(tokens, (5, 7)), expected)


@torch.no_grad()
def test_compressed_attention_is_attention_over_compressed_keys_and_values() -> None:
    attention = SelfAttention(WIDTH, HEADS, scale=2)
    x = torch.randn(1, 16, WIDTH)
    key, value = (attention._shorten(project(x), (4, 4)) for project in (attention.to_k, attention.to_v))
    q, k, v = (t.unflatten(2, (HEADS, -1)).transpose(1, 2) for t in (attention.to_q(x), key, value))
    weights = (q @ k.mT / (WIDTH / HEADS) ** 0.5).softmax(-1)
    expected = attention.to_out[0]((weights @ v).transpose(1, 2).flatten(2))
    assert key.shape == (1, 4, WIDTH)
    torch.testing.assert_close(attention(x, (4, 4)), expected)
