"""A decoder that replaces the autoencoder's own: our own kind, which published checkpoints do not have."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from network.shuffle_decoder import CLASS_NAME, DecoderShape, ShuffleDecoder

from .config import Rules, check_fields, expect, read_json
from .errors import ExportError
from .vae_part import STEM, VaePart
from .weights import Weights, empty_model, open_weights, shapes_of

RULES = Rules(used=frozenset({"latent_channels", "channels", "blocks"}), choices={}, without_effect=frozenset())


@dataclass(frozen=True)
class ShuffleDecoderPart:
    shape: DecoderShape
    weights: Weights
    norms = groups = 0
    """It has no group norms, so its tiles need no statistics of the whole image."""

    def empty_decoder(self) -> ShuffleDecoder:
        """The decoder, without its weights' values."""
        return empty_model(self.weights.folder, lambda: ShuffleDecoder(self.shape))


def open_shuffle_decoder(checkpoint: Path, vae: VaePart) -> ShuffleDecoderPart | None:
    """Reads `decoder/`, if there is such a folder, but not its weights' values.

    Raises `ExportError` if it is not a decoder for the latents of `vae`.
    """
    folder = checkpoint / "decoder"
    if not folder.exists():
        return None
    where = folder / "config.json"
    config = read_json(where)
    expect(where, "_class_name", config.get("_class_name"), (CLASS_NAME,))
    check_fields(where, config, RULES)
    shape = _shape(where, config)
    expect(where, "latent_channels", shape.latent_channels, (vae.config["latent_channels"],))
    expect(
        where, "number of channels, each of which doubles the size", len(shape.channels), (vae.factor.bit_length() - 1,)
    )
    decoder = empty_model(where, lambda: ShuffleDecoder(shape))
    return ShuffleDecoderPart(shape, open_weights(folder, STEM, shapes_of(decoder), {}))


def _shape(where: Path, config: dict[str, Any]) -> DecoderShape:
    try:
        return DecoderShape.of(config)
    except (KeyError, TypeError) as error:
        raise ExportError(f"{where}: it does not describe a decoder ({error}). Copy the file again.") from error
