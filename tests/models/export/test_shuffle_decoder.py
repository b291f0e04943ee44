from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch
from damage import change_json
from decoders import SHAPE

from export.bundle import BundleOptions, describe_bundle
from export.checkpoint import open_checkpoint
from export.errors import ExportError
from export.graphs import Graph, draft_graph
from export.parts import decoder_graphs
from export.verify import verify_graph
from export.writing import write_draft
from network.shuffle_decoder import load_decoder


def test_a_bundle_uses_the_decoder_beside_the_autoencoder(with_decoder: Path, options: BundleOptions) -> None:
    checkpoint = open_checkpoint(with_decoder)
    assert checkpoint.decoder.shape == SHAPE
    assert describe_bundle(options, checkpoint)["vae"] == {
        "factor": 8,
        "scaling": 0.13025,
        "norms": 0,
        "groups": 0,
    }


def examples(checkpoint: Path) -> list[Graph]:
    part = open_checkpoint(checkpoint).decoder
    return decoder_graphs(part.empty_decoder(), part.weights.tensor)


def written(graph: Graph, folder: Path) -> Path:
    draft = draft_graph(graph)
    write_draft(draft, graph.parameter, folder)
    return folder / graph.file


def test_its_graph_equals_torch_at_every_size(with_decoder: Path, tmp_path: Path) -> None:
    graphs = examples(with_decoder)
    session = onnxruntime.InferenceSession(written(graphs[0], tmp_path))
    assert verify_graph(tmp_path, graphs, "fp32").error < 1e-5
    assert [put.name for put in session.get_inputs()] == ["latents"]
    assert [put.name for put in session.get_outputs()] == ["image"]


def test_only_the_image_itself_is_computed_at_full_size(with_decoder: Path, tmp_path: Path) -> None:
    kinds = [node.op_type for node in onnx.load(written(examples(with_decoder)[0], tmp_path)).graph.node]
    assert kinds[-1] == "DepthToSpace"
    assert set(kinds) == {"Conv", "Relu", "Add", "DepthToSpace"}


def test_a_saved_decoder_is_loaded_in_float32(with_decoder: Path) -> None:
    decoder = load_decoder(with_decoder / "decoder")
    expected = open_checkpoint(with_decoder).decoder.weights.load()
    assert decoder.shape == SHAPE
    assert all(torch.equal(weight, expected[name]) for name, weight in decoder.state_dict().items())
    assert {weight.dtype for weight in expected.values()} == {torch.float32}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"_class_name": "AutoencoderTiny"}, "_class_name is 'AutoencoderTiny'"),
        ({"latent_channels": 16}, "latent_channels is 16"),
        ({"channels": [8, 8], "blocks": [1, 2]}, "doubles the size is 2"),
        ({"channels": [8, 8, 8]}, "of another shape: levels.2.0.conv1.weight"),
        ({"blocks": [1, 1, 1]}, "left over: levels.1.1.conv1"),
        ({"blocks": [1, 1]}, "it does not describe a model"),
        ({"channels": 8}, "it does not describe a decoder"),
        ({"channels": ["8", 8, 4]}, "it does not describe a model"),
        ({"norm": "group"}, "norm is 'group'; .* does not know that field"),
    ],
)
def test_a_decoder_that_does_not_fit_is_refused_by_name(
    change: dict[str, object], message: str, with_decoder: Path
) -> None:
    change_json(with_decoder / "decoder/config.json", **change)
    with pytest.raises(ExportError, match=message):
        open_checkpoint(with_decoder)
