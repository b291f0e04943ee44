import torch
from torch import Tensor

from network.transformer import PixArtTransformer, TransformerShape

SHAPE = TransformerShape(layers=2, heads=2, head_width=8, patch=2, latent_channels=4, out_channels=8, caption_width=12)
MASK = torch.tensor([[1] * 11, [1] * 4 + [0] * 7])


@torch.no_grad()
def test_padding_tokens_of_the_caption_do_not_change_the_prediction() -> None:
    transformer = PixArtTransformer(SHAPE).eval()
    latents, timestep = torch.randn(2, 4, 6, 10), torch.tensor([3.0, 999.0])
    positions, caption = torch.randn(1, 15, SHAPE.width), torch.randn(*MASK.shape, SHAPE.width)
    elsewhere = torch.where(MASK[..., None] == 1, caption, caption + 5)

    def predict(caption: Tensor, mask: Tensor) -> Tensor:
        return transformer(latents, timestep, positions, caption, mask)

    torch.testing.assert_close(predict(caption, MASK), predict(elsewhere, MASK))
    assert not torch.equal(predict(caption, MASK), predict(elsewhere, torch.ones_like(MASK)))
