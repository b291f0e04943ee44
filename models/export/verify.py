"""Compares what was written with what it was written from; few weights of either are in memory at a time."""

import math
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from .config import read_json
from .errors import ExportError
from .graphs import Graph
from .precision import KINDS
from .reference import position_embedding, predict
from .streaming import streamed
from .weights import empty_model


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference over the largest expected magnitude; 0 where both are all zero.

    Infinite where the shapes differ, or where either has a value that is not finite: nothing equals NaN, not even NaN.
    """
    if found.shape != expected.shape or not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return math.inf
    difference = np.abs(found - expected).max()
    return float(difference / max(np.abs(expected).max(), np.finfo(np.float32).tiny))


def verify_graph(folder: Path, graphs: list[Graph], kind: str = "fp32") -> float:
    """Runs the written graph in ONNX Runtime on each example of `graphs` (one file, several sizes) and in torch.

    Returns the largest relative error. Raises `ExportError` when it is above what the `kind` of weights accepts.
    """
    file = graphs[0].file
    expected = [_in_torch(graph) for graph in graphs]
    session = _open(folder / file)
    worst = 0.0
    for graph, outputs in zip(graphs, expected, strict=True):
        found = session.run(list(graph.outputs), {name: tensor.numpy() for name, tensor in graph.inputs.items()})
        errors = (relative_error(a, b.numpy()) for a, b in zip(found, outputs, strict=True))
        worst = max(worst, *errors)
    _require(worst, KINDS[kind].tolerance, f"{file} in ONNX Runtime against torch")
    return worst


def verify_against_reference(config: Path, graph: Graph) -> float:
    """Compares our transformer with diffusers' own class, made of the file `config`, on an example; both in torch.

    The reference has no KV compression, so this is for checkpoints without it. Returns the relative error; raises
    `ExportError` above the tolerance.
    """
    transformer, inputs = graph.module, graph.inputs
    fields = read_json(config)
    reference = empty_model(config, lambda: PixArtTransformer2DModel.from_config(fields))
    text_states = torch.randn(*inputs["caption"].shape[:2], transformer.shape.caption_width)
    latents, timestep, mask = inputs["latents"], inputs["timestep"], inputs["caption_mask"]
    with torch.no_grad(), streamed(reference, graph.parameter), streamed(transformer, graph.read):
        expected = predict(reference, latents, timestep, text_states, mask)
        position = position_embedding(reference, latents)
        found = transformer(latents, timestep, position, transformer.caption_projection(text_states), mask)
    error = relative_error(found.numpy(), expected.numpy())
    _require(error, KINDS["fp32"].tolerance, "transformer in torch against diffusers")
    return error


def _in_torch(graph: Graph) -> tuple[Tensor, ...]:
    with torch.no_grad(), streamed(graph.module, graph.read):
        computed = graph.module(**graph.inputs)
    return computed if isinstance(computed, tuple) else (computed,)


def _open(file: Path) -> onnxruntime.InferenceSession:
    """Opens a graph; one with a data file so that its weights stay where they are and are changed one at a time."""
    options = onnxruntime.SessionOptions()
    if file.with_name(f"{file.name}.data").exists():
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        options.add_session_config_entry("session.disable_prepacking", "1")
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def _require(error: float, tolerance: float, what: str) -> None:
    if error == math.inf:
        raise ExportError(f"{what}: expected finite numbers of the same shape, found others.")
    if not error <= tolerance:
        raise ExportError(f"{what}: relative error {error:.1e}, expected at most {tolerance:.0e}.")
