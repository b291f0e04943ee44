import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from export.bundle import BundleOptions
from export.checkpoint import open_checkpoint
from export.errors import ExportError
from export.export_bundle import export_bundle
from export.precision import Precision
from export.random_checkpoint import main, write_checkpoint
from export.random_weights import LARGEST, SIZES
from export.streaming import streamed


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random checkpoint; read only."""
    folder = tmp_path_factory.mktemp("random") / "checkpoint"
    write_checkpoint(folder, SIZES["tiny"], torch.bfloat16, report=lambda line: None)
    return folder


def test_t5_activations_exceed_float16_and_its_states_still_distinguish_texts(made: Path) -> None:
    checkpoint = open_checkpoint(made)
    encoder = checkpoint.text_encoder.empty()
    largest = []
    for block in encoder.encoder.block:
        block.layer[1].DenseReluDense.wo.register_forward_hook(
            lambda _, inputs, output: largest.append((inputs[0].abs().max().item(), output.abs().max().item()))
        )
    texts = ["a red cat on a blue chair under the old tree", "two dogs run over green grass behind the house"]
    ids = [checkpoint.tokenizer.tokenizer.encode(text).ids for text in texts]
    with torch.no_grad(), streamed(encoder, checkpoint.text_encoder.tensor):
        states = [encoder(torch.tensor([each])).last_hidden_state.mean(1) for each in ids]
    assert max(given for given, _ in largest) > LARGEST / 3
    assert max(made for _, made in largest) > LARGEST / 3
    assert all(np.isfinite(each).all() for each in states)
    assert torch.cosine_similarity(*states).item() < 0.9


def test_it_can_be_exported_like_any_other(made: Path, options: BundleOptions, tmp_path: Path) -> None:
    lines: list[str] = []
    export_bundle(made, tmp_path / "bundle", options, precision=Precision("bf16", "fp32", "fp32"), report=lines.append)
    assert (tmp_path / "bundle/bundle.json").is_file()


def test_a_refused_write_is_reported_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        assert main([str(tmp_path / "checkpoint"), "--size", "tiny"]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    error = capsys.readouterr().err
    assert f"{os.strerror(errno.EFBIG)}. Free some space or choose another folder" in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(ExportError, match="expected a folder that is empty"):
        write_checkpoint(tmp_path, SIZES["tiny"], torch.bfloat16)
