"""The whole way from a checkpoint to a bundle: first all that can be refused, then the work."""

from collections.abc import Callable
from pathlib import Path

import torch

from . import parts
from .bundle import BundleOptions, describe_bundle, write_description
from .checkpoint import Checkpoint, open_checkpoint
from .graphs import HALF_MIN_ELEMENTS, Graph, write_graph
from .target import check_target, unfinished_folder
from .verify import verify_against_reference, verify_graph

Report = Callable[[str], None]


def export_bundle(
    folder: Path, target: Path, options: BundleOptions, half: bool = False, report: Report = print
) -> None:
    """Writes the bundle of the checkpoint in `folder` to `target`, which appears only once every graph is verified.

    Raises:
        ExportError: the target is not empty, the bundle's readers would refuse an option, the checkpoint is not whole
            or not supported (all told before the first graph), or a graph's output differs.
    """
    check_target(target, needed=0)
    checkpoint = open_checkpoint(folder)
    description = describe_bundle(options, checkpoint)
    check_target(target, needed=sum(weights.elements for weights in checkpoint.weights) * (2 if half else 4))
    for note in checkpoint.notes:
        report(note)
    checkpoint.check_values(HALF_MIN_ELEMENTS if half else None)
    with unfinished_folder(target) as unfinished:
        _write_files(checkpoint, unfinished, half, report)
        write_description(unfinished, description)
    report(f"bundle written to {target}")


def _write_files(checkpoint: Checkpoint, folder: Path, half: bool, report: Report) -> None:
    torch.manual_seed(0)
    tokenizer = checkpoint.tokenizer.tokenizer.to_str(pretty=True)
    (folder / "tokenizer.json").write_text(tokenizer, encoding="utf-8")

    def write(*graphs: Graph) -> None:
        write_graph(graphs[0], folder, half)
        report(f"{graphs[0].file}: relative error {verify_graph(folder, [*graphs], half):.1e} against torch")

    write(*parts.decoder_graphs(checkpoint.decoder.load_decoder()))

    transformer = checkpoint.transformer.load()
    shape = transformer.shape
    write(parts.caption_projection_graph(transformer.caption_projection))
    square = parts.transformer_graph(transformer)
    odd = parts.transformer_graph(transformer, batch=1, tokens=3, height=9 * shape.patch, width=5 * shape.patch)
    write(square, odd)
    if shape.kv_compression is None:
        error = verify_against_reference(checkpoint.folder, transformer, odd.inputs)
        report(f"transformer: relative error {error:.1e} against diffusers")
    del transformer, square, odd

    encoder = checkpoint.text_encoder.load()
    write(parts.text_encoder_graph(encoder), parts.text_encoder_graph(encoder, batch=1, tokens=5))
