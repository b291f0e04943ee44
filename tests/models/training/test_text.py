"""The text encoder's training: which object is where, and how to tell before from after."""

import numpy as np
import torch

from training.captions import caption
from training.scenes import Scene, pair, single
from training.train_text import ATTRIBUTES, build_text_encoder, give_direction, places, targets


def beside(relation: str) -> Scene:
    return pair(np.random.default_rng(0), ("cat", "dog"), "flat", "red", relation)


def test_places_name_the_object_on_each_side_whatever_comes_first() -> None:
    assert places(beside("left of")) == {"left": "cat", "right": "dog", "top": "none", "bottom": "none"}
    assert places(beside("right of")) == {"left": "dog", "right": "cat", "top": "none", "bottom": "none"}
    assert places(beside("above")) == {"left": "none", "right": "none", "top": "cat", "bottom": "dog"}
    assert places(beside("below")) == {"left": "none", "right": "none", "top": "dog", "bottom": "cat"}
    assert set(places(single(np.random.default_rng(0), "cat", "flat", "red")).values()) == {"none"}


def test_targets_are_the_scene_s_values() -> None:
    read = dict(zip(ATTRIBUTES, targets(beside("below")), strict=True))
    named = {attribute: ATTRIBUTES[attribute][index] for attribute, index in read.items()}
    assert named["object"] == named["bottom"] == "cat"
    assert named["other"] == named["top"] == "dog"
    assert (named["style"], named["background"], named["relation"]) == ("flat", "red", "below")


def test_captions_of_two_objects_say_which_is_where() -> None:
    words = {"left of": ("left",), "above": ("above", "over", "top"), "below": ("below", "under", "beneath", "bottom")}
    rng = np.random.default_rng(1)
    for relation, said in words.items():
        texts = [caption(beside(relation), rng).lower() for _ in range(40)]
        assert all(any(word in text for word in said) for text in texts)


@torch.no_grad()
def test_a_new_encoder_with_direction_tells_before_from_after() -> None:
    """One head sees earlier tokens only, so its output hardly depends on later ones."""
    torch.manual_seed(0)
    encoder = build_text_encoder()
    give_direction(encoder)
    attention = encoder.encoder.block[0].layer[0].SelfAttention
    bias = attention.compute_bias(6, 6)[0]
    later = torch.ones(6, 6).triu(1).bool()
    assert (bias[0][later] == -4).all()
    assert (bias[1][~later] == -4).all()
    assert (bias[0][~later].abs() < 1).all()
