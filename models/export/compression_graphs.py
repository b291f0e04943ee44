"""Graphs to measure key/value compression on: `models/python.sh -m export.compression_graphs <folder>`.

The shipped transformer's architecture with random weights, once without compression and once with its later half
compressed; and one layer's self-attention alone, with and without compression. `npx tsx benchmarks/kv-compression.ts
<folder>` runs them.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from network.attention import SelfAttention
from network.transformer import PixArtTransformer
from training.transformer import SHAPE, with_compression

from .graphs import Graph, draft_graph
from .parts import transformer_graph
from .quiet import quiet_libraries
from .writing import write_draft

COMPRESSED = with_compression(SHAPE, (4, 5, 6, 7))


class GridAttention(nn.Module):
    """Self-attention over a grid of tokens [B, C, rows, columns]."""

    def __init__(self, scale: int | None):
        super().__init__()
        self.attention = SelfAttention(SHAPE.width, SHAPE.heads, scale)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.attention(tokens.flatten(2).mT, (tokens.shape[2], tokens.shape[3]))


def attention_graph(file: str, scale: int | None) -> Graph:
    return Graph(
        file=file,
        module=GridAttention(scale).eval(),
        inputs={"tokens": torch.randn(2, SHAPE.width, 6, 10)},
        dynamic={"tokens": {0: "batch", 2: "rows", 3: "columns"}},
        outputs=("attended",),
    )


def _write(graph: Graph, folder: Path) -> None:
    write_draft(draft_graph(graph), graph.parameter, folder)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m export.compression_graphs", description=__doc__)
    parser.add_argument("folder", type=Path, help="scratch folder for four graphs")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    quiet_libraries()
    torch.manual_seed(0)
    _write(attention_graph("attention-whole.onnx", None), folder)
    _write(attention_graph("attention-compressed.onnx", 2), folder)
    for name, shape in (("step-whole.onnx", SHAPE), ("step-compressed.onnx", COMPRESSED)):
        graph = transformer_graph(PixArtTransformer(shape).eval())
        _write(replace(graph, file=name), folder)


if __name__ == "__main__":
    main(sys.argv[1:])
