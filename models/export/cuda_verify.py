"""Runs a written graph for CUDA on the processor, and compares it with torch and with the graph for the CPU."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from .cuda_operators import with_definitions
from .errors import ExportError
from .graphs import Graph
from .verify import Comparison, relative_error

LEAST_PSNR = 50.0
"""Of what the graphs for CPU and CUDA give, in dB: what one bundle may draw differently on two devices."""


@dataclass(frozen=True)
class CudaComparison:
    """How far a graph for CUDA is from torch, a relative error, and from the graph for the CPU, in dB."""

    error: float
    psnr: float


def psnr(found: np.ndarray, expected: np.ndarray, peak: float | None = None) -> float:
    """The ratio of `peak`, by default the range of what is expected, to the noise between the two, in dB."""
    if found.shape != expected.shape or not (np.isfinite(found).all() and np.isfinite(expected).all()):
        return -math.inf
    noise = np.mean((found.astype(np.float64) - expected) ** 2)
    return math.inf if noise == 0 else float(10 * np.log10((np.ptp(expected) if peak is None else peak) ** 2 / noise))


def with_table_positions(graph: Graph) -> Graph:
    """A transformer's example whose positions are sums of a row's and a column's, as those of every picture are."""
    grid = _position_grid(graph)
    positions = (grid[:, :, :1] + grid[:, :1]).flatten(1, 2)
    return replace(graph, inputs={**graph.inputs, "position_embedding": positions})


def with_real_latents(graph: Graph, scaling: float) -> Graph:
    """A decoder's example with latents as large as those of pictures: small ones would hide an overflow."""
    return replace(graph, inputs={**graph.inputs, "latents": graph.inputs["latents"] / scaling})


def verify_cuda(folder: Path, file: str, graphs: list[Graph], compared: Comparison) -> CudaComparison:
    """Compares the graph `file` on the examples that `compared` was made of.

    Raises `ExportError` where it is further than `LEAST_PSNR` off what torch gives, or the graph for the CPU; a text
    encoder is compared with the latter alone.
    """
    session = _open(folder / file)
    error, of_torch, of_cpu = 0.0, math.inf, math.inf
    for graph, expected, given in zip(graphs, compared.expected, compared.found, strict=True):
        # A graph for CUDA decodes whole pictures, with their own statistics.
        if graph.inputs.get("is_given", torch.tensor(False)):
            continue
        found = session.run(None, _inputs(graph))[0]
        wanted, other, peak = expected[0].numpy(), given[0], None
        if found.dtype == np.uint8:
            found, wanted, other, peak = found.astype(np.float32), in_bytes(wanted), in_bytes(other), 255.0
        elif "input_ids" in graph.inputs:
            # A few of T5's channels may be a thousand times as large as the others, whose noise their range would hide.
            peak = float(np.sqrt(np.mean(wanted**2)))
        error = max(error, relative_error(found, wanted))
        of_cpu = min(of_cpu, psnr(found, other, peak))
        # What fewer bits of T5's weights cost is the same on both devices, and was accepted with the graph for the CPU.
        if "input_ids" not in graph.inputs:
            of_torch = min(of_torch, psnr(found, wanted, peak))
    least = min(of_torch, of_cpu)
    if least < LEAST_PSNR:
        raise ExportError(
            f"{file}: {least:.1f} dB from what torch and the graph for the CPU give, expected {LEAST_PSNR:.0f} or "
            "more. These weights do not bear float16: export them without --for gpu."
        )
    return CudaComparison(error, of_cpu)


def in_bytes(image: np.ndarray) -> np.ndarray:
    """An image [B, 3, H, W] of −1 … 1 as the bytes of a picture [B, H, W, 3], by number."""
    return np.round(np.clip(image * np.float32(127.5) + np.float32(127.5), 0, 255)).transpose(0, 2, 3, 1)


def _open(file: Path) -> onnxruntime.InferenceSession:
    """The graph as it was written but for operators without a kernel, in a file beside it, where its weights are."""
    defined = file.with_name(f"defined-{file.name}")
    try:
        defined.write_bytes(with_definitions(onnx.load(file, load_external_data=False)).SerializeToString())
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        return onnxruntime.InferenceSession(defined, options, providers=["CPUExecutionProvider"])
    finally:
        defined.unlink(missing_ok=True)


def _inputs(graph: Graph) -> dict[str, np.ndarray]:
    if "input_ids" in graph.inputs:
        return {name: tensor.numpy() for name, tensor in graph.inputs.items()}
    if "caption" not in graph.inputs:
        return {"latents": graph.inputs["latents"].numpy()}
    grid, mask = _position_grid(graph), graph.inputs["caption_mask"]
    inputs = {
        **{name: graph.inputs[name] for name in ("latents", "timestep", "caption")},
        "row_positions": grid[:, :, :1],
        "column_positions": grid[:, :1] - grid[:, :1, :1],
        "caption_spans": caption_spans(mask.sum(1), grid.shape[1] * grid.shape[2], mask.shape[1]),
    }
    return {name: tensor.numpy() for name, tensor in inputs.items()}


def caption_spans(lengths: Tensor, image_tokens: int, tokens: int) -> Tensor:
    """What `MultiHeadAttention` takes as a mask of 3B + 2 numbers: tokens of each caption, and where in the rows of all
    images each one's queries and keys begin and end."""
    begins = torch.arange(len(lengths) + 1)
    return torch.cat([lengths, begins * image_tokens, begins * tokens]).int()


def _position_grid(graph: Graph) -> Tensor:
    """Positions of an example [1, rows, columns, C]."""
    patch = graph.module.shape.patch
    rows, columns = (side // patch for side in graph.inputs["latents"].shape[2:])
    return graph.inputs["position_embedding"].unflatten(1, (rows, columns))
