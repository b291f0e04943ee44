"""The decoder's graph for CUDA, run on the processor with definitions of what that has no kernels for."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from damage import FILES, change_weights
from decoders import assert_overflow_is_computed_in_float32, compared, drafts_of, run
from torch import Tensor, nn

from export.bundle import BundleOptions
from export.cuda_decoder import has_cuda_decoder
from export.cuda_decoder_nodes import FILE
from export.cuda_verify import in_bytes, with_real_latents
from export.drafts import Draft
from export.export_bundle import export_bundle
from export.graphs import Graph
from export.parts import decoder_graphs
from export.precision import PROFILES
from export.recipes import Read
from export.vae_part import open_vae
from export.writing import write_drafts

SHIPPED = Path(__file__).parents[3] / "models/training/checkpoint"
LARGE = {"decoder.up_blocks.3.resnets.1.norm2.weight": 20, "decoder.up_blocks.3.resnets.1.conv2.weight": 1e5}
"""Weights that float16 holds, in the last block before the output, and by how much they are larger than usual."""


def opened(checkpoint: Path, read: Read | None = None) -> tuple[list[Graph], list[Draft]]:
    torch.manual_seed(0)
    part = open_vae(checkpoint)
    graphs = decoder_graphs(part.empty_decoder(), read or part.weights.tensor)
    examples = [with_real_latents(graph, part.config["scaling_factor"]) for graph in graphs]
    return examples, drafts_of(examples)


@pytest.mark.parametrize("name", ["tiny-epsilon", "shipped"])
def test_gives_the_bytes_of_what_torch_computes(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    examples, drafts = opened(SHIPPED if name == "shipped" else checkpoints[name])
    heard: list[str] = []
    found = compared(examples, drafts, tmp_path, heard)
    assert found.error <= 2 / 255
    assert found.psnr > 55
    assert not any("Trying" in text for text in heard)


def test_has_few_nodes_and_none_of_the_processors(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    examples, drafts = opened(checkpoints["tiny-epsilon"])
    write_drafts(drafts[:2], examples[0].parameter, tmp_path)
    kinds = {node.op_type for node in onnx.load(tmp_path / FILE).graph.node}
    assert kinds >= {"NhwcConv", "GroupNorm", "Resize"}
    assert not kinds & {"Conv", "Gather", "Div", "Sigmoid", "ReduceL2"}


def test_weights_that_overflow_in_float16_are_computed_in_float32_from_where_they_do(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    tensor = open_vae(checkpoints["tiny-epsilon"]).weights.tensor
    examples, drafts = opened(checkpoints["tiny-epsilon"], lambda name: tensor(name) * LARGE.get(name, 1))
    assert_overflow_is_computed_in_float32(examples, drafts, tmp_path)


def test_a_decoder_whose_norms_the_kernel_cannot_read_has_no_graph() -> None:
    assert not has_cuda_decoder(nn.Linear(1, 1))


def test_bytes_are_rounded_as_pictures_are() -> None:
    image = np.array([-2, -1, 0, 1, 2, 1 / 255], np.float32).reshape(1, 3, 1, 2)
    assert in_bytes(image).tolist() == [[[[0, 128, 255], [0, 255, 128]]]]


def test_a_bundle_for_graphics_cards_has_both_graphs_of_each_network_and_says_how_close_they_are(
    checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path
) -> None:
    export_bundle(checkpoints["tiny-compressed"], tmp_path / "b", options, precision=PROFILES["gpu"])
    said = json.loads((tmp_path / "b/bundle.json").read_text(encoding="utf-8"))
    assert said["cuda"].keys() == {"textEncoder", "transformer", "vae"}
    assert all(each["psnr"] >= 50 for each in said["cuda"].values())
    assert said["vae"]["onePiece"] == 256**2
    for name in ("text_encoder", "transformer", "vae_decoder"):
        assert {f"{name}.cuda.onnx", f"{name}.onnx.data"} < said["files"].keys()
        files = [tmp_path / "b" / f"{name}{kind}" for kind in (".cuda.onnx", ".onnx", ".onnx.data")]
        assert files[2].stat().st_size > 2 * files[0].stat().st_size


def test_an_export_tells_and_records_that_a_decoder_overflows_in_float16(
    copied: Path, options: BundleOptions, tmp_path: Path
) -> None:
    def enlarge(weights: dict[str, Tensor]) -> None:
        for name, by in LARGE.items():
            weights[name] *= by

    change_weights(copied / FILES["vae"], enlarge)
    heard: list[str] = []
    export_bundle(copied, tmp_path / "b", options, precision=PROFILES["gpu"], report=heard.append)
    assert [text for text in heard if text.startswith(FILE) and "its last 2 stages in fp32" in text]
    said = json.loads((tmp_path / "b/bundle.json").read_text(encoding="utf-8"))
    assert said["cuda"]["vae"]["psnr"] >= 50
    image, level = run(tmp_path / "b", torch.randn(1, 4, 8, 8) / open_vae(copied).config["scaling_factor"])
    assert np.isfinite(level).all()
    assert image.std() > 0
