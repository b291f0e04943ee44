"""A checkpoint in Hugging Face's folder layout: everything that is known before its weights are read."""

from dataclasses import dataclass
from pathlib import Path

from .errors import ExportError
from .model_index import PipelineKind, read_kind
from .precision import Precision
from .progress import Report
from .scheduler import SchedulerPart, load_scheduler
from .shuffle_decoder_part import ShuffleDecoderPart, open_shuffle_decoder
from .text_encoder_part import TextEncoderPart, open_text_encoder
from .tokenizer_part import TokenizerPart, open_tokenizer
from .transformer_part import TransformerPart, open_transformer
from .vae_part import VaePart, open_vae
from .weights import Weights


@dataclass(frozen=True)
class Checkpoint:
    folder: Path
    kind: PipelineKind
    tokenizer: TokenizerPart
    text_encoder: TextEncoderPart
    transformer: TransformerPart
    vae: VaePart
    decoder: VaePart | ShuffleDecoderPart
    """The decoder of latents: the autoencoder's own, or one that replaces it."""
    scheduler: SchedulerPart

    @property
    def weights(self) -> tuple[Weights, ...]:
        return self.decoder.weights, self.transformer.weights, self.text_encoder.weights

    @property
    def notes(self) -> list[str]:
        """Notes about the export that may surprise a person."""
        variants = [f"{w.folder.name}: the weights of variant {w.variant}" for w in self.weights if w.variant]
        return [*variants, *self.vae.notes, *self.scheduler.notes]

    def check_values(self, precision: Precision, report: Report) -> None:
        """Reads all weights once, as `Weights.check_values`."""
        self.decoder.weights.check_values(precision.vae, report)
        self.transformer.weights.check_values(precision.transformer, report)
        self.text_encoder.check_values(precision.text_encoder, report)


def open_checkpoint(folder: Path, transformer_from: Path | None = None) -> Checkpoint:
    """Reads everything except the weights' values; the transformer may come from another checkpoint's folder.

    Raises `ExportError` for anything that is missing, does not fit together, or could not be reproduced by a bundle.
    """
    kind = read_kind(folder, transformer_from)
    scheduler = load_scheduler(folder)
    vae = open_vae(folder)
    transformer = open_transformer(transformer_from or folder, vae.factor)
    text_encoder = open_text_encoder(folder)
    tokenizer = open_tokenizer(folder)
    decoder = open_shuffle_decoder(folder, vae) or vae
    checkpoint = Checkpoint(folder, kind, tokenizer, text_encoder, transformer, vae, decoder, scheduler)
    _check_fit(checkpoint)
    return checkpoint


def _check_fit(checkpoint: Checkpoint) -> None:
    folder, shape = checkpoint.folder, checkpoint.transformer.shape
    latents, text_width = checkpoint.vae.config["latent_channels"], checkpoint.text_encoder.config.d_model
    if latents != shape.latent_channels:
        raise ExportError(
            f"{folder}: vae has {latents} channels of latents, transformer expects {shape.latent_channels}."
        )
    if text_width != shape.caption_width:
        raise ExportError(f"{folder}: text_encoder is {text_width} wide, transformer expects {shape.caption_width}.")
    checkpoint.tokenizer.check_table(checkpoint.text_encoder.config.vocab_size)
    _check_sizes(checkpoint)


def _check_sizes(checkpoint: Checkpoint) -> None:
    """diffusers passes image sizes to the 1024 px transformers of PixArt-α, and to no others."""
    transformer = checkpoint.transformer
    if transformer.shape.pixels_per_latent is None:
        return
    if checkpoint.kind.name == "PixArt-α" and transformer.sample_size == 128:
        return
    raise ExportError(
        f"{transformer.weights.folder}/config.json: use_additional_conditions is true, or missing with sample_size "
        "128, which means true: the transformer expects the image's size, like PixArt-α's at 1024 px. But the pipeline "
        f"of {checkpoint.kind.name} with sample_size {transformer.sample_size} does not pass it. Write false if the "
        "weights have no resolution_embedder; if they do and it is PixArt-α, write PixArtAlphaPipeline in "
        "model_index.json."
    )
