import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from export.errors import ExportError
from export.graphs import Graph, draft_graph
from export.parts import transformer_graph
from export.precision import KINDS
from export.transformer_part import open_transformer
from export.verify import relative_error, verify_against_reference, verify_graph
from export.writing import write_draft


def test_relative_error_of_a_model_that_predicts_only_zeros() -> None:
    nothing = np.zeros(3, dtype=np.float32)
    assert relative_error(nothing, nothing) == 0
    assert relative_error(nothing + 1, nothing) > 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_values_differ_from_everything_including_themselves(value: float) -> None:
    good, bad = np.ones(3, np.float32), np.array([1, value, 1], np.float32)
    assert {relative_error(bad, good), relative_error(good, bad), relative_error(bad, bad)} == {math.inf}


def test_an_output_of_another_shape_differs_even_if_numpy_could_broadcast_it() -> None:
    assert relative_error(np.ones((1, 3)), np.ones((2, 3))) == math.inf


class Overflowing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sqrt(x - 100)


def test_a_graph_that_returns_only_nan_is_refused_even_if_torch_returns_it_too(tmp_path: Path) -> None:
    graph = Graph("overflowing.onnx", Overflowing().eval(), {"x": torch.rand(2, 3)}, {"x": {0: "batch"}}, ("y",))
    write_draft(draft_graph(graph), graph.parameter, tmp_path)
    with pytest.raises(ExportError, match=r"overflowing\.onnx .*: expected finite numbers of the same shape"):
        verify_graph(tmp_path, [graph])


def test_a_transformer_that_returns_nan_does_not_agree_with_diffusers(checkpoints: dict[str, Path]) -> None:
    transformer = open_transformer(checkpoints["tiny-epsilon"]).load()
    graph = transformer_graph(transformer)
    graph.inputs["latents"].fill_(torch.nan)
    with pytest.raises(ExportError, match="transformer in torch against diffusers: expected finite numbers"):
        verify_against_reference(checkpoints["tiny-epsilon"] / "transformer/config.json", graph)


def test_rounding_is_no_part_of_the_comparison_with_diffusers_and_a_small_mistake_is_seen(
    checkpoints: dict[str, Path],
) -> None:
    config = checkpoints["tiny-alpha"] / "transformer/config.json"
    transformer = open_transformer(checkpoints["tiny-alpha"]).load()
    # Attention to a single token each, as in the networks whose rounding grows with every layer.
    for block in transformer.transformer_blocks:
        block.attn2.to_q.weight *= 1000
    assert verify_against_reference(config, transformer_graph(transformer)) < 1e-9
    for block in transformer.transformer_blocks:
        block.norm.eps = 1e-5
    with pytest.raises(ExportError, match=r"transformer in torch against diffusers: relative error .*e-0[456], "):
        verify_against_reference(config, transformer_graph(transformer))


def test_a_wrongly_written_layer_is_named(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    part = open_transformer(checkpoints["tiny-epsilon"])
    graph = transformer_graph(part.empty(), read=part.weights.tensor)
    draft = draft_graph(graph)
    wrong = "transformer_blocks.1.attn1.to_v"
    write_draft(draft, lambda name: graph.parameter(name) * (1.5 if name.startswith(wrong) else 1), tmp_path)
    with pytest.raises(ExportError, match=rf"relative error .* The first layer beyond that is {wrong}\."):
        verify_graph(tmp_path, [graph], layers=draft.layers)
    assert [path.name for path in tmp_path.iterdir()] == ["transformer.onnx"]


@pytest.mark.parametrize("kind", ["fp32", "fp16", "int8"])
def test_every_linear_layer_is_compared_however_it_is_stored(
    tmp_path: Path, checkpoints: dict[str, Path], kind: str
) -> None:
    part = open_transformer(checkpoints["tiny-epsilon"])
    graph = transformer_graph(part.empty(), read=part.weights.tensor)
    draft = draft_graph(graph)
    KINDS[kind].rewrite(draft, graph, print)
    write_draft(draft, graph.parameter, tmp_path)
    compared = verify_graph(tmp_path, [graph], kind, draft.layers)
    linear = {name for name, module in graph.module.named_modules() if isinstance(module, nn.Linear)}
    # A separate graph projects captions.
    assert compared.layers.keys() >= {name for name in linear if not name.startswith("caption_projection")}
    assert all(0 <= error < KINDS[kind].tolerance for error in compared.layers.values())
