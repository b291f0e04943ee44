"""The Python side of benchmarks/gpu.ts: the peer, and bundles without their weights."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parents[3] / "benchmarks" / "gpu"


@pytest.fixture(autouse=True)
def _beside_the_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def test_the_peer_decodes_4k_in_tiles_as_large_as_those_of_a_published_decoder() -> None:
    import torch  # noqa: PLC0415
    from peer_models import TOY, pipeline_for  # noqa: PLC0415

    vae = pipeline_for(TOY, 64, "cpu", torch.float32).vae
    vae.enable_tiling()
    decoded = []
    vae.decoder.register_forward_hook(lambda _, inputs, __: decoded.append(tuple(inputs[0].shape[2:])))
    with torch.no_grad():
        vae.decode(torch.randn(1, 4, 135, 240))
    assert len(decoded) == 2 * 3
    assert decoded[0] == (128, 128)


def test_a_compiled_peer_of_another_size_is_compiled_for_that_size_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch  # noqa: PLC0415
    from peer import Peer  # noqa: PLC0415
    from peer_models import TOY  # noqa: PLC0415

    variable_sizes = []

    def note(graph: torch.fx.GraphModule, inputs: list[object]) -> object:
        variable_sizes.append(sum(isinstance(each, torch.SymInt) for each in inputs))
        return graph.forward

    monkeypatch.setattr(Peer, "_compiled", lambda _, function: torch.compile(function, backend=note, fullgraph=True))
    torch.compiler.reset()
    peer = Peer(TOY, "cpu")
    task = {"kind": "diffusers", "isCompiled": True, "steps": 1}
    for images, side, sample_size in ((1, 256, 32), (2, 192, 64)):
        peer.answer({**task, "images": images, "bin": {"height": side, "width": side}, "sampleSize": sample_size})
    assert variable_sizes == [0] * 4


def test_the_peer_answers_each_task_and_ends_with_one_that_fails() -> None:
    picture = {"kind": "diffusers", "sampleSize": 32, "bin": {"height": 192, "width": 256}, "steps": 2}
    tasks = [
        {**picture, "isCompiled": False, "images": 2},
        {**picture, "isCompiled": True, "images": 1},
        {"kind": "transformers", "tokens": 5},
        {"kind": "unheard of"},
        {"kind": "transformers", "tokens": 5},
    ]
    command = [sys.executable, FOLDER / "peer.py", "--device", "cpu", "--toy"]
    lines = "".join(f"{json.dumps(task)}\n" for task in tasks)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    ready, several, alone, text, failed = map(json.loads, done.stdout.splitlines())
    assert ready == {}
    assert (several["images"], several["isFinite"], "decodeSeconds" in several) == (2, True, False)
    assert alone["isFinite"]
    assert alone["denoiseSeconds"] + alone["decodeSeconds"] == pytest.approx(alone["seconds"])
    assert text["isFinite"]
    assert failed == {"error": "KeyError: 'tokens'"}
    assert done.returncode == 1


def write_graph(folder: Path, dtype: np.dtype) -> None:
    """A product whose weight is in a file beside the graph."""
    folder.mkdir()
    numbers = (np.random.default_rng(0).standard_normal((64, 96)) * 3 + 5).astype(dtype)
    weight = numpy_helper.from_array(numbers, "weight")
    kind = weight.data_type
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", kind, [1, 64])],
        [helper.make_tensor_value_info("y", kind, [1, 96])],
        [weight],
    )
    options = {"save_as_external_data": True, "location": "product.onnx.data", "size_threshold": 0}
    onnx.save_model(helper.make_model(graph), folder / "product.onnx", **options)
    (folder / "bundle.json").write_text("{}", encoding="utf-8")


def test_a_stripped_bundle_says_how_its_weights_are_spread(tmp_path: Path) -> None:
    import strip  # noqa: PLC0415

    write_graph(tmp_path / "bundle", np.dtype(np.float16))
    strip.strip(tmp_path / "bundle", tmp_path / "stripped")
    assert sorted(file.name for file in (tmp_path / "stripped").iterdir()) == [
        "bundle.json",
        "product.onnx",
        "weights.json",
    ]
    recipe = json.loads((tmp_path / "stripped" / "weights.json").read_text(encoding="utf-8"))
    ((name, (tensor,)),) = recipe.items()
    assert name == "product.onnx.data"
    assert (tensor["offset"], tensor["elements"], tensor["type"]) == (0, 64 * 96, "float16")
    assert tensor["mean"] == pytest.approx(5, abs=0.2)
    assert tensor["deviation"] == pytest.approx(3, abs=0.2)


def test_weights_that_are_no_floats_cannot_be_made_again(tmp_path: Path) -> None:
    import strip  # noqa: PLC0415

    write_graph(tmp_path / "bundle", np.dtype(np.int32))
    with pytest.raises(ValueError, match=f"expected weights in floats.* weight in {TensorProto.DataType.Name(6)}"):
        strip.strip(tmp_path / "bundle", tmp_path / "stripped")
