"""The whole way from a checkpoint to a bundle."""

import shutil
from collections.abc import Callable
from pathlib import Path

import torch

from . import checkpoint as reader
from . import parts
from .bundle import BundleOptions, CheckpointFacts, write_description
from .decoder import VaeDecoder
from .errors import ExportError
from .graphs import Graph, write_graph
from .scheduler import SchedulerPart, load_scheduler
from .verify import verify_against_reference, verify_graph

Report = Callable[[str], None]


def export_bundle(
    checkpoint: Path, target: Path, options: BundleOptions, half: bool = False, report: Report = print
) -> None:
    """Writes the bundle of `checkpoint` to `target`, which appears only once every graph is verified.

    Raises:
        ExportError: the target is not empty, a part is missing or not supported, the sampler takes fewer steps, or a
            graph's output differs.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ExportError(f"{target}: expected a folder that is empty or not there yet. Choose another or remove it.")
    reader.check_layout(checkpoint)
    scheduler = load_scheduler(checkpoint)
    scheduler.check_steps(options.steps)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        facts = _write_files(checkpoint, scheduler, unfinished, half, report)
        write_description(unfinished, options, facts)
        unfinished.replace(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    report(f"bundle written to {target}")


def _write_files(
    checkpoint: Path, scheduler: SchedulerPart, folder: Path, half: bool, report: Report
) -> CheckpointFacts:
    torch.manual_seed(0)
    position_range = reader.load_position_range(checkpoint)
    tokenizer = reader.load_tokenizer(checkpoint)
    tokenizer.tokenizer.save(str(folder / "tokenizer.json"))

    def write(*graphs: Graph) -> None:
        write_graph(graphs[0], folder, half)
        report(f"{graphs[0].file}: relative error {verify_graph(folder, [*graphs], half):.1e} against torch")

    vae = reader.load_vae(checkpoint)
    decoder = VaeDecoder(vae).eval()
    vae_config, vae_norms = dict(vae.config), decoder.norms
    tile = parts.vae_decoder_graph(decoder, batch=1, height=9, width=4, is_given=True)
    write(parts.vae_decoder_graph(decoder), tile)
    del vae, decoder, tile

    transformer = reader.load_transformer(checkpoint)
    shape = transformer.shape
    write(parts.caption_projection_graph(transformer.caption_projection))
    square = parts.transformer_graph(transformer)
    odd = parts.transformer_graph(transformer, batch=1, tokens=3, height=9 * shape.patch, width=5 * shape.patch)
    write(square, odd)
    if shape.kv_compression is None:
        error = verify_against_reference(checkpoint, transformer, odd.inputs)
        report(f"transformer: relative error {error:.1e} against diffusers")
    del transformer, square, odd

    encoder = reader.load_text_encoder(checkpoint)
    text_width = encoder.config.d_model
    if text_width != shape.caption_width:
        raise ExportError(
            f"{checkpoint}: text_encoder is {text_width} wide, transformer expects {shape.caption_width}."
        )
    write(parts.text_encoder_graph(encoder), parts.text_encoder_graph(encoder, batch=1, tokens=5))
    return CheckpointFacts(tokenizer, position_range, text_width, shape, vae_config, vae_norms, scheduler)
