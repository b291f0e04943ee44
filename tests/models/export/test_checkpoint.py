import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from damage import FILES, change_json, change_weights
from diffusers import PixArtTransformer2DModel
from safetensors.torch import load_file

from export.checkpoint import open_checkpoint
from export.errors import ExportError
from export.parts import transformer_graph
from export.transformer_part import open_transformer
from export.vae_part import open_vae
from export.verify import verify_against_reference


def refused(checkpoint: Path, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        open_checkpoint(checkpoint)


@pytest.mark.parametrize("name", ["tiny-epsilon", "tiny-alpha"])
@pytest.mark.parametrize(("height", "width"), [(8, 8), (10, 14), (2, 18)])
@torch.no_grad()
def test_the_transformer_equals_the_reference_class_on_even_and_odd_grids(
    checkpoints: dict[str, Path], name: str, height: int, width: int
) -> None:
    transformer = open_transformer(checkpoints[name]).load()
    graph = transformer_graph(transformer, height=height, width=width)
    assert verify_against_reference(checkpoints[name] / "transformer/config.json", graph) < 1e-9


@torch.no_grad()
def test_a_transformer_that_receives_sizes_depends_on_them(checkpoints: dict[str, Path]) -> None:
    inputs = transformer_graph(open_transformer(checkpoints["tiny-alpha"]).load()).inputs
    small, large = (open_transformer(checkpoints["tiny-alpha"], factor).load()(**inputs) for factor in (8, 16))
    assert (small - large).abs().max() > 0.01


def test_reads_every_weight_that_the_reference_class_reads(checkpoints: dict[str, Path]) -> None:
    transformer = open_transformer(checkpoints["tiny-epsilon"]).load()
    reference = PixArtTransformer2DModel.from_pretrained(checkpoints["tiny-epsilon"] / "transformer")
    assert sum(p.numel() for p in transformer.parameters()) == sum(p.numel() for p in reference.parameters())


def test_the_caption_length_is_that_of_the_pipeline_in_the_index(checkpoints: dict[str, Path]) -> None:
    lengths = {name: open_checkpoint(folder).kind.max_tokens for name, folder in checkpoints.items()}
    assert (lengths["tiny-epsilon"], lengths["tiny-alpha"]) == (300, 120)


@pytest.mark.parametrize("name", ["StableDiffusionPipeline", "FluxPipeline", "PixArtAlphaControlnetPipeline", None])
def test_refuses_another_pipeline_by_name(copied: Path, name: str | None) -> None:
    change_json(copied / "model_index.json", _class_name=name)
    refused(copied, rf"model_index\.json: _class_name is {name!r}; .*'PixArtSigmaPipeline' or 'PixArtAlphaPipeline'")


def test_a_folder_of_another_model_is_refused_for_its_class_and_not_for_missing_parts(copied: Path) -> None:
    change_json(copied / "model_index.json", _class_name="StableDiffusionPipeline")
    (copied / "transformer").rename(copied / "unet")
    refused(copied, "_class_name is 'StableDiffusionPipeline'")


@pytest.mark.parametrize(
    ("part", "name"),
    [("text_encoder", "UMT5EncoderModel"), ("vae", "AutoencoderTiny"), ("transformer", "SD3Transformer2DModel")],
)
def test_refuses_a_part_of_another_class_by_name(copied: Path, part: str, name: str) -> None:
    change_json(copied / "model_index.json", **{part: ["library", name]})
    refused(copied, rf"model_index\.json: {part} is '{name}'")


def test_a_checkpoint_that_was_published_without_its_transformer_may_say_so(copied: Path) -> None:
    change_json(copied / "model_index.json", transformer=[None, None])
    open_checkpoint(copied)


def test_refuses_a_checkpoint_without_model_index(copied: Path) -> None:
    (copied / "model_index.json").unlink()
    refused(copied, r"model_index\.json: not found; it says whether this is PixArt-Σ or PixArt-α")


def test_names_every_folder_that_is_missing(copied: Path) -> None:
    shutil.rmtree(copied / "vae")
    shutil.rmtree(copied / "tokenizer")
    refused(copied, "vae, tokenizer not found")


def test_refuses_a_path_that_is_no_folder(copied: Path) -> None:
    refused(copied / FILES["vae"], "expected a checkpoint's folder .*, found a file")
    refused(copied / "none", "expected a checkpoint's folder .*, found nothing")


def test_names_every_file_that_is_a_git_lfs_pointer(copied: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for name in (FILES["vae"], "tokenizer/spiece.model"):
        (copied / name).write_text(pointer, encoding="utf-8")
    refused(copied, rf"pointers to them: {FILES['vae']}, tokenizer/spiece\.model\. Run git lfs pull")


CONFIGS = ["model_index.json", *(f"{part}/config.json" for part in FILES), "scheduler/scheduler_config.json"]


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(
    "text",
    ["", '{"_class_name": "Pix', "[1]", "\udcff", "[" * 99_999],
    ids=["empty", "cut", "list", "no UTF-8", "deep"],
)
def test_names_an_invalid_configuration_file(copied: Path, name: str, text: str) -> None:
    (copied / name).write_bytes(text.encode(errors="surrogateescape"))
    refused(copied, f"{name}: expected .*JSON.*ownload")


@pytest.mark.parametrize("name", CONFIGS[1:])
def test_names_a_missing_configuration_file(copied: Path, name: str) -> None:
    (copied / name).unlink()
    refused(copied, f"{name}: not found")


@pytest.mark.parametrize(
    ("part", "name", "value", "message"),
    [
        ("transformer", "_class_name", "DiTTransformer2DModel", "_class_name is 'DiT"),
        ("transformer", "in_channels", 16, "in_channels is 16"),
        ("transformer", "out_channels", 6, "out_channels is 6; .* 4 or 8 or None"),
        ("transformer", "norm_type", "ada_norm", "norm_type is 'ada_norm'"),
        ("transformer", "norm_eps", 1e-5, "norm_eps is 1e-05"),
        ("transformer", "norm_elementwise_affine", True, "norm_elementwise_affine is True"),
        ("transformer", "attention_bias", False, "attention_bias is False"),
        ("transformer", "activation_fn", "geglu", "activation_fn is 'geglu'"),
        ("transformer", "attention_type", "gated", "attention_type is 'gated'"),
        ("transformer", "cross_attention_dim", 64, "cross_attention_dim is 64"),
        ("transformer", "caption_channels", None, "caption_channels is None; .* a whole number"),
        ("transformer", "num_layers", "2", "num_layers is '2'; .* a whole number"),
        ("transformer", "num_layers", 10**8, "num_layers is 100000000; expected at most 1000"),
        ("transformer", "interpolation_scale", 0, "interpolation_scale is 0"),
        ("transformer", "num_layers", 3, r"missing: transformer_blocks\.2\."),
        ("transformer", "patch_size", 1, r"of another shape: pos_embed\.proj\.weight"),
        ("transformer", "caption_channels", 64, r"of another shape: caption_projection"),
        ("transformer", "use_additional_conditions", True, r"missing: .*resolution_embedder"),
        ("transformer", "kv_compression", {"layers": [5], "scale": 2, "sampling": "conv"}, r"layers are 0 … 1"),
        ("transformer", "kv_compression", {"layers": [1], "scale": 2, "sampling": "avg"}, "sampling is 'avg'"),
        ("transformer", "kv_compression", {"layers": [1], "scale": "2", "sampling": "conv"}, "scale is '2'"),
        ("transformer", "kv_compression", [1], "expected layers, scale and sampling"),
        ("transformer", "qk_norm", "rms_norm", "qk_norm is 'rms_norm'; .* does not know that field"),
        ("vae", "_class_name", "AutoencoderTiny", "_class_name is 'AutoencoderTiny'"),
        ("vae", "latent_channels", 16, "of another shape: post_quant_conv|of another shape: decoder.conv_in"),
        ("vae", "out_channels", 4, "out_channels is 4"),
        ("vae", "latents_mean", [0.1] * 4, "latents_mean is .* write null"),
        ("vae", "latents_std", [0.1] * 4, "latents_std is .* write null"),
        ("vae", "use_post_quant_conv", False, "left over: post_quant_conv"),
        ("vae", "mid_block_add_attention", False, r"left over: decoder\.mid_block\.attentions"),
        ("vae", "layers_per_block", 2, r"missing: decoder\.up_blocks\.0\.resnets\.2"),
        ("vae", "norm_num_groups", 3, "it does not describe a model"),
        ("vae", "block_out_channels", 8, "it does not describe a model"),
        ("vae", "up_block_types", ["AttnUpDecoderBlock2D"] * 4, "up_block_types is 'AttnUp"),
        ("vae", "channel_multiplier", 2, "channel_multiplier is 2; .* does not know that field"),
        ("text_encoder", "model_type", "umt5", "model_type is 'umt5'"),
        ("text_encoder", "model_type", None, "model_type is None"),
        ("text_encoder", "quantization_config", {"bits": 8}, "quantization_config is .* not quantised"),
        ("text_encoder", "is_gated_act", False, r"missing: .*DenseReluDense\.wi\.weight"),
        ("text_encoder", "feed_forward_proj", "gated-gated-x", "it does not describe a T5 encoder"),
        ("text_encoder", "relative_attention_num_buckets", 16, "of another shape: .*relative_attention_bias"),
        ("text_encoder", "vocab_size", 600, r"of another shape: shared\.weight"),
        ("text_encoder", "num_layers", "two", "it does not describe a T5 encoder"),
        ("text_encoder", "num_layers", 10**8, "num_layers is 100000000; expected at most 1000"),
    ],
)
def test_refuses_a_configuration_that_a_bundle_could_not_reproduce(
    copied: Path, part: str, name: str, value: Any, message: str
) -> None:
    change_json(copied / part / "config.json", **{name: value})
    refused(copied, message)


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ("transformer", {"dropout": 0.1, "norm_num_groups": 8, "num_embeds_ada_norm": 10, "upcast_attention": True}),
        (
            "transformer",
            {"_class_name": "Transformer2DModel", "num_vector_embeds": None, "double_self_attention": False},
        ),
        ("vae", {"force_upcast": False, "sample_size": 1024, "down_block_types": ["AttnDownEncoderBlock2D"] * 4}),
        ("text_encoder", {"dropout_rate": 0.5, "tie_word_embeddings": False, "output_past": True, "dtype": "float16"}),
    ],
)
def test_ignores_fields_without_effect_on_images(copied: Path, part: str, settings: dict[str, Any]) -> None:
    change_json(copied / part / "config.json", **settings)
    open_checkpoint(copied)


