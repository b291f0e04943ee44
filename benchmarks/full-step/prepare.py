"""Makes what one step at full size is measured on: `models/python.sh benchmarks/full-step/prepare.py <folder>`.

A transformer of PixArt-Σ's size with random weights (2.4 GB), as a checkpoint that diffusers opens and as our graph;
and for each size the inputs of one call with guidance: two captions of 30 tokens, so that nothing is padding.
"""

import argparse
import json
import sys
from pathlib import Path

import torch
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from export import parts
from export.golden.tensors import write_tensors
from export.graphs import write_graph
from export.quiet import quiet_libraries
from export.reference import position_embedding
from export.transformer_part import PIXELS_PER_LATENT, open_transformer

CAPTION_WIDTH = 4096
CAPTION_TOKENS = 30
BATCH = 2
SIZES = (256, 512, 1024)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="prepare.py", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, default=28, help="fewer make a smaller model, to try things out")
    options = parser.parse_args(arguments)
    quiet_libraries()
    torch.manual_seed(0)
    reference = PixArtTransformer2DModel(
        num_layers=options.layers,
        caption_channels=CAPTION_WIDTH,
        sample_size=32,
        interpolation_scale=0.5,
        use_additional_conditions=False,
    ).eval()
    reference.save_pretrained(options.folder / "transformer")
    text_states = torch.randn(BATCH, CAPTION_TOKENS, CAPTION_WIDTH)
    with torch.no_grad():
        caption = reference.caption_projection(text_states)
    for size in SIZES:
        write_inputs(options.folder / str(size), reference, size, text_states, caption)
    del reference
    transformer = open_transformer(options.folder).load()
    write_graph(parts.transformer_graph(transformer), options.folder, half=False)


def write_inputs(
    folder: Path, reference: PixArtTransformer2DModel, size: int, text_states: Tensor, caption: Tensor
) -> None:
    """`text_states` is for diffusers, which projects captions in every step; `caption` for the graph."""
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
    entries = write_tensors({name: tensor.numpy() for name, tensor in tensors.items()}, folder)
    (folder / "call.json").write_text(json.dumps({"tensors": entries}) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
