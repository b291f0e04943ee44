"""Compares what was written with what it was written from; few weights of either are in memory at a time."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from .config import read_json
from .errors import ExportError
from .graphs import Graph
from .layers import watched, with_outputs
from .precision import KINDS
from .reference import position_embedding, predict, sinusoids_in_float32
from .streaming import streamed
from .weights import empty_model

REFERENCE_TOLERANCE = 1e-6
"""Of two transformers in float64. With random weights of full size they were 9e-13 apart, and 4e-4 to 1e-3 in float32:
where image tokens attend to nearly one token of a caption, 28 layers multiply what rounding left by ten thousand."""


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference over the largest expected magnitude; 0 where both are all zero.

    Infinite where the shapes differ, or where either has a value that is not finite: nothing equals NaN, not even NaN.
    """
    if found.shape != expected.shape or not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return math.inf
    difference = np.abs(found - expected).max()
    return float(difference / max(np.abs(expected).max(), np.finfo(np.float32).tiny))


@dataclass(frozen=True)
class Comparison:
    """How far a written graph is from its module."""

    error: float
    """The largest relative error of its outputs."""
    layers: dict[str, float]
    """The relative error of each layer that was compared, in the graph's order; what layers before it add is part of
    it."""
    expected: list[tuple[Tensor, ...]] = field(default_factory=list)
    """What torch gave, for each example."""
    found: list[list[np.ndarray]] = field(default_factory=list)
    """What the graph gave."""

    @property
    def worst_layer(self) -> str | None:
        return max(self.layers, key=self.layers.__getitem__, default=None)


def verify_graph(
    folder: Path, graphs: list[Graph], kind: str = "fp32", layers: dict[str, str] | None = None
) -> Comparison:
    """Runs the written graph in ONNX Runtime on each example of `graphs` (one file, several sizes) and in torch.

    On the first example the outputs of `layers` are compared too. Raises `ExportError` when an output is further off
    than the `kind` of weights accepts, and names the first layer that is.
    """
    file, names = folder / graphs[0].file, layers or {}
    expected = []
    with watched(graphs[0].module, names) as seen:
        expected.append(_in_torch(graphs[0]))
    expected += [_in_torch(graph) for graph in graphs[1:]]
    session = _open(file)
    found = [_run(session, graph) for graph in graphs]
    del session
    worst = max(
        relative_error(a, b.numpy())
        for outputs, wanted in zip(found, expected, strict=True)
        for a, b in zip(outputs, wanted, strict=True)
    )
    compared = Comparison(worst, _compare_layers(file, graphs[0], names, seen), expected, found)
    _require(worst, KINDS[kind].tolerance, f"{file.name} in ONNX Runtime against torch", compared.layers)
    return compared


def _compare_layers(file: Path, graph: Graph, names: dict[str, str], seen: dict[str, Tensor]) -> dict[str, float]:
    if not names:
        return {}
    with with_outputs(file, names.values()) as watched_file:
        found = _run(_open(watched_file, file), graph, list(names.values()))
    pairs = zip(names, found, strict=True)
    return {name: relative_error(value, seen[name].numpy()) for name, value in pairs}


def _run(session: onnxruntime.InferenceSession, graph: Graph, outputs: list[str] | None = None) -> list[np.ndarray]:
    inputs = {name: tensor.numpy() for name, tensor in graph.inputs.items()}
    return session.run(outputs or list(graph.outputs), inputs)


def verify_against_reference(config: Path, graph: Graph) -> float:
    """Compares our transformer with diffusers' own class, made of the file `config`, on an example.

    Both run in torch and in float64, so that a difference is one of formulas and not of rounding. The reference has no
    KV compression, so this is for checkpoints without it. Returns the relative error; raises `ExportError` above the
    tolerance.
    """
    transformer, inputs = graph.module, graph.inputs
    fields = read_json(config)
    reference = empty_model(config, lambda: PixArtTransformer2DModel.from_config(fields))
    text_states = torch.randn(*inputs["caption"].shape[:2], transformer.shape.caption_width, dtype=torch.float64)
    latents, timestep, mask = inputs["latents"].double(), inputs["timestep"].double(), inputs["caption_mask"]

    def read(name: str) -> Tensor:
        return graph.parameter(name).double()

    with torch.no_grad(), streamed(reference, read), streamed(transformer, read), sinusoids_in_float32(transformer):
        expected = predict(reference, latents, timestep, text_states, mask)
        position = position_embedding(reference, latents).double()
        found = transformer(latents, timestep, position, transformer.caption_projection(text_states), mask)
    error = relative_error(found.numpy(), expected.numpy())
    _require(error, REFERENCE_TOLERANCE, "transformer in torch against diffusers")
    return error


def _in_torch(graph: Graph) -> tuple[Tensor, ...]:
    with torch.no_grad(), streamed(graph.module, graph.read):
        computed = graph.module(**graph.inputs)
    return computed if isinstance(computed, tuple) else (computed,)


def _open(graph: Path, file: Path | None = None) -> onnxruntime.InferenceSession:
    """Opens a graph; one with a data file so that its weights stay where they are and are changed one at a time.

    The data file is that of `file`, where the graph shares it.
    """
    file = file or graph
    options = onnxruntime.SessionOptions()
    if file.with_name(f"{file.name}.data").exists():
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _require(error: float, tolerance: float, what: str, layers: dict[str, float] | None = None) -> None:
    beyond = next((name for name, value in (layers or {}).items() if not value <= tolerance), None)
    first = f" The first layer beyond that is {beyond}." if beyond else ""
    if error == math.inf:
        raise ExportError(f"{what}: expected finite numbers of the same shape, found others.{first}")
    if not error <= tolerance:
        raise ExportError(f"{what}: relative error {error:.1e}, expected at most {tolerance:.0e}.{first}")
