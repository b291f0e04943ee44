"""Neither the scorer nor the sampler mistakes NaN for an answer or a picture."""

import pytest
import torch

from training.sample import sample
from training.schedule import FEW_STEPS
from training.scorer import Scorer, read
from training.train_vae import build_vae
from training.transformer import SHAPE, Transformer


def test_a_scorer_with_nan_raises_an_error() -> None:
    scorer = Scorer().eval()
    images = torch.zeros(1, 3, 128, 128)
    assert read(scorer, images).shape[0] == 1
    scorer.heads[0].bias.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="the scorer's logits: expected finite numbers"):
        read(scorer, images)


def test_a_model_with_nan_raises_an_error() -> None:
    def text_states(prompts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(len(prompts), 1, SHAPE.caption_width), torch.ones(len(prompts), 1)

    model = Transformer().eval()
    asked = {"width": 16, "height": 16, "base_side": 2, "sampling": FEW_STEPS}
    assert sample(model, build_vae().eval(), text_states, ["a cat"], **asked).shape == (1, 16, 16, 3)
    model.proj_out.bias.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="pictures: expected finite numbers"):
        sample(model, build_vae().eval(), text_states, ["a cat"], **asked)
