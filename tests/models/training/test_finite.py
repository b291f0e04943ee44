"""What judges models and draws with them does not take NaN for a picture or an answer."""

import pytest
import torch

from training.sample import sample
from training.scorer import Scorer, read
from training.text_states import TextStates
from training.tokenizer import train_tokenizer
from training.train_text import build_text_encoder
from training.train_vae import build_vae
from training.transformer import Transformer


def test_a_scorer_with_nan_names_nothing() -> None:
    scorer = Scorer().eval()
    images = torch.zeros(1, 3, 128, 128)
    assert read(scorer, images).shape[0] == 1
    scorer.heads[0].bias.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="the scorer's logits: expected finite numbers"):
        read(scorer, images)


def test_a_model_with_nan_draws_no_picture() -> None:
    model, text_states = Transformer().eval(), TextStates(train_tokenizer(), build_text_encoder())
    model.proj_out.bias.data.fill_(torch.nan)
    with pytest.raises(FloatingPointError, match="pictures: expected finite numbers"):
        sample(model, build_vae().eval(), text_states, ["a cat"], width=16, height=16, base_side=2)
