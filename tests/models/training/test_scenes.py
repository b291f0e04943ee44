"""Scenes, pictures and captions."""

import numpy as np
import pytest
import torch

from training.captions import caption, plain_caption, plural
from training.compose import compose
from training.icons import OBJECT_NAMES, OBJECTS, STYLES, atlas
from training.scenes import BACKGROUNDS, SIZES, Placed, Scene, group, held_out, is_held_out, sample_scene, single
from training.sheet import sheet_prompts


def scenes(count: int, pair_share: float = 0.5) -> list[Scene]:
    rng = np.random.default_rng(1)
    return [sample_scene(rng, pair_share) for _ in range(count)]


def painted_as_array(scene: Scene, width: int, height: int) -> np.ndarray:
    return compose([scene], width, height)[0].permute(1, 2, 0).numpy()


def test_training_scenes_never_show_a_held_out_combination() -> None:
    for scene in scenes(2000):
        assert not is_held_out(scene)
        assert not any(held_out(o.name, o.style, scene.background) for o in scene.objects)


def test_every_sheet_prompt_is_a_different_held_out_combination() -> None:
    chosen = sheet_prompts(48)
    assert len({prompt for prompt, _ in chosen}) == 48
    assert all(is_held_out(scene) for _, scene in chosen)


def test_the_same_seed_draws_the_same_scenes() -> None:
    assert scenes(50) == scenes(50)


def test_training_scenes_show_every_object_style_and_background() -> None:
    drawn = scenes(2000, pair_share=0.0)
    assert {s.objects[0].name for s in drawn} == set(OBJECT_NAMES)
    assert {s.objects[0].style for s in drawn} == set(STYLES)
    assert {s.background for s in drawn} == set(BACKGROUNDS)


def test_the_first_of_two_objects_is_where_the_relation_says() -> None:
    for scene in scenes(300, pair_share=1.0):
        first, second = scene.objects
        holds = {
            "left of": first.x < second.x,
            "right of": first.x > second.x,
            "above": first.y < second.y,
            "below": first.y > second.y,
        }
        assert holds[scene.relation]


def test_scenes_show_single_objects_of_every_size_and_groups_of_two_to_four() -> None:
    drawn = scenes(1000, pair_share=0.2)
    assert {s.size for s in drawn} == set(SIZES)
    assert {s.count for s in drawn} == {1, 2, 3, 4}


def test_captions_state_number_and_size() -> None:
    rng = np.random.default_rng(4)
    for _ in range(40):
        three = caption(group(rng, "mouse", "flat", "red", 3), rng).lower()
        assert "mice" in three
        assert "three" in three or "3" in three
        small = caption(single(rng, "key", "flat", "red", "small"), rng).lower()
        assert any(word in small for word in ("small", "tiny", "little"))


def test_pictures_painted_together_equal_those_painted_alone() -> None:
    drawn = scenes(6)
    together = compose(drawn, 96, 64)
    for scene, picture in zip(drawn, together, strict=True):
        assert torch.equal(compose([scene], 96, 64)[0], picture)


@pytest.mark.parametrize(("width", "height"), [(128, 128), (320, 192), (96, 256)])
def test_a_picture_shows_its_background_around_the_object(width: int, height: int) -> None:
    scene = Scene("ocean", (Placed("heart", "flat", 0.0, 0.0, 0.5),))
    painted = painted_as_array(scene, width, height)
    empty = painted_as_array(Scene("ocean", ()), width, height)
    assert painted.shape == (height, width, 3)
    changed = painted != empty
    assert not np.concatenate([changed[0], changed[-1], changed[:, 0], changed[:, -1]]).any()
    assert (painted[height // 2, width // 2].astype(int) - empty[height // 2, width // 2])[0] > 100


def test_an_icon_scaled_down_has_no_dark_rim() -> None:
    white = painted_as_array(Scene("white", (Placed("heart", "flat", 0.0, 0.0, 0.6),)), 128, 128)
    reddest = atlas(256)[STYLES.index("flat"), OBJECT_NAMES.index("heart")]
    darkest = reddest[..., 0][reddest[..., 3] == 255].min()
    assert white[..., 0].min() >= darkest - 1


def test_an_opaque_object_hides_its_background() -> None:
    on_white, on_black = (
        painted_as_array(Scene(colour, (Placed("heart", "flat", 0.0, 0.0, 0.6),)), 128, 128)[60:70, 60:70]
        for colour in ("white", "black")
    )
    np.testing.assert_array_equal(on_white, on_black)


def test_a_whole_caption_names_object_style_and_background_or_leaves_one_out_on_purpose() -> None:
    rng = np.random.default_rng(3)
    named = 0
    for scene in scenes(400, pair_share=0.0):
        name = scene.objects[0].name
        text = caption(scene, rng).lower()
        words = (name, *OBJECTS[name]["also"]) if scene.count == 1 else (plural(name),)
        assert any(word in text for word in words)
        named += "background" in text or "image" in text or "picture" in text
    assert named > 300


def test_plain_captions_read_as_english() -> None:
    assert plain_caption("apple", "flat", "red") == "a flat apple on a red background"
    assert plain_caption("owl", "glossy", "ocean") == "a glossy owl on an ocean gradient background"


def test_every_object_exists_in_every_style() -> None:
    assert len(OBJECT_NAMES) >= 100
