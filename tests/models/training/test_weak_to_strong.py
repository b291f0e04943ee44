"""The comparison of two starts, at toy scale."""

from dataclasses import replace
from itertools import count
from pathlib import Path
from xml.dom import minidom

import numpy as np
import pytest
import torch

from training.batches import Batch
from training.latents import LatentSet, Recipe
from training.loss_plot import Curve, loss_plot
from training.run import Run
from training.scenes import Scene, sample_scene
from training.stages import STAGES, Source
from training.tokenizer import train_tokenizer
from training.train_transformer import Trainer
from training.transformer import SHAPE, Transformer
from training.validate import validation_loss
from training.weak_to_strong import POINTS, train

TOY = Recipe(1, 64, 64, 8, base_side=8)


class Words:
    """Text states without any information."""

    tokenizer = train_tokenizer()

    def for_scenes(self, scenes: list[Scene], rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(len(scenes), 2, 192), torch.ones(len(scenes), 2, dtype=torch.long)

    def of_tokens(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(*ids.shape, 192), mask


def toy_set() -> LatentSet:
    rng = np.random.default_rng(0)
    data = LatentSet.__new__(LatentSet)
    data.base_side, data.latents = 8, torch.from_numpy(rng.standard_normal((8, 4, 8, 8), np.float32)).half()
    data.scenes = [sample_scene(rng, 0.0) for _ in range(8)]
    return data


def trainer() -> Trainer:
    torch.manual_seed(0)
    stage = replace(STAGES["512px"], sources=(Source(TOY, 4),), steps=1000, decay=0.0)
    return Trainer(stage, [toy_set()], Words(), Transformer(replace(SHAPE, layers=1)))


def test_the_loss_is_reproducible_and_for_a_new_model_equals_the_targets_own() -> None:
    model = Transformer(replace(SHAPE, layers=1))
    losses = [validation_loss(model, toy_set(), Words()) for _ in range(2)]
    assert losses[0] == losses[1]
    assert 0.7 < losses[0] < 1.3


class KilledError(Exception):
    """The interruption of a run."""


def test_a_killed_run_resumes_from_its_last_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each step takes half a minute: two of them from point to point.
    ticks = count()
    monkeypatch.setattr("training.weak_to_strong.monotonic", lambda: 30.0 * next(ticks))
    first = trainer()
    step = first.step

    def until_killed(number: int, batch: Batch) -> torch.Tensor:
        if len((tmp_path / "toy" / "log.jsonl").read_text().splitlines()) == 4:
            raise KilledError
        return step(number, batch)

    first.step = until_killed
    with pytest.raises(KilledError):
        train(first, Run("toy", tmp_path), toy_set(), minutes=POINTS)
    points = train(trainer(), Run("toy", tmp_path), toy_set(), minutes=POINTS)
    assert len(points) == POINTS + 1
    assert [p.minutes for p in points] == list(range(POINTS + 1))
    assert points[4].pictures > points[3].pictures == 4 * 6
    assert {p.name for p in (tmp_path / "toy").glob("scored-*.pt")} == {f"scored-{i}.pt" for i in (4, 8, 12)}


def test_the_plot_is_well_formed_and_names_every_curve() -> None:
    plot = loss_plot([Curve("a < b", [0, 1], [0.5, 0.2]), Curve("c", [0, 1], [0.9, 0.3])], "minutes", "loss")
    texts = [node.firstChild.data for node in minidom.parseString(plot).getElementsByTagName("text")]
    assert {"a < b", "c", "minutes", "loss"} <= set(texts)
