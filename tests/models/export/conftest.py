"""Tiny checkpoints with random weights, written once for all tests."""

import shutil
from pathlib import Path

import pytest
from decoders import learned

from export.bundle import BundleOptions
from export.golden.pipelines import CHECKPOINTS, write_checkpoint
from export.quiet import quiet_libraries
from network.shuffle_decoder import save_decoder

PROMPTS = Path(__file__).parents[2] / "catalogs" / "parti-prompts.tsv"


@pytest.fixture(scope="session", autouse=True)
def quiet() -> None:
    quiet_libraries()


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each tiny checkpoint, by name; read only."""
    texts = [line.split("\t")[0] for line in PROMPTS.read_text(encoding="utf-8").splitlines()[1:]]
    root = tmp_path_factory.mktemp("checkpoints")
    for tiny in CHECKPOINTS:
        write_checkpoint(tiny, texts, root / tiny.name)
    return {tiny.name: root / tiny.name for tiny in CHECKPOINTS}


@pytest.fixture
def copied(checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a tiny checkpoint that a test may damage."""
    return Path(shutil.copytree(checkpoints["tiny-epsilon"], tmp_path / "checkpoint"))


@pytest.fixture
def with_decoder(copied: Path) -> Path:
    """A copy of a tiny checkpoint with a separate decoder beside the autoencoder."""
    save_decoder(learned(), copied / "decoder")
    return copied


@pytest.fixture(scope="session")
def options() -> BundleOptions:
    return BundleOptions(
        name="tiny",
        description="for tests",
        license="Apache-2.0",
        source="random weights",
        sizes=("256", "512"),
        max_tokens=24,
        clean_caption=True,
        steps=20,
        guidance=4.5,
    )