def test_an_older_transformer_class_has_to_say_what_it_is(copied: Path) -> None:
    file = copied / "transformer/config.json"
    config = json.loads(file.read_text(encoding="utf-8")) | {"_class_name": "Transformer2DModel"}
    del config["norm_type"]
    file.write_text(json.dumps(config), encoding="utf-8")
    refused(copied, "norm_type is None")


@torch.no_grad()
def test_an_older_transformer_class_equals_the_one_that_diffusers_converts_it_to(copied: Path) -> None:
    older = {"_class_name": "Transformer2DModel", "num_vector_embeds": None, "use_linear_projection": False}
    change_json(copied / "transformer/config.json", **older)
    transformer = open_transformer(copied).load()
    assert verify_against_reference(copied / "transformer/config.json", transformer_graph(transformer)) < 1e-9


def test_a_transformer_that_is_published_alone_is_read_from_its_own_folder(copied: Path, tmp_path: Path) -> None:
    alone = tmp_path / "PixArt-Sigma-XL-2-512-MS"
    alone.mkdir()
    (copied / "transformer").rename(alone / "transformer")
    change_json(copied / "model_index.json", transformer=[None, None])
    refused(copied, "transformer not found.* --transformer-from")
    assert open_checkpoint(copied, alone).transformer.weights.folder == alone / "transformer"
    with pytest.raises(ExportError, match=r"--transformer-from .*: expected a folder with transformer/"):
        open_checkpoint(copied, copied)


