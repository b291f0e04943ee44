"""Key/value compression: in training, in the folder that training writes, and in the exporter that reads it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from export.reference import position_embedding
from export.transformer_part import open_transformer
from training.huggingface import save_folder
from training.text_states import TextStates
from training.tokenizer import train_tokenizer
from training.train_text import build_text_encoder
from training.train_vae import build_vae
from training.transformer import SHAPE, Transformer, compress, to_diffusers

SMALL = replace(SHAPE, layers=3, heads=2, head_width=16)


def scrambled(model: Transformer) -> Transformer:
    generator = torch.Generator().manual_seed(0)
    for p in model.parameters():
        p.data += torch.randn(p.shape, generator=generator) * 0.1
    return model.eval().requires_grad_(False)


def inputs(height: int, width: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "latents": torch.randn(2, 4, height, width, generator=generator),
        "timestep": torch.tensor([3, 999]),
        "caption": torch.randn(2, 7, 192, generator=generator),
        "caption_mask": torch.tensor([[1] * 7, [1] * 3 + [0] * 4]),
    }


def test_new_compression_averages_keys_and_values_and_drops_the_last_odd_row_and_column() -> None:
    model = compress(scrambled(Transformer(SMALL)), (2,))
    attention = model.transformer_blocks[2].attn1
    tokens = torch.randn(3, 5 * 7, SMALL.width, generator=torch.Generator().manual_seed(2))
    average = F.avg_pool2d(tokens.mT.unflatten(2, (5, 7)), 2).flatten(2).mT
    torch.testing.assert_close(attention._shorten(tokens, (5, 7)), F.layer_norm(average, (SMALL.width,)))


def test_compression_keeps_every_weight_and_changes_only_the_given_layers() -> None:
    model = scrambled(Transformer(SMALL))
    compressed = compress(model, (1,))
    for name, weight in model.state_dict().items():
        assert torch.equal(compressed.state_dict()[name], weight)
    added = set(compressed.state_dict()) - set(model.state_dict())
    assert added == {f"transformer_blocks.1.attn1.{n}" for n in ("sr.weight", "sr.bias", "norm.weight", "norm.bias")}


@pytest.mark.parametrize(("height", "width"), [(16, 16), (18, 42)])
def test_the_exporter_reads_the_folder_as_the_trained_model(tmp_path: Path, height: int, width: int) -> None:
    model = scrambled(compress(Transformer(SMALL), (1, 2)))
    text_states = TextStates(train_tokenizer(), build_text_encoder())
    save_folder(tmp_path / "model", model, build_vae(), text_states, base_side=32)
    exported = open_transformer(tmp_path / "model").load()
    assert exported.shape.kv_compression.layers == (1, 2)
    model.half().float()
    call = inputs(height, width)
    theirs = exported(
        call["latents"],
        call["timestep"].float(),
        position_embedding(to_diffusers(model, 32), call["latents"]),
        exported.caption_projection(call["caption"]),
        call["caption_mask"],
    )
    torch.testing.assert_close(model(**call, base_side=32), theirs, rtol=1e-4, atol=1e-4)
