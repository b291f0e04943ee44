"""How far a checkpoint's graphs for CUDA are from those for the CPU.

`models/python.sh benchmarks/cuda-numerics/graphs.py CHECKPOINT`
Exports transformer and decoder to a temporary folder as `--for gpu` does, and compares them as it does. Prints a line
of JSON for each.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import torch

from export import parts
from export.cuda_graphs import cuda_drafts, first_close_enough
from export.cuda_verify import with_real_latents, with_table_positions
from export.graphs import Graph, draft_graph
from export.precision import KINDS
from export.quiet import quiet_libraries
from export.transformer_part import open_transformer
from export.vae_part import open_vae
from export.verify import verify_graph
from export.writing import write_drafts


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="graphs.py", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    options = parser.parse_args(arguments)
    quiet_libraries()
    for examples in (transformer_examples, decoder_examples):
        torch.manual_seed(0)
        compare(examples(options.checkpoint))


def transformer_examples(checkpoint: Path) -> list[Graph]:
    part = open_transformer(checkpoint)
    transformer, patch = part.empty(), part.shape.patch
    sizes = ({}, {"batch": 1, "tokens": 3, "height": 9 * patch, "width": 5 * patch})
    graphs = [parts.transformer_graph(transformer, read=part.weights.tensor, **each) for each in sizes]
    return [with_table_positions(graph) for graph in graphs]


def decoder_examples(checkpoint: Path) -> list[Graph]:
    part = open_vae(checkpoint)
    graphs = parts.decoder_graphs(part.empty_decoder(), part.weights.tensor)
    return [with_real_latents(graph, part.config["scaling_factor"]) for graph in graphs]


def compare(examples: list[Graph]) -> None:
    first = examples[0]
    stored = draft_graph(first)
    KINDS["fp16"].rewrite(stored, first, say)
    for_cuda = cuda_drafts(first.module, stored)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_drafts([stored, for_cuda[0]], first.parameter, folder, say)
        of_cpu = verify_graph(folder, examples, "fp16")
        compared = first_close_enough(stored, for_cuda, examples, of_cpu, folder=folder, report=say)
    print(json.dumps({"graph": for_cuda[0].file, **asdict(compared)}), flush=True)


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
