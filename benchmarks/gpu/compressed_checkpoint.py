"""A checkpoint for 2K and 4K with random weights: `models/python.sh benchmarks/gpu/compressed_checkpoint.py FOLDER`.

The later half of its layers compress keys and values, as in PixArt-Σ. Its text encoder has one layer: captions for it
come from nowhere in this benchmark, and T5-XXL is measured with the other checkpoint.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from export.quiet import quiet_libraries
from export.random_checkpoint import write_checkpoint
from export.random_weights import SIZES
from network.kv_compression import KvCompression, add_compression

SCALE = 2


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="compressed_checkpoint.py", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder to write; must be empty or not exist yet")
    parser.add_argument("--size", choices=SIZES, default="xl", help="default: %(default)s, the size of PixArt-Σ XL/2")
    options = parser.parse_args(arguments)
    quiet_libraries()
    networks = SIZES[options.size]
    one_layer = replace(networks, text_encoder={**networks.text_encoder, "num_layers": 1})
    write_checkpoint(options.folder, one_layer, torch.bfloat16)
    layers, width = networks.transformer["num_layers"], networks.transformer["cross_attention_dim"]
    compression = KvCompression(tuple(range(layers // 2, layers)), SCALE)
    add_compression(options.folder / "transformer", compression, _weights(compression, width))


def _weights(compression: KvCompression, width: int) -> dict[str, Tensor]:
    """As they are before training, with noise: the average of each cell, and a norm that changes nothing."""
    torch.manual_seed(1)
    scale = compression.scale
    drawn = {
        "sr.weight": torch.randn(width, 1, scale, scale) * 0.1 + 1 / scale**2,
        "sr.bias": torch.randn(width) * 0.05,
        "norm.weight": torch.randn(width) * 0.05 + 1,
        "norm.bias": torch.randn(width) * 0.05,
    }
    return {
        f"transformer_blocks.{layer}.attn1.{name}": tensor.bfloat16()
        for layer in compression.layers
        for name, tensor in drawn.items()
    }


if __name__ == "__main__":
    main(sys.argv[1:])
