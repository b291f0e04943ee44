"""The graph for CUDA of a decoder without norms, run on the processor."""

import json
from collections import Counter
from pathlib import Path

import onnx
import pytest
import torch
from decoders import SHAPE, assert_overflow_is_computed_in_float32, compared, drafts_of, learned, run

from export.bundle import BundleOptions
from export.cuda_decoder_nodes import FILE
from export.export_bundle import export_bundle
from export.parts import decoder_graphs
from export.precision import PROFILES
from export.writing import write_drafts
from network.shuffle_decoder import DecoderShape

LARGE = {"levels.1.1.conv1": 1e3, "levels.1.1.conv2": 1e3, "ups.1": 1e-3, "conv_out": 1e-3}
"""Convolutions whose weights float16 holds, and by how much they are larger than usual: the second level overflows."""


# With an odd and an even number of levels: they turn the picture in the middle.
@pytest.mark.parametrize("shape", [SHAPE, DecoderShape(4, (8, 6), (1, 1)), DecoderShape(3, (4,), (1,))])
def test_gives_the_bytes_of_what_torch_computes(shape: DecoderShape, tmp_path: Path) -> None:
    examples = decoder_graphs(learned(shape))
    heard: list[str] = []
    found = compared(examples, drafts_of(examples), tmp_path, heard)
    assert found.error <= 2 / 255
    assert found.psnr > 55
    assert not any("Trying" in text for text in heard)
    image, _ = run(tmp_path, examples[0].inputs["latents"])
    assert image.std() > 10


def test_has_few_nodes_and_none_that_calculates_shapes(tmp_path: Path) -> None:
    examples = decoder_graphs(learned())
    write_drafts(drafts_of(examples)[:2], examples[0].parameter, tmp_path)
    kinds = Counter(node.op_type for node in onnx.load(tmp_path / FILE).graph.node)
    assert {"Shape", "Gather", "Conv", "DepthToSpace"}.isdisjoint(kinds)
    # Each convolution has one of its weights, which is gone once the graph is loaded; the others move the picture.
    assert kinds["Transpose"] - kinds["NhwcConv"] == 1 + len(SHAPE.channels)


def test_weights_that_overflow_in_float16_are_computed_in_float32_from_where_they_do(tmp_path: Path) -> None:
    decoder = learned()
    for convolution, by in LARGE.items():
        decoder.get_submodule(convolution).weight *= by
    examples = decoder_graphs(decoder)
    assert_overflow_is_computed_in_float32(examples, drafts_of(examples), tmp_path)


def test_a_bundle_for_graphics_cards_has_it(with_decoder: Path, options: BundleOptions, tmp_path: Path) -> None:
    export_bundle(with_decoder, tmp_path / "b", options, precision=PROFILES["gpu"])
    said = json.loads((tmp_path / "b/bundle.json").read_text(encoding="utf-8"))
    assert said["cuda"]["vae"]["psnr"] >= 50
    assert said["vae"]["norms"] == 0
    assert FILE in said["files"]
    image, _ = run(tmp_path / "b", torch.randn(1, 4, 8, 16))
    assert image.shape == (1, 64, 128, 3)
