"""The picture classifier and its table."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from training.run import Run
from training.scenes import KINDS, group, held_out_scenes, is_held_out, pair, single
from training.score import interval, table, verdicts
from training.scorer import ATTRIBUTES, Scorer, load_scorer, read, targets
from training.train_scorer import pictures, train
from training.train_vae import build_vae, to_tensor


def test_a_share_s_interval_is_wilson_s() -> None:
    assert interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert interval(0, 20)[0] == pytest.approx(0, abs=1e-9)
    assert interval(500, 500)[1] == pytest.approx(1, abs=1e-9)


def test_a_picture_of_two_objects_at_swapped_places_has_both_and_the_wrong_position() -> None:
    rng = np.random.default_rng(0)
    asked = pair(rng, ("cat", "dog"), "flat", "red", "left of")
    drawn = pair(rng, ("cat", "dog"), "flat", "blue", "right of")
    judged = dict(verdicts(targets(drawn), targets(asked), asked))
    assert judged == {"background": False, "style": True, "two objects": True, "position": False}
    assert dict(verdicts(targets(asked), targets(asked), asked))["position"]


def test_a_single_object_drawn_twice_is_judged_wrong() -> None:
    rng = np.random.default_rng(0)
    asked = single(rng, "cat", "flat", "red")
    drawn = pair(rng, ("cat", "dog"), "flat", "red", "above")
    assert not dict(verdicts(targets(drawn), targets(asked), asked))["single object"]


def test_scenes_for_judging_are_held_out() -> None:
    counts = {"single": {1}, "sized": {1}, "group": {2, 3, 4}, "pair": {2}}
    for kind in KINDS:
        drawn = held_out_scenes(20, kind, seed=1)
        assert all(is_held_out(scene) for scene in drawn)
        assert {len(scene.objects) for scene in drawn} == counts[kind]


def test_a_group_needs_object_and_number_and_a_size_needs_both_too() -> None:
    rng = np.random.default_rng(0)
    three, two = (group(rng, "cat", "flat", "red", count) for count in (3, 2))
    assert dict(verdicts(targets(three), targets(three), three))["counting"]
    assert not dict(verdicts(targets(two), targets(three), three))["counting"]
    small, large = (single(rng, "cat", "flat", "red", size) for size in ("small", "large"))
    assert dict(verdicts(targets(small), targets(small), small))["size"]
    assert not dict(verdicts(targets(large), targets(small), small))["size"]


def test_a_trained_scorer_is_loaded_with_its_averaged_weights(tmp_path: Path) -> None:
    run = Run("scorer", tmp_path)
    scorer = train(run, build_vae().eval().requires_grad_(False), steps=3, batch=4, lr=2e-3, scenes=16)
    images = to_tensor(pictures(held_out_scenes(2, "pair", seed=2), None))
    assert [x.shape[1] for x in load_scorer(run)(images)] == [len(values) for values in ATTRIBUTES.values()]
    assert all(torch.equal(a, b) for a, b in zip(scorer.parameters(), load_scorer(run).parameters(), strict=True))


def test_a_picture_of_any_size_is_classified_by_its_likeliest_values() -> None:
    torch.manual_seed(0)
    scorer = Scorer().eval()
    small = torch.rand(3, 3, 128, 128) * 2 - 1
    found = read(scorer, small.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert torch.equal(found, torch.stack([x.argmax(1) for x in scorer(small)], 1))


def test_a_table_has_a_row_for_each_category_and_a_column_for_each_kind_of_caption() -> None:
    short = Counter({("style", True): 8, ("style", False): 2})
    rows = table({"short": short, "both": short + Counter({("style", True): 10})}).split("\n")
    assert rows[0] == "| category | short | both |"
    assert rows[2] == "| style | 0.800 (0.490 to 0.943) of 10 | 0.900 (0.699 to 0.972) of 20 |"
