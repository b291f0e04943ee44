"""The text encoder's graph for CUDA, run on the processor with what its nodes put out rounded to float16."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import Tensor
from transformers import T5Config, T5EncoderModel

from export.bundle import BundleOptions
from export.cuda_graphs import cuda_drafts
from export.cuda_operators import with_definitions
from export.cuda_text_encoder import FILE, has_cuda_text_encoder
from export.cuda_verify import CudaComparison, verify_cuda
from export.drafts import Draft
from export.errors import ExportError
from export.export_bundle import export_bundle
from export.graphs import Graph, draft_graph
from export.parts import TextEncoder, text_encoder_graph
from export.precision import CUDA_KINDS, KINDS, PROFILES
from export.random_checkpoint import write_checkpoint
from export.random_weights import SIZES
from export.recipes import Read
from export.storing import LARGEST_HALF
from export.text_encoder_part import TextEncoderPart, open_text_encoder
from export.verify import verify_graph
from export.writing import write_drafts

SHIPPED = Path(__file__).parents[3] / "models/training/checkpoint"
FEED_FORWARD = "encoder.block.1.layer.1.DenseReluDense"


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> TextEncoderPart:
    """A text encoder in which channels before `wo` reach 66,000, as T5-XXL's do."""
    folder = tmp_path_factory.mktemp("loud") / "checkpoint"
    write_checkpoint(folder, SIZES["tiny"], torch.bfloat16, lambda _: None)
    return open_text_encoder(folder)


def drafts_of(part: TextEncoderPart, kind: str, read: Read | None = None) -> tuple[list[Graph], list[Draft]]:
    torch.manual_seed(0)
    encoder, read = part.empty(), read or part.tensor
    examples = [text_encoder_graph(encoder, read=read), text_encoder_graph(encoder, batch=1, tokens=150, read=read)]
    stored = draft_graph(examples[0])
    KINDS[kind].rewrite(stored, examples[0], lambda _: None)
    return examples, [stored, *cuda_drafts(examples[0].module, stored)]


def compared(part: TextEncoderPart, kind: str, folder: Path, read: Read | None = None) -> CudaComparison:
    examples, drafts = drafts_of(part, kind, read)
    write_drafts(drafts, examples[0].parameter, folder)
    return verify_cuda(folder, FILE, examples, verify_graph(folder, examples, kind))


def written(part: TextEncoderPart, kind: str, folder: Path) -> list[onnx.GraphProto]:
    examples, drafts = drafts_of(part, kind)
    write_drafts(drafts, examples[0].parameter, folder)
    return [onnx.load(folder / draft.file, load_external_data=False).graph for draft in drafts]


def inputs_of_wo(examples: list[Graph]) -> float:
    """The largest number that goes into a `wo`, in torch."""
    seen: list[float] = []

    def note(layer: torch.nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        seen.append(float(inputs[0].abs().max()))

    encoder = open_module(examples[0])
    for name, layer in encoder.named_modules():
        if name.endswith(".wo"):
            layer.register_forward_hook(note)
    with torch.no_grad():
        for example in examples:
            encoder(**example.inputs)
    return max(seen)


def open_module(graph: Graph) -> TextEncoder:
    """The module of a graph with its weights."""
    module = graph.module.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in module.named_parameters(remove_duplicate=False):
            parameter.copy_(graph.parameter(name))
    return module


@pytest.mark.parametrize("kind", CUDA_KINDS["text_encoder"])
def test_computes_what_the_graph_for_the_cpu_computes(
    kind: str, checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Random weights do not bear 4 bits, but both graphs have the same ones.
    monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], tolerance=1.0))
    found = compared(open_text_encoder(checkpoints["tiny-epsilon"]), kind, tmp_path)
    # It rounds to float16 between its nodes, so it is near and not the same.
    assert 55 < found.psnr < 90


def test_the_shipped_model_is_closer_than_a_bundle_promises(tmp_path: Path) -> None:
    found = compared(open_text_encoder(SHIPPED), "fp16", tmp_path)
    assert found.error < 3e-3
    assert found.psnr > 55


def test_numbers_that_float16_does_not_hold_cost_nothing(loud: TextEncoderPart, tmp_path: Path) -> None:
    assert inputs_of_wo(drafts_of(loud, "fp16")[0]) > LARGEST_HALF
    assert compared(loud, "fp16", tmp_path).psnr > 55


