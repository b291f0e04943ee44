"""The whole way from a checkpoint to a bundle: first all that can be refused, then the work."""

from pathlib import Path

import torch

from . import parts
from .bundle import LARGE_PIECE, BundleOptions, describe_bundle, write_description
from .checkpoint import Checkpoint, open_checkpoint
from .cuda_graphs import cuda_drafts, first_close_enough
from .cuda_verify import CudaComparison, with_real_latents, with_table_positions
from .drafts import Draft
from .graphs import Graph, draft_graph
from .precision import CUDA_KINDS, KINDS, Precision
from .progress import Report, say
from .target import check_room, unfinished_folder
from .verify import Comparison, verify_against_reference, verify_graph
from .writing import bytes_of, write_drafts

GRAPH_BYTES = 16 * 2**20
"""More than all graphs and the tokenizer take without their weights."""

NETWORKS = {
    "vae_decoder.onnx": "vae",
    "caption_projection.onnx": "transformer",
    "transformer.onnx": "transformer",
    "text_encoder.onnx": "text_encoder",
}

DESCRIBED = {"text_encoder": "textEncoder", "transformer": "transformer", "vae": "vae"}
"""The networks' names in bundle.json."""

MOST_PSNR = 200.0
"""What stands for an infinite ratio, which JSON has no number for."""


def export_bundle(
    folder: Path,
    target: Path,
    options: BundleOptions,
    *,
    precision: Precision = Precision(),  # noqa: B008 – it is frozen
    transformer_from: Path | None = None,
    report: Report = say,
) -> None:
    """Writes the bundle of the checkpoint in `folder` to `target`, which appears only once every graph is verified.

    Weights are read, changed and written one at a time, so that the memory does not grow with the networks.

    Args:
        folder: the checkpoint.
        target: a folder that is empty or not there.
        options: what the checkpoint does not say.
        precision: how weights are stored.
        transformer_from: another checkpoint's folder, whose `transformer/` is taken.
        report: hears what a person may want to know, and how far the work has come.

    Raises:
        ExportError: the target is not empty or another export writes it, the bundle's readers would refuse an option,
            the checkpoint is not whole or not supported, the disk has no room (all told before a graph is written), or
            a graph's output differs.
    """
    with unfinished_folder(target) as unfinished:
        _export(
            folder,
            unfinished,
            options,
            precision=precision,
            transformer_from=transformer_from,
            report=report,
        )
    report(f"bundle written to {target}")