def test_refuses_parts_of_different_widths(copied: Path, checkpoints: dict[str, Path]) -> None:
    change_json(copied / "transformer/config.json", caption_channels=16)
    change_weights(
        copied / FILES["transformer"],
        lambda state: state.update({"caption_projection.linear_1.weight": torch.zeros(48, 16)}),
    )
    refused(copied, "text_encoder is 32 wide, transformer expects 16")


def test_a_note_says_that_the_shift_is_not_added(copied: Path) -> None:
    change_json(copied / "vae/config.json", shift_factor=0.1)
    assert open_checkpoint(copied).notes == ["vae: shift_factor 0.1 is not added, as in diffusers' PixArt pipelines"]


def test_reads_the_range_of_positions_as_the_reference_class_does(copied: Path) -> None:
    def position_range() -> float:
        return open_transformer(copied).position_range

    assert position_range() == 64
    change_json(copied / "transformer/config.json", interpolation_scale=1)
    assert position_range() == 32
    change_json(copied / "transformer/config.json", interpolation_scale=None, sample_size=256)
    assert position_range() == 64


def test_refuses_weights_of_compressed_layers_that_the_configuration_does_not_name(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    copied = shutil.copytree(checkpoints["tiny-compressed"], tmp_path / "checkpoint")
    change_json(copied / "transformer/config.json", kv_compression=None)
    refused(copied, r"left over: transformer_blocks\.1\.attn1\.")


def test_refuses_a_transformer_that_needs_sizes_if_its_pipeline_passes_none(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    copied = shutil.copytree(checkpoints["tiny-alpha"], tmp_path / "checkpoint")
    change_json(copied / "transformer/config.json", sample_size=64)
    refused(copied, "pipeline of PixArt-α with sample_size 64 does not pass it")
    change_json(copied / "transformer/config.json", sample_size=128, use_additional_conditions=None)
    open_checkpoint(copied)
    change_json(copied / "model_index.json", _class_name="PixArtSigmaPipeline")
    refused(copied, "pipeline of PixArt-Σ with sample_size 128 does not pass it.*write PixArtAlphaPipeline")
    change_json(copied / "transformer/config.json", use_additional_conditions=False)
    refused(copied, "left over: .*resolution_embedder")


def test_an_autoencoder_without_its_last_latent_layer_is_read(copied: Path) -> None:
    change_json(copied / "vae/config.json", use_post_quant_conv=False)
    change_weights(
        copied / FILES["vae"], lambda state: [state.pop(f"post_quant_conv.{name}") for name in ("weight", "bias")]
    )
    part = open_vae(copied)
    names = set(part.empty().state_dict())
    assert names == set(part.weights.stored)
    assert names == {name for name in load_file(copied / FILES["vae"]) if name.startswith("decoder.")}
