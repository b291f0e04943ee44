import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sentencepiece
import torch
from diffusers import PixArtTransformer2DModel
from safetensors.torch import load_file, save_file

from export import checkpoint as reader
from export.errors import ExportError
from export.golden.texts import TOKENIZER_TEXTS
from export.parts import transformer_graph
from export.verify import verify_against_reference


@pytest.fixture
def copied(checkpoints: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a tiny checkpoint that a test may damage."""
    return Path(shutil.copytree(checkpoints["tiny-compressed"], tmp_path / "checkpoint"))


def change_json(path: Path, change: Callable[[dict], None]) -> None:
    value = json.loads(path.read_text(encoding="utf-8"))
    change(value)
    path.write_text(json.dumps(value), encoding="utf-8")


def test_names_every_folder_that_is_missing(copied: Path) -> None:
    shutil.rmtree(copied / "vae")
    shutil.rmtree(copied / "tokenizer")
    with pytest.raises(ExportError, match="vae, tokenizer not found"):
        reader.check_layout(copied)


def test_names_the_weights_file_that_is_missing(copied: Path) -> None:
    (copied / "transformer" / reader.WEIGHTS).unlink()
    with pytest.raises(ExportError, match=r"transformer/diffusion_pytorch_model\.safetensors: not found"):
        reader.load_transformer(copied)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (10, 14), (2, 18)])
@torch.no_grad()
def test_the_transformer_equals_the_reference_class_on_even_and_odd_grids(
    checkpoints: dict[str, Path], height: int, width: int
) -> None:
    transformer = reader.load_transformer(checkpoints["tiny-epsilon"])
    inputs = transformer_graph(transformer, height=height, width=width).inputs
    assert verify_against_reference(checkpoints["tiny-epsilon"], transformer, inputs) < 1e-5


def test_reads_every_weight_that_the_reference_class_reads(checkpoints: dict[str, Path]) -> None:
    transformer = reader.load_transformer(checkpoints["tiny-epsilon"])
    reference = PixArtTransformer2DModel.from_pretrained(checkpoints["tiny-epsilon"] / "transformer")
    assert sum(p.numel() for p in transformer.parameters()) == sum(p.numel() for p in reference.parameters())


def test_refuses_weights_that_do_not_fit_the_configuration(copied: Path) -> None:
    change_json(copied / "transformer/config.json", lambda config: config.update(kv_compression=None))
    with pytest.raises(ExportError, match=r"Unexpected key.*attn1\.sr"):
        reader.load_transformer(copied)


def test_refuses_compressed_layers_that_do_not_exist(copied: Path) -> None:
    change_json(copied / "transformer/config.json", lambda config: config["kv_compression"].update(layers=[2]))
    with pytest.raises(ExportError, match=r"layers \[2\], but the layers are 0 … 1"):
        reader.load_transformer(copied)


def test_reads_the_range_of_positions_as_the_reference_class_does(copied: Path) -> None:
    assert reader.load_position_range(copied) == 64
    change_json(copied / "transformer/config.json", lambda config: config.update(interpolation_scale=1))
    assert reader.load_position_range(copied) == 32
    change_json(
        copied / "transformer/config.json", lambda config: config.update(interpolation_scale=None, sample_size=256)
    )
    assert reader.load_position_range(copied) == 64


def test_refuses_a_transformer_conditioned_on_image_size(copied: Path) -> None:
    file = copied / "transformer" / reader.WEIGHTS
    state = load_file(file)
    state["adaln_single.emb.resolution_embedder.linear_1.bias"] = state["proj_out.bias"].clone()
    save_file(state, file)
    with pytest.raises(ExportError, match="PixArt-α and not PixArt-Σ"):
        reader.load_transformer(copied)


def test_refuses_a_tokenizer_that_does_not_end_texts(copied: Path) -> None:
    change_json(copied / "tokenizer/tokenizer.json", lambda tokenizer: tokenizer.update(post_processor=None))
    with pytest.raises(ExportError, match="end token that ends every text"):
        reader.load_tokenizer(copied)


def test_converted_tokenizer_agrees_with_sentencepiece(checkpoints: dict[str, Path]) -> None:
    folder = checkpoints["tiny-epsilon"]
    assert not (folder / "tokenizer/tokenizer.json").exists()
    part = reader.load_tokenizer(folder)
    original = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer/spiece.model"))
    special = ("</s>", "\u0085")  # sentencepiece has no special tokens, and does not count U+0085 as white space
    for text in TOKENIZER_TEXTS:
        if any(piece in text for piece in special):
            continue
        assert part.tokenizer.encode(text).ids == [*original.encode(text), part.eos_id]
    assert (part.pad_id, part.eos_id) == (0, 1)
