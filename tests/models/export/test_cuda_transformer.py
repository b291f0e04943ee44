"""The transformer's graph for CUDA, run on the processor with definitions of what that has no kernels for."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from export.cuda_operators import with_definitions
from export.cuda_transformer import FILE, cuda_transformer
from export.cuda_verify import CudaComparison, caption_spans, psnr, verify_cuda, with_table_positions
from export.drafts import Draft
from export.errors import ExportError
from export.graphs import Graph, draft_graph
from export.parts import transformer_graph
from export.precision import KINDS
from export.transformer_part import TransformerPart, open_transformer
from export.verify import verify_graph
from export.writing import write_drafts

KINDS_OF_CHECKPOINT = ["tiny-epsilon", "tiny-compressed", "tiny-alpha"]
SHIPPED = Path(__file__).parents[3] / "models/training/checkpoint"


def drafts_of(part: TransformerPart) -> tuple[list[Graph], list[Draft]]:
    torch.manual_seed(0)
    transformer, patch = part.empty(), part.shape.patch
    examples = [
        with_table_positions(transformer_graph(transformer, read=part.weights.tensor, **sizes))
        for sizes in ({}, {"batch": 3, "tokens": 4, "height": 9 * patch, "width": 5 * patch})
    ]
    stored = draft_graph(examples[0])
    KINDS["fp16"].rewrite(stored, examples[0], print)
    return examples, [stored, cuda_transformer(part.shape, stored)]


def compared(part: TransformerPart, folder: Path) -> CudaComparison:
    examples, drafts = drafts_of(part)
    write_drafts(drafts, examples[0].parameter, folder)
    return verify_cuda(folder, FILE, examples, verify_graph(folder, examples, "fp16"))


def open_on_cpu(folder: Path) -> onnxruntime.InferenceSession:
    model = with_definitions(onnx.load(folder / FILE))
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", KINDS_OF_CHECKPOINT)
def test_computes_what_torch_computes(name: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    found = compared(open_transformer(checkpoints[name]), tmp_path)
    # It rounds to float16 between its nodes, so it is near and not the same.
    assert 1e-5 < found.error < 5e-3
    assert found.psnr > 60


def test_the_shipped_model_is_closer_than_a_bundle_promises(tmp_path: Path) -> None:
    found = compared(open_transformer(SHIPPED), tmp_path)
    assert found.error < 2e-3
    assert found.psnr > 70


@pytest.mark.parametrize("name", KINDS_OF_CHECKPOINT)
def test_a_block_has_few_nodes_and_none_calculates_shapes(
    name: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    examples, drafts = drafts_of(open_transformer(checkpoints[name]))
    write_drafts(drafts, examples[0].parameter, tmp_path)
    graph = onnx.load(tmp_path / FILE).graph
    weights = {weight.name for weight in graph.initializer}
    for node in graph.node:
        if set(node.input) <= weights:
            weights.update(node.output)
    nodes = [node for node in graph.node if not set(node.output) <= weights]
    blocks = Counter(node.name.split("/")[0] for node in nodes if "/" in node.name)
    moving = Counter(node.name.split("/")[0] for node in nodes if "/" in node.name and node.op_type != "Reshape")
    compressed = name == "tiny-compressed"
    assert max(blocks.values()) == (27 if compressed else 18)
    assert max(moving.values()) == (24 if compressed else 18)
    shapes = {node.output[0] for node in nodes if node.op_type == "Shape"}
    readers = [node.op_type for node in nodes if shapes & set(node.input)]
    assert set(readers) == {"Reshape"}


def test_shares_its_weights_with_the_graph_for_the_cpu(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    examples, drafts = drafts_of(open_transformer(checkpoints["tiny-epsilon"]))
    write_drafts(drafts, examples[0].parameter, tmp_path)
    of_cpu, of_cuda = (
        {
            weight.name: {entry.key: entry.value for entry in weight.external_data}
            for weight in onnx.load(tmp_path / draft.file, load_external_data=False).graph.initializer
            if re.fullmatch(r"transformer_blocks\..*\.weight\.fp16", weight.name)
        }
        for draft in drafts
    )
    assert of_cuda == of_cpu
    assert {place["location"] for place in of_cuda.values()} == {"transformer.onnx.data"}


def test_padding_of_a_shorter_caption_changes_nothing(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    examples, drafts = drafts_of(open_transformer(checkpoints["tiny-epsilon"]))
    write_drafts(drafts, examples[0].parameter, tmp_path)
    session, shape = open_on_cpu(tmp_path), examples[0].module.shape
    rng = np.random.default_rng(0)
    inputs = {
        "latents": rng.standard_normal((2, 4, 8, 8), np.float32),
        "timestep": np.array([700, 20], np.float32),
        "row_positions": rng.standard_normal((1, 4, 1, shape.width), np.float32),
        "column_positions": rng.standard_normal((1, 1, 4, shape.width), np.float32),
        "caption_spans": caption_spans(torch.tensor([5, 2]), 16, 5).numpy(),
    }
    caption = rng.standard_normal((2, 5, shape.width), np.float32)
    other = caption.copy()
    other[1, 2:] = 40
    first, second = (session.run(None, {**inputs, "caption": each})[0] for each in (caption, other))
    assert np.array_equal(first, second)
    other[1, 1] = 40
    assert not np.array_equal(first, session.run(None, {**inputs, "caption": other})[0])


def test_a_graph_that_is_too_far_off_is_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    examples, drafts = drafts_of(open_transformer(checkpoints["tiny-epsilon"]))
    write_drafts(drafts, examples[0].parameter, tmp_path)
    of_cpu = verify_graph(tmp_path, examples, "fp16")
    model = onnx.load(tmp_path / FILE, load_external_data=False)
    table = next(weight for weight in model.graph.initializer if weight.name == "frequencies")
    table.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(table) * 1.01, table.name))
    (tmp_path / FILE).write_bytes(model.SerializeToString())
    with pytest.raises(ExportError, match=r"transformer\.cuda\.onnx"):
        verify_cuda(tmp_path, FILE, examples, of_cpu)
    assert not list(tmp_path.glob("defined-*"))


def test_psnr_is_the_range_over_the_noise() -> None:
    expected = np.array([0, 10], np.float32)
    assert psnr(expected + 1, expected) == pytest.approx(20)
    assert psnr(expected, expected) == np.inf
    assert psnr(expected * np.nan, expected) == -np.inf
