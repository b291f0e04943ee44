"""A transformer's graph for CUDA that any processor runs: what the reader's inputs for such graphs are tested on."""

from pathlib import Path

from ..cuda_transformer import cuda_transformer
from ..graphs import draft_graph
from ..parts import transformer_graph
from ..precision import KINDS
from ..progress import say
from ..transformer_part import open_transformer
from ..writing import write_draft


def write_cuda_transformer(checkpoint: Path, folder: Path) -> None:
    """Writes the graph of a checkpoint without compressed keys and values, with its weights inside."""
    folder.mkdir(parents=True, exist_ok=True)
    part = open_transformer(checkpoint)
    graph = transformer_graph(part.empty(), read=part.weights.tensor)
    stored = draft_graph(graph)
    KINDS["fp16"].rewrite(stored, graph, say)
    write_draft(cuda_transformer(part.shape, stored), graph.parameter, folder)
