"""Weights that do not match config.json are refused, and their names are reported."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from damage import FILES, WEIGHTS, change_json, change_weights, write_shards
from safetensors.torch import load_file, save_file
from torch import Tensor

from export.checkpoint import open_checkpoint
from export.errors import ExportError
from export.precision import Precision
from export.text_encoder_part import open_text_encoder
from export.transformer_part import open_transformer
from export.vae_part import open_vae
from export.weights import Weights

OPEN = {"transformer": open_transformer, "vae": open_vae, "text_encoder": open_text_encoder}
A_WEIGHT = {
    "transformer": "transformer_blocks.1.attn2.to_k.weight",
    "vae": "decoder.up_blocks.0.resnets.0.conv1.weight",
    "text_encoder": "encoder.block.1.layer.1.DenseReluDense.wo.weight",
}
EACH = pytest.mark.parametrize("part", FILES)


def weights_of(checkpoint: Path, part: str) -> Weights:
    return OPEN[part](checkpoint).weights


def refused(checkpoint: Path, part: str, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        weights_of(checkpoint, part)


@EACH
def test_a_missing_tensor_is_named(copied: Path, part: str) -> None:
    change_weights(copied / FILES[part], lambda state: state.pop(A_WEIGHT[part]))
    refused(copied, part, f"missing: {re.escape(A_WEIGHT[part])}\n")


@EACH
def test_an_unexpected_tensor_is_named(copied: Path, part: str) -> None:
    change_weights(copied / FILES[part], lambda state: state.update(lora_up=torch.zeros(2)))
    refused(copied, part, "left over: lora_up\n")


@EACH
def test_a_tensor_of_another_shape_is_named_with_both_shapes(copied: Path, part: str) -> None:
    change_weights(copied / FILES[part], lambda state: state.update({A_WEIGHT[part]: torch.zeros(2, 3)}))
    refused(copied, part, rf"of another shape: {re.escape(A_WEIGHT[part])} is \[2, 3\], not \[\d+, \d+")


@EACH
def test_quantised_tensors_are_named(copied: Path, part: str) -> None:
    change_weights(copied / FILES[part], lambda state: state.update({A_WEIGHT[part]: state[A_WEIGHT[part]].char()}))
    refused(copied, part, rf"of another type: {re.escape(A_WEIGHT[part])} is I8, not one of F16, BF16, F32, F64")


@EACH
@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_tensor_that_holds_nan_or_infinity_is_named(copied: Path, part: str, value: float) -> None:
    change_weights(copied / FILES[part], lambda state: state[A_WEIGHT[part]].view(-1)[3:4].fill_(value))
    with pytest.raises(ExportError, match=f"{part}: expected numbers, found NaN or infinity in {A_WEIGHT[part]}. "):
        weights_of(copied, part).check_values("fp32", print)


def test_values_beyond_float16_are_refused_for_fp16_only(copied: Path) -> None:
    change_weights(copied / FILES["transformer"], lambda state: state["proj_out.weight"].view(-1)[0].fill_(7e4))
    weights = weights_of(copied, "transformer")
    weights.check_values("fp32", print)
    with pytest.raises(ExportError, match=r"proj_out\.weight hold values above 65504.* in another format"):
        weights.check_values("fp16", print)


def test_many_names_are_counted_instead_of_listed(copied: Path) -> None:
    change_weights(copied / FILES["text_encoder"], dict.clear)
    refused(copied, "text_encoder", r"missing: shared\.weight, .* and 1 more\n")


@EACH
@pytest.mark.parametrize("size", [0, 5, 4000])
def test_a_truncated_file_is_named(copied: Path, part: str, size: int) -> None:
    file = copied / FILES[part]
    file.write_bytes(file.read_bytes()[:size])
    refused(copied, part, rf"{FILES[part]}: expected a complete safetensors file, found {size} bytes .*Download")


@EACH
def test_a_missing_file_is_named(copied: Path, part: str) -> None:
    (copied / FILES[part]).unlink()
    refused(copied, part, f"{FILES[part]}: not found. Download")


def test_a_dangling_link_counts_as_missing(copied: Path) -> None:
    (copied / FILES["vae"]).unlink()
    (copied / FILES["vae"]).symlink_to("../../blobs/0123")
    refused(copied, "vae", f"{FILES['vae']}: not found")


@EACH
def test_a_pickle_is_refused_and_never_opened(copied: Path, part: str, tmp_path: Path) -> None:
    (copied / FILES[part]).unlink()
    (copied / part / "pytorch_model.bin").write_text(f"cposix\nmkdir\n(V{tmp_path}/was-run\ntR.", encoding="utf-8")
    refused(copied, part, r"pickles \(pytorch_model.bin\) can run code")
    assert not (tmp_path / "was-run").exists()


@EACH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_weights_are_read_as_float32_beside_others(copied: Path, part: str, dtype: torch.dtype) -> None:
    change_weights(copied / FILES[part], lambda state: state.update({A_WEIGHT[part]: state[A_WEIGHT[part]].to(dtype)}))
    state = weights_of(copied, part).load()
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}
    kept = load_file(copied / FILES[part])[A_WEIGHT[part]]
    assert torch.equal(state[A_WEIGHT[part]], kept.float())


def same(found: Weights, expected: dict[str, Tensor]) -> bool:
    state = found.load()
    return all(torch.equal(state[name], expected[name]) for name in state)


@EACH
def test_files_under_a_variants_name_are_found(copied: Path, part: str) -> None:
    file = copied / FILES[part]
    expected = load_file(file)
    file.rename(file.with_suffix(".fp16.safetensors"))
    weights = weights_of(copied, part)
    assert (weights.variant, same(weights, expected)) == ("fp16", True)


@EACH
@pytest.mark.parametrize("variant", ["", ".fp16"])
def test_shards_are_read_with_their_index(copied: Path, part: str, variant: str) -> None:
    expected = load_file(copied / FILES[part])
    write_shards(copied / FILES[part], variant)
    assert same(weights_of(copied, part), expected)


def test_weights_without_a_variants_name_are_preferred(copied: Path) -> None:
    file = copied / FILES["vae"]
    file.with_suffix(".fp16.safetensors").write_bytes(b"not read")
    assert weights_of(copied, "vae").variant is None


def test_several_variants_without_a_plain_file_are_refused(copied: Path) -> None:
    file = copied / FILES["vae"]
    file.with_suffix(".non_ema.safetensors").write_bytes(file.read_bytes())
    file.rename(file.with_suffix(".fp16.safetensors"))
    refused(copied, "vae", r"expected the weights once, found .*\.fp16\.safetensors, .*\.non_ema\.safetensors")


def test_one_file_and_shards_of_the_same_name_are_refused(copied: Path) -> None:
    file = copied / FILES["vae"]
    kept = file.read_bytes()
    write_shards(file)
    file.write_bytes(kept)
    refused(copied, "vae", r"expected the weights once, found .*safetensors, .*index\.json")


def test_a_missing_shard_from_the_index_is_named(copied: Path) -> None:
    write_shards(copied / FILES["transformer"])
    (copied / "transformer/diffusion_pytorch_model-00002-of-00002.safetensors").unlink()
    refused(copied, "transformer", r"index\.json: it names .*-00002-of-00002\.safetensors, not found")


def test_shards_without_their_index_are_refused(copied: Path) -> None:
    write_shards(copied / FILES["transformer"]).unlink()
    refused(copied, "transformer", r"nor .*\.safetensors\.index\.json, .*found .*-00001-of-00002\.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda index: index.pop("weight_map"), "expected weight_map"),
        (lambda index: index.update(weight_map={}), "expected weight_map"),
        (
            lambda index: index["weight_map"].update(x="../x.safetensors"),
            "in the same folder; it names ../x.safetensors",
        ),
        (lambda index: index["weight_map"].update(x="x.bin"), "it names x.bin"),
        (
            lambda index: index["weight_map"].update({"proj_out.bias": index["weight_map"]["proj_out.weight"]}),
            "proj_out.bias: not in the shard that the index names",
        ),
    ],
    ids=["no map", "empty map", "another folder", "pickle", "tensor in another shard"],
)
def test_a_wrong_index_is_refused(copied: Path, change: Callable[[dict], object], message: str) -> None:
    file = write_shards(copied / FILES["transformer"])
    index = json.loads(file.read_text(encoding="utf-8"))
    change(index)
    file.write_text(json.dumps(index), encoding="utf-8")
    refused(copied, "transformer", message)


def test_a_tensor_in_two_shards_is_refused(copied: Path) -> None:
    write_shards(copied / FILES["vae"])
    shards = sorted((copied / "vae").glob("*-of-*"))
    name = next(iter(load_file(shards[1])))
    change_weights(shards[0], lambda state: state.update({name: torch.zeros(1)}))
    refused(copied, "vae", f"{re.escape(name)} is in both .*-00001-of-.* and .*-00002-of-.*")


def test_known_left_over_tensors_are_ignored(copied: Path) -> None:
    change_weights(
        copied / FILES["transformer"],
        lambda state: state.update(
            {"pos_embed.pos_embed": torch.zeros(1), "caption_projection.y_embedding": torch.zeros(2)}
        ),
    )
    change_weights(
        copied / FILES["text_encoder"],
        lambda state: state.update({"decoder.block.0.x": torch.zeros(1), "lm_head.weight": torch.zeros(1)}),
    )
    open_checkpoint(copied)


def test_an_autoencoder_without_its_encoder_is_complete(copied: Path) -> None:
    def drop(state: dict[str, Tensor]) -> None:
        for name in [name for name in state if name.startswith(("encoder.", "quant_conv."))]:
            del state[name]

    before = weights_of(copied, "vae").load()
    change_weights(copied / FILES["vae"], drop)
    assert same(weights_of(copied, "vae"), before)


def test_attention_under_its_former_names_is_read_as_diffusers_reads_it(copied: Path) -> None:
    former = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    before = weights_of(copied, "vae").load()

    def rename(state: dict[str, Tensor]) -> None:
        for name in list(state):
            for now, once in former.items():
                if f".attentions.0.{now}." in name:
                    state[name.replace(now, once)] = state.pop(name)

    change_weights(copied / FILES["vae"], rename)
    assert "decoder.mid_block.attentions.0.query.weight" in load_file(copied / FILES["vae"])
    assert same(weights_of(copied, "vae"), before)


def test_t5_may_have_its_token_table_under_either_name_or_under_both(copied: Path) -> None:
    copy, file = "encoder.embed_tokens.weight", copied / FILES["text_encoder"]
    expected = load_file(file)["shared.weight"]
    change_weights(file, lambda state: state.update({copy: expected.clone()}))
    assert torch.equal(open_text_encoder(copied).tensor(copy), expected)
    change_weights(file, lambda state: state.pop("shared.weight"))
    assert torch.equal(open_text_encoder(copied).tensor(copy), expected)
    change_weights(file, lambda state: state.update({"shared.weight": expected + 1}))
    with pytest.raises(ExportError, match=r"shared\.weight and encoder\.embed_tokens\.weight differ"):
        open_checkpoint(copied).check_values(Precision(), print)


def test_an_extra_layer_in_the_configuration_is_a_missing_layer(copied: Path) -> None:
    change_json(copied / "text_encoder/config.json", num_layers=3)
    refused(copied, "text_encoder", r"missing: encoder\.block\.2\.layer\.0")


def test_a_file_in_another_layout_is_refused(copied: Path) -> None:
    (copied / FILES["vae"]).rename(copied / "vae" / "sdxl.vae.safetensors")
    refused(copied, "vae", "found sdxl.vae.safetensors. .*give the file its usual name")


def test_weights_without_a_tensor_are_refused(copied: Path) -> None:
    save_file({}, copied / "vae" / WEIGHTS)
    refused(copied, "vae", "missing: ")
