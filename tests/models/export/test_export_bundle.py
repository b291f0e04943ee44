import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from diffusers import AutoencoderKL

from export import writing
from export.bundle import BundleOptions
from export.decoder import VaeDecoder
from export.drafts import Draft
from export.errors import ExportError
from export.export_bundle import export_bundle
from export.graphs import Graph, draft_graph
from export.parts import text_encoder_graph, transformer_graph, vae_decoder_graph
from export.precision import KINDS, Kind, Precision
from export.recipes import of_parameter
from export.storing import HALF_MIN_ELEMENTS
from export.streaming import streamed
from export.text_encoder_part import open_text_encoder
from export.transformer_part import open_transformer
from export.vae_part import open_vae
from export.verify import relative_error, verify_graph
from export.writing import write_draft


def write(graph: Graph, folder: Path, kind: str = "fp32") -> Draft:
    draft = draft_graph(graph)
    KINDS[kind].rewrite(draft, graph, print)
    write_draft(draft, graph.parameter, folder)
    return draft


@pytest.fixture(scope="session")
def bundle(checkpoints: dict[str, Path], options: BundleOptions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the checkpoint with KV compression; read only."""
    target = tmp_path_factory.mktemp("bundle") / "tiny"
    export_bundle(checkpoints["tiny-compressed"], target, options)
    return target


def test_lists_every_file_with_its_digest_and_size(bundle: Path) -> None:
    files = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))["files"]
    assert files == {
        path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        for path in bundle.iterdir()
        if path.name != "bundle.json"
    }
    assert {"tokenizer.json", "text_encoder.onnx", "caption_projection.onnx"} <= files.keys()
    assert {"transformer.onnx", "vae_decoder.onnx"} <= files.keys()


def test_describes_the_checkpoint(bundle: Path) -> None:
    description = json.loads((bundle / "bundle.json").read_text(encoding="utf-8"))
    assert description["sizes"]["512"] == {"sampleSize": 64, "interpolationScale": 1}
    assert description["vae"] == {"factor": 8, "scaling": 0.5, "norms": 22, "groups": 4}
    assert description["scheduler"] == {
        "trainSteps": 1000,
        "betaSchedule": "linear",
        "betaStart": 0.0001,
        "betaEnd": 0.02,
        "prediction": "v_prediction",
        "spacing": "trailing",
        "zeroTerminalSnr": True,
        "order": 2,
    }


def test_only_cross_attention_has_a_mask(bundle: Path) -> None:
    nodes = onnx.load(bundle / "transformer.onnx").graph.node
    attentions = [node for node in nodes if node.op_type == "MultiHeadAttention"]
    assert [len(node.input) > 3 for node in attentions] == [False, True, False, True]
    assert not any(node.op_type == "Softmax" for node in nodes)


def test_graphs_do_not_contain_paths_of_the_exporting_machine(bundle: Path) -> None:
    for path in bundle.glob("*.onnx"):
        assert b"site-packages" not in path.read_bytes()
        assert b"/export/" not in path.read_bytes()
        assert b"/network/" not in path.read_bytes()


@pytest.mark.parametrize("size", [(7, 5), (128, 96)], ids=["small", "large"])
def test_decoder_graph_equals_the_reference_decode(
    size: tuple[int, int], bundle: Path, checkpoints: dict[str, Path]
) -> None:
    latents = torch.randn(1, 4, *size)
    part = open_vae(checkpoints["tiny-compressed"])
    vae = part.empty()
    with torch.no_grad(), streamed(vae, lambda name: part.weights.tensor(name).double()):
        expected = vae.decode(latents.double()).sample.numpy()
    session = onnxruntime.InferenceSession(bundle / "vae_decoder.onnx")
    norms, groups = (session.get_inputs()[1].shape[i] for i in (1, 3))
    nothing = np.zeros((1, norms, 2, groups), np.float32)
    found, _ = session.run(
        None, {"latents": latents.numpy(), "given_statistics": nothing, "is_given": np.array([False])}
    )
    assert relative_error(found, expected) < 1e-5


def test_a_failed_export_leaves_nothing_behind(
    checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "fp32", Kind(KINDS["fp32"].rewrite, tolerance=0.0))
    with pytest.raises(ExportError, match="in ONNX Runtime against torch: relative error"):
        export_bundle(checkpoints["tiny-epsilon"], tmp_path / "bundle", options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "stored", "least"), [("fp16", "FLOAT16", 1e-5), ("bf16", "BFLOAT16", 1e-4)])
def test_weights_are_stored_in_two_bytes_and_computed_in_float32(
    tmp_path: Path, checkpoints: dict[str, Path], kind: str, stored: str, least: float
) -> None:
    part = open_text_encoder(checkpoints["tiny-epsilon"])
    graph = text_encoder_graph(part.empty(), read=part.tensor)
    draft = write(graph, tmp_path, kind)
    written = onnx.load(tmp_path / graph.file).graph
    large = {weight.name: weight for weight in written.initializer if np.prod(weight.dims) >= HALF_MIN_ELEMENTS}
    assert {weight.data_type for weight in large.values()} == {getattr(onnx.TensorProto, stored)}
    assert len(large) > 10
    assert {tensor.type.tensor_type.elem_type for tensor in written.output} == {onnx.TensorProto.FLOAT}
    assert draft.nbytes < 0.7 * sum(weight.numel() * 4 for weight in part.empty().parameters())
    assert verify_graph(tmp_path, [graph], kind).error > least


def test_a_bundle_records_how_each_network_is_stored_and_its_error(
    checkpoints: dict[str, Path], options: BundleOptions, tmp_path: Path
) -> None:
    export_bundle(
        checkpoints["tiny-alpha"], tmp_path / "b", options, precision=Precision(text_encoder="bf16", vae="fp16")
    )
    said = json.loads((tmp_path / "b/bundle.json").read_text(encoding="utf-8"))["precision"]
    assert {name: each["weights"] for name, each in said.items()} == {
        "textEncoder": "bf16",
        "transformer": "fp32",
        "vae": "fp16",
    }
    assert said["transformer"]["error"] < 1e-4 < said["textEncoder"]["error"] < 8e-2


def test_no_node_has_only_weights_as_inputs_except_those_that_sum_kernels(bundle: Path) -> None:
    for path in bundle.glob("*.onnx"):
        graph = onnx.load(path).graph
        weights = {weight.name for weight in graph.initializer}
        kinds = {node.op_type for node in graph.node if node.input and set(node.input) <= weights}
        # Convolutions after a doubling (docs/decisions/106): a runtime copies their weights into its own layout anyway.
        assert kinds <= ({"Split"} if path.name == "vae_decoder.onnx" else set()), path.name


def test_a_recipe_with_a_different_number_of_bytes_than_announced_is_refused(tmp_path: Path) -> None:
    draft = draft_graph(Graph("linear.onnx", torch.nn.Linear(2, 2), {"input": torch.ones(3, 2)}, {}, ("y",)))
    name = next(iter(draft.recipes))
    draft.recipes[name] = of_parameter("other", draft.recipes[name].shape)
    with pytest.raises(ExportError, match="were made where"):
        write_draft(draft, lambda _: torch.zeros(7), tmp_path)


def test_large_weights_are_stored_beside_the_graph(
    tmp_path: Path, checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "EXTERNAL_DATA_BYTES", 1000)
    part = open_transformer(checkpoints["tiny-epsilon"])
    graph = transformer_graph(part.empty(), read=part.weights.tensor)
    draft = write(graph, tmp_path)
    assert (tmp_path / "transformer.onnx.data").stat().st_size == writing.bytes_of(draft)
    assert (tmp_path / "transformer.onnx.data").stat().st_size > 5 * (tmp_path / "transformer.onnx").stat().st_size
    assert verify_graph(tmp_path, [graph]).error < 1e-4


def test_exports_a_decoder_without_attention(tmp_path: Path) -> None:
    vae = AutoencoderKL(block_out_channels=(4,), norm_num_groups=2, mid_block_add_attention=False).eval()
    graph = vae_decoder_graph(VaeDecoder(vae))
    write(graph, tmp_path)
    assert verify_graph(tmp_path, [graph]).error < 1e-4


def test_a_tile_with_the_statistics_of_its_image_is_decoded_as_within_the_image() -> None:
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 2, "up_block_types": ("UpDecoderBlock2D",) * 2}
    vae = AutoencoderKL(block_out_channels=(8, 16), norm_num_groups=4, mid_block_add_attention=False, **blocks).eval()
    latents = torch.randn(1, 4, 40, 40) + torch.linspace(-3, 3, 40)
    tile = latents[..., 12:]
    own, given = torch.tensor([False]), torch.tensor([True])
    with torch.no_grad():
        expected = vae.decode(latents).sample
        decoder = VaeDecoder(vae)
        nothing = torch.zeros(1, decoder.norms, 2, 4)
        whole, statistics = decoder(latents, nothing, own)
        alone, _ = decoder(tile, nothing, own)
        shared, _ = decoder(tile, statistics, given)
    assert torch.allclose(whole, expected, atol=1e-4)
    # Away from the cut, beyond which a tile's convolutions see nothing.
    inner = slice(-24, None)
    assert torch.allclose(shared[..., inner], whole[..., inner], atol=1e-4)
    assert (alone[..., inner] - whole[..., inner]).abs().max() > 0.1
