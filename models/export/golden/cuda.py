"""Graphs for CUDA that any processor runs: what the reader's inputs for such graphs are tested on."""

from pathlib import Path

from ..cuda_graphs import cuda_drafts
from ..graphs import Graph, draft_graph
from ..parts import text_encoder_graph, transformer_graph
from ..precision import KINDS
from ..progress import say
from ..text_encoder_part import open_text_encoder
from ..transformer_part import open_transformer
from ..writing import write_draft


def write_cuda_graphs(checkpoint: Path, folder: Path) -> None:
    """Writes transformer and text encoder with their weights inside; the checkpoint compresses no keys and values."""
    folder.mkdir(parents=True, exist_ok=True)
    transformer, encoder = open_transformer(checkpoint), open_text_encoder(checkpoint)
    _write(transformer_graph(transformer.empty(), read=transformer.weights.tensor), folder)
    _write(text_encoder_graph(encoder.empty(), read=encoder.tensor), folder)


def _write(graph: Graph, folder: Path) -> None:
    stored = draft_graph(graph)
    KINDS["fp16"].rewrite(stored, graph, say)
    [draft] = cuda_drafts(graph.module, stored)
    write_draft(draft, graph.parameter, folder)
