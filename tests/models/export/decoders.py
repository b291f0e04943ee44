"""Decoders, and what becomes of their graphs for CUDA on a processor."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor

from export.cuda_decoder_nodes import FILE
from export.cuda_graphs import cuda_drafts, first_close_enough
from export.cuda_operators import with_definitions
from export.cuda_verify import CudaComparison
from export.drafts import Draft
from export.graphs import Graph, draft_graph
from export.precision import KINDS
from export.verify import verify_graph
from export.writing import write_drafts
from network.shuffle_decoder import DecoderShape, ShuffleDecoder

SHAPE = DecoderShape(4, (8, 8, 4), (1, 2, 1))


def learned(shape: DecoderShape = SHAPE) -> ShuffleDecoder:
    """A decoder whose blocks do something, with images of about −1 … 1."""
    torch.manual_seed(0)
    decoder = ShuffleDecoder(shape).eval().requires_grad_(False)
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.12)
    return decoder


def drafts_of(examples: list[Graph]) -> list[Draft]:
    """The draft for the CPU with weights in float16, and those for CUDA."""
    stored = draft_graph(examples[0])
    KINDS["fp16"].rewrite(stored, examples[0], print)
    return [stored, *cuda_drafts(examples[0].module, stored)]


def compared(examples: list[Graph], drafts: list[Draft], folder: Path, heard: list[str]) -> CudaComparison:
    """Writes the drafts, and keeps the first for CUDA that is close enough."""
    stored, *for_cuda = drafts
    write_drafts(drafts[:2], examples[0].parameter, folder)
    of_cpu = verify_graph(folder, examples, "fp16")
    return first_close_enough(stored, for_cuda, examples, of_cpu, folder=folder, report=heard.append)


def run(folder: Path, latents: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Bytes and level of the written graph for CUDA."""
    model = with_definitions(onnx.load(folder / FILE))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["image", "level"], {"latents": latents.numpy()})


def assert_overflow_is_computed_in_float32(examples: list[Graph], drafts: list[Draft], folder: Path) -> None:
    """In float16 the decoder overflows; with its last two stages in float32, and no fewer, it is close enough."""
    write_drafts(drafts[:2], examples[0].parameter, folder)
    latents = examples[0].inputs["latents"]
    image, level = run(folder, latents)
    # The bytes look like any others; the mean tells.
    assert image.dtype == np.uint8
    assert not np.isfinite(level).any()
    heard: list[str] = []
    found = compared(examples, drafts, folder, heard)
    assert found.psnr >= 50
    # The last stage alone does not help, the one before with it does.
    assert sum("Trying" in text for text in heard) == 2
    image, level = run(folder, latents)
    assert np.isfinite(level).all()
