"""Compares what was written with what it was written from."""

import math
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from network.transformer import PixArtTransformer

from .config import read_json
from .errors import ExportError
from .graphs import Graph
from .reference import position_embedding, predict

TOLERANCE = 1e-4
HALF_TOLERANCE = 1e-2
"""float16 keeps 11 bits of a weight (a relative error up to 2⁻¹¹); layers add these up."""


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference over the largest expected magnitude; 0 where both are all zero.

    Infinite where the shapes differ, or where either has a value that is not finite: nothing equals NaN, not even NaN.
    """
    if found.shape != expected.shape or not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return math.inf
    difference = np.abs(found - expected).max()
    return float(difference / max(np.abs(expected).max(), np.finfo(np.float32).tiny))


def verify_graph(folder: Path, graphs: list[Graph], half: bool) -> float:
    """Runs the written graph in ONNX Runtime on each example of `graphs` (one file, several sizes) and in torch.

    Returns the largest relative error. Raises `ExportError` when it is above the tolerance.
    """
    file = graphs[0].file
    session = onnxruntime.InferenceSession(folder / file, providers=["CPUExecutionProvider"])
    worst = 0.0
    for graph in graphs:
        with torch.no_grad():
            computed = graph.module(**graph.inputs)
        expected = computed if isinstance(computed, tuple) else (computed,)
        found = session.run(list(graph.outputs), {name: tensor.numpy() for name, tensor in graph.inputs.items()})
        errors = (relative_error(a, b.numpy()) for a, b in zip(found, expected, strict=True))
        worst = max(worst, *errors)
    _require(worst, HALF_TOLERANCE if half else TOLERANCE, f"{file} in ONNX Runtime against torch")
    return worst


def verify_against_reference(checkpoint: Path, transformer: PixArtTransformer, inputs: dict[str, Tensor]) -> float:
    """Compares our transformer with diffusers' own class on the example `inputs`, both in torch.

    The reference has no KV compression, so this is for checkpoints without it. Returns the relative error; raises
    `ExportError` above the tolerance.
    """
    reference = PixArtTransformer2DModel.from_config(read_json(checkpoint / "transformer" / "config.json")).eval()
    reference.load_state_dict(transformer.state_dict())
    text_states = torch.randn(*inputs["caption"].shape[:2], transformer.shape.caption_width)
    latents, timestep, mask = inputs["latents"], inputs["timestep"], inputs["caption_mask"]
    with torch.no_grad():
        expected = predict(reference, latents, timestep, text_states, mask)
        position = position_embedding(reference, latents)
        found = transformer(latents, timestep, position, transformer.caption_projection(text_states), mask)
    error = relative_error(found.numpy(), expected.numpy())
    _require(error, TOLERANCE, "transformer in torch against diffusers")
    return error


def _require(error: float, tolerance: float, what: str) -> None:
    if error == math.inf:
        raise ExportError(f"{what}: expected finite numbers of the same shape, found others.")
    if not error <= tolerance:
        raise ExportError(f"{what}: relative error {error:.1e}, expected at most {tolerance:.0e}.")
