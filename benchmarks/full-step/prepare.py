"""Writes what one step is measured on: `models/python.sh benchmarks/full-step/prepare.py <checkpoint> <folder>`.

Our float32 and int8 graphs of the checkpoint's transformer (at full size 3.1 GB), and for each size the inputs of one
call with guidance: two captions of 30 tokens, so that nothing is padding. At 256 px also diffusers' float32 predictions
at three timesteps.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from export import parts
from export.golden.tensors import write_tensors
from export.graphs import draft_graph
from export.precision import KINDS
from export.quiet import quiet_libraries
from export.reference import position_embedding, predict
from export.transformer_part import PIXELS_PER_LATENT, open_transformer
from export.writing import write_draft

CAPTION_TOKENS = 30
BATCH = 2
SIZES = (256, 512, 1024)
TIMESTEPS = (999, 500, 20)
TEXT_DEVIATION = 0.15
"""Roughly that of T5-XXL's states."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="prepare.py", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path, help="must not exist yet")
    options = parser.parse_args(arguments)
    quiet_libraries()
    torch.manual_seed(0)
    unfinished = options.folder.with_name(f"{options.folder.name}.unfinished")
    unfinished.mkdir(exist_ok=True)
    transformer = unfinished / "transformer"
    if not transformer.is_symlink():
        transformer.symlink_to((options.checkpoint / "transformer").resolve())
    write_graphs(options.checkpoint, unfinished)
    reference = PixArtTransformer2DModel.from_pretrained(
        transformer, torch_dtype=torch.float32, low_cpu_mem_usage=False
    )
    write_calls(reference.eval(), unfinished)
    unfinished.rename(options.folder)


def write_graphs(checkpoint: Path, folder: Path) -> None:
    part = open_transformer(checkpoint)
    for kind in ("fp32", "int8"):
        graph = parts.transformer_graph(part.empty(), read=part.weights.tensor)
        draft = draft_graph(graph)
        KINDS[kind].rewrite(draft, graph, say)
        (folder / kind).mkdir(exist_ok=True)
        write_draft(draft, graph.parameter, folder / kind, say)


@torch.no_grad()
def write_calls(reference: PixArtTransformer2DModel, folder: Path) -> None:
    """`text_states` is for diffusers, which projects captions in every step; `caption` is for the graph."""
    text_states = torch.randn(BATCH, CAPTION_TOKENS, reference.config.caption_channels) * TEXT_DEVIATION
    caption = reference.caption_projection(text_states)
    for size in SIZES:
        side = size // PIXELS_PER_LATENT
        latents = torch.randn(1, 4, side, side).repeat(BATCH, 1, 1, 1)
        tensors = {
            "latents": latents,
            "timestep": torch.full((BATCH,), 749.0),
            "position_embedding": position_embedding(reference, latents),
            "text_states": text_states,
            "caption": caption,
            "caption_mask": torch.ones(BATCH, CAPTION_TOKENS),
        }
        entries = write_tensors({name: tensor.numpy() for name, tensor in tensors.items()}, folder / str(size))
        (folder / str(size) / "call.json").write_text(json.dumps({"tensors": entries}) + "\n", encoding="utf-8")
        if size == SIZES[0]:
            write_expected(reference, tensors, folder / str(size))


def write_expected(reference: PixArtTransformer2DModel, tensors: dict[str, Tensor], folder: Path) -> None:
    latents, text_states, mask = tensors["latents"], tensors["text_states"], tensors["caption_mask"]
    for timestep in TIMESTEPS:
        say(f"computing diffusers' prediction at timestep {timestep}")
        expected = predict(reference, latents, torch.full((BATCH,), float(timestep)), text_states, mask)
        expected.numpy().astype(np.dtype("<f4")).tofile(folder / f"expected-{timestep}.bin")
    (folder / "expected.json").write_text(json.dumps(TIMESTEPS) + "\n", encoding="utf-8")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