def _export(
    folder: Path,
    unfinished: Path,
    options: BundleOptions,
    *,
    precision: Precision,
    transformer_from: Path | None,
    report: Report,
) -> None:
    checkpoint = open_checkpoint(folder, transformer_from)
    description = describe_bundle(options, checkpoint)
    for note in checkpoint.notes:
        report(note)
    checkpoint.check_values(precision, report)
    torch.manual_seed(0)
    graphs = _graphs(checkpoint)
    drafts = [_drafts(examples[0], precision, report) for examples in graphs]
    check_room(unfinished, sum(bytes_of(*each[:2]) for each in drafts) + GRAPH_BYTES, ADVICE)
    tokenizer = checkpoint.tokenizer.tokenizer.to_str(pretty=True)
    (unfinished / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
    errors = dict.fromkeys(NETWORKS.values(), 0.0)
    cuda: dict[str, CudaComparison] = {}
    for examples, (draft, *for_cuda) in zip(graphs, drafts, strict=True):
        network = NETWORKS[draft.file]
        write_drafts([draft, *for_cuda[:1]], examples[0].parameter, unfinished, report)
        compared = _compare(examples, draft, _kind(draft.file, precision), unfinished, report)
        errors[network] = max(errors[network], compared.error)
        if for_cuda:
            cuda[network] = first_close_enough(draft, for_cuda, examples, compared, folder=unfinished, report=report)
    _compare_with_diffusers(checkpoint, graphs, report)
    report("reading every file once more, for its digest")
    if "vae" in cuda:
        description["vae"]["onePiece"] = LARGE_PIECE
    write_description(unfinished, {**description, "precision": _described(precision, errors), **_described_cuda(cuda)})


ADVICE = "Make room, choose another folder, or store weights in fewer bits (--for small)."


def _graphs(checkpoint: Checkpoint) -> list[list[Graph]]:
    """For each graph of the bundle the examples that it is compared on."""
    transformer, encoder = checkpoint.transformer.empty(), checkpoint.text_encoder.empty()
    patch, reading = transformer.shape.patch, {"read": checkpoint.transformer.weights.tensor}
    text = {"read": checkpoint.text_encoder.tensor}
    decoder, scaling = checkpoint.decoder.empty_decoder(), checkpoint.vae.config["scaling_factor"]
    decoders = parts.decoder_graphs(decoder, checkpoint.decoder.weights.tensor)
    return [
        [with_real_latents(example, scaling) for example in decoders],
        [parts.caption_projection_graph(transformer.caption_projection, **reading)],
        [
            with_table_positions(parts.transformer_graph(transformer, **reading)),
            with_table_positions(
                parts.transformer_graph(transformer, batch=1, tokens=3, height=9 * patch, width=5 * patch, **reading)
            ),
        ],
        [
            parts.text_encoder_graph(encoder, **text),
            parts.text_encoder_graph(encoder, batch=1, tokens=5, **text),
        ],
    ]


def _kind(file: str, precision: Precision) -> str:
    """How a graph's weights are stored: as its network's, but the projection of captions is not quantised."""
    kind = getattr(precision, NETWORKS[file])
    return "fp32" if file == "caption_projection.onnx" and kind == "int8" else kind


def _drafts(graph: Graph, precision: Precision, report: Report) -> list[Draft]:
    """The graph for the CPU, and those for CUDA that may stand beside it; they share their weights."""
    report(f"{graph.file}: tracing")
    kind = _kind(graph.file, precision)
    draft = draft_graph(graph)
    KINDS[kind].rewrite(draft, graph, report)
    has_cuda = precision.has_cuda and kind in CUDA_KINDS[NETWORKS[graph.file]]
    return [draft, *(cuda_drafts(graph.module, draft) if has_cuda else ())]


def _compare(examples: list[Graph], draft: Draft, kind: str, folder: Path, report: Report) -> Comparison:
    report(f"{draft.file}: comparing with torch")
    compared = verify_graph(folder, examples, kind, draft.layers)
    worst = compared.worst_layer
    report(
        f"{draft.file}: weights in {kind}, relative error {compared.error:.1e} against torch in float32; "
        f"of {len(compared.layers)} layers {worst} is furthest off, by {compared.layers[worst]:.1e}"
    )
    return compared


def _compare_with_diffusers(checkpoint: Checkpoint, graphs: list[list[Graph]], report: Report) -> None:
    part = checkpoint.transformer
    if part.shape.kv_compression is not None:
        return
    example = next(examples[-1] for examples in graphs if examples[0].file == "transformer.onnx")
    error = verify_against_reference(part.weights.folder / "config.json", example)
    report(f"transformer: relative error {error:.1e} against diffusers")


def _described(precision: Precision, errors: dict[str, float]) -> dict[str, dict[str, object]]:
    return {
        DESCRIBED[network]: {"weights": getattr(precision, network), "error": float(f"{error:.1e}")}
        for network, error in errors.items()
    }


def _described_cuda(compared: dict[str, CudaComparison]) -> dict[str, dict[str, object]]:
    """Nothing where there is no such graph, so that a bundle without any is as it always was."""
    graphs = {
        DESCRIBED[network]: {"error": float(f"{each.error:.1e}"), "psnr": round(min(each.psnr, MOST_PSNR), 1)}
        for network, each in compared.items()
    }
    return {"cuda": graphs} if graphs else {}
