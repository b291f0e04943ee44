"""Proves the exporter on the full-size transformer: `models/python.sh -m export.prove_full_size <folder>`.

Builds diffusers' transformer in the size of PixArt-Sigma-XL-2 with random weights, keeps the output of one call, and
exports the same weights. `npx tsx models/export/check-full-size.ts <folder>` then makes that call in onnxruntime-node.
Needs about 4 GB of memory and 5 GB of disk.
"""

import argparse
import json
import resource
import sys
from pathlib import Path

import torch
from diffusers import PixArtTransformer2DModel
from torch import Tensor

from . import parts
from .golden.tensors import write_tensors
from .graphs import write_graph
from .quiet import quiet_libraries
from .reference import position_embedding, predict
from .transformer_part import open_transformer

CAPTION_WIDTH = 4096
HEIGHT, WIDTH = 30, 44
"""Latents of 240 × 352 pixels: 15 × 22 tokens, odd on one side."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m export.prove_full_size", description=__doc__)
    parser.add_argument("folder", type=Path, help="scratch folder for weights, graphs and the call")
    folder = parser.parse_args(arguments).folder
    quiet_libraries()
    torch.manual_seed(0)
    tensors = write_reference(folder)
    transformer = open_transformer(folder).load()
    with torch.no_grad():
        tensors["caption"] = transformer.caption_projection(tensors.pop("text_states"))
    print(f"parameters: {count(transformer):,}")
    write_graph(parts.transformer_graph(transformer), folder, half=False)
    entries = write_tensors({name: tensor.float().numpy() for name, tensor in tensors.items()}, folder)
    (folder / "call.json").write_text(json.dumps({"tensors": entries}) + "\n", encoding="utf-8")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"written to {folder}; peak memory {peak:.1f} GiB")


def write_reference(folder: Path) -> dict[str, Tensor]:
    """Saves random weights as a checkpoint's transformer; returns the inputs and the output of one call."""
    reference = PixArtTransformer2DModel(
        caption_channels=CAPTION_WIDTH, sample_size=32, interpolation_scale=0.5, use_additional_conditions=False
    ).eval()
    reference.save_pretrained(folder / "transformer")
    latents = torch.randn(2, 4, HEIGHT, WIDTH)
    timestep = torch.tensor([749.0, 749.0])
    text_states = torch.randn(2, 300, CAPTION_WIDTH)
    mask = parts.padding_mask(2, 300)
    return {
        "latents": latents,
        "timestep": timestep,
        "position_embedding": position_embedding(reference, latents),
        "text_states": text_states,
        "caption_mask": mask,
        "prediction": predict(reference, latents, timestep, text_states, mask),
    }


def count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


if __name__ == "__main__":
    main(sys.argv[1:])