def test_weights_that_overflow_all_the_same_are_refused(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    part = open_text_encoder(checkpoints["tiny-epsilon"])
    large = {f"{FEED_FORWARD}.wi_0.weight": 1e4, f"{FEED_FORWARD}.wi_1.weight": 1e4}
    with pytest.raises(ExportError, match=r"text_encoder\.cuda\.onnx: -inf dB .* do not bear float16"):
        compared(part, "fp16", tmp_path, lambda name: part.tensor(name) * large.get(name, 1))


def test_both_graphs_read_the_same_weights(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    part = open_text_encoder(checkpoints["tiny-epsilon"])
    for kind in ("fp16", "int8"):
        of_cpu, of_cuda = (
            {
                weight.name: {entry.key: entry.value for entry in weight.external_data}
                for weight in graph.initializer
                if "layer" in weight.name and np.prod(weight.dims) >= 1024
            }
            for graph in written(part, kind, tmp_path)
        )
        assert of_cuda == of_cpu
        assert {place["location"] for place in of_cuda.values()} == {"text_encoder.onnx.data"}
        # Seven products in each of two blocks.
        assert len(of_cuda) == 14


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_a_block_has_few_nodes_and_weights_that_stay_as_they_are(
    kind: str, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    graph = written(open_text_encoder(checkpoints["tiny-epsilon"]), kind, tmp_path)[1]
    weights = {weight.name for weight in graph.initializer}
    made = [node for node in graph.node if set(node.input) <= weights]
    # Nothing of the size of a weight is made while the graph is loaded: only the scales of blocks are.
    assert {node.op_type for node in made} == (set() if kind == "fp16" else {"Cast", "Mul"})
    weights |= {name for node in made for name in node.output}
    nodes = [node for node in graph.node if not set(node.input) <= weights]
    for block in ("encoder.block.0", "encoder.block.1"):
        assert sum(node.name.startswith(f"{block}/") for node in nodes) == 16
    shapes = {node.output[0] for node in nodes if node.op_type == "Shape"}
    assert [node.op_type for node in nodes if shapes & set(node.input)] == ["ConstantOfShape"]


def test_products_in_blocks_take_the_same_inputs_on_both_devices(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    part = open_text_encoder(checkpoints["tiny-epsilon"])
    examples, drafts = drafts_of(part, "int8")
    write_drafts(drafts, examples[0].parameter, tmp_path)
    inputs = {name: tensor.numpy() for name, tensor in examples[0].inputs.items()}
    # As a worker opens it: where weights are not packed, inputs would not be rounded whatever the graph says.
    session = onnxruntime.InferenceSession(tmp_path / "text_encoder.onnx", providers=["CPUExecutionProvider"])
    exact = verify_graph(tmp_path, examples, "int8").found[0][0]
    assert np.abs(session.run(None, inputs)[0] - exact).max() < 1e-5 * np.abs(exact).max()


def test_padding_changes_nothing(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    written(open_text_encoder(checkpoints["tiny-epsilon"]), "fp16", tmp_path)
    model = with_definitions(onnx.load(tmp_path / FILE))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])

    def states(ids: list[int], tokens: int) -> np.ndarray:
        mask = (np.arange(len(ids)) < tokens).astype(np.int64)
        return session.run(None, {"input_ids": np.array([ids]), "attention_mask": mask[None]})[0][0, :tokens]

    ids = [3, 5, 8, 13, 1]
    alone = states(ids, 5)
    assert np.abs(states([*ids, 0, 0, 0], 5) - alone).max() <= 1e-3 * np.abs(alone).max()
    assert np.array_equal(states([*ids, 0, 0, 0], 5), states([*ids, 7, 6, 5], 5))
    assert np.abs(states([*ids, 7, 6, 5], 8)[:5] - alone).max() > 1e-2 * np.abs(alone).max()


def test_an_encoder_of_another_kind_has_no_graph() -> None:
    with torch.device("meta"):
        config = T5Config(vocab_size=9, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)
        assert not has_cuda_text_encoder(TextEncoder(T5EncoderModel(config)))


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_a_bundle_for_graphics_cards_has_both_graphs_and_says_how_close_they_are(
    kind: str, checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path
) -> None:
    precision = replace(PROFILES["gpu"], text_encoder=kind)
    export_bundle(checkpoints["tiny-epsilon"], tmp_path / "b", options, precision=precision)
    said = json.loads((tmp_path / "b/bundle.json").read_text(encoding="utf-8"))
    assert said["cuda"]["textEncoder"]["psnr"] >= 50
    assert {FILE, "text_encoder.onnx.data"} < said["files"].keys()
