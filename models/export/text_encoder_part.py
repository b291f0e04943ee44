"""A checkpoint's text encoder: what its configuration may say, and its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import T5Config, T5EncoderModel

from .config import expect, expect_few_layers, read_json
from .errors import ExportError
from .progress import Report
from .storing import LARGEST_HALF
from .weights import Weights, beyond_half, empty_model, open_weights, shapes_of

STEM = "model"
EMBEDDING, COPY = "shared.weight", "encoder.embed_tokens.weight"
"""The token table, and the name under which some files have it again, or only."""

HARMLESS = {
    r"decoder\..*": "the other half of a whole T5",
    r"lm_head\.weight": "the decoder's last layer",
}


@dataclass(frozen=True)
class TextEncoderPart:
    config: T5Config
    weights: Weights

    def check_values(self, kind: str, report: Report) -> None:
        """Like `Weights.check_values`; also raises `ExportError` if there are two token tables that differ.

        If products are quantised, the table is stored as float16 and has to fit in it.
        """
        self.weights.check_values(kind, report)
        tables = [self.weights.tensor(name) for name in (EMBEDDING, COPY) if name in self.weights.stored]
        if not torch.equal(tables[0], tables[-1]):
            raise ExportError(
                f"{self.weights.folder}: {EMBEDDING} and {COPY} differ, but T5 has only one token table. "
                "Download them again."
            )
        if kind in ("int8", "int4") and max(map(abs, torch.aminmax(tables[0]))) > LARGEST_HALF:
            raise beyond_half(self.weights.folder, [EMBEDDING])

    def empty(self) -> T5EncoderModel:
        """The text encoder, without its weights' values."""
        return _build(self.weights.folder / "config.json", self.config)

    def tensor(self, name: str) -> Tensor:
        """A weight, by the model's name for it, as float32."""
        return self.weights.tensor(EMBEDDING if name == COPY else name)


def open_text_encoder(checkpoint: Path) -> TextEncoderPart:
    """Reads `text_encoder/`, but not its weights' values. Raises `ExportError` for anything that is not a T5 encoder.

    Exports the same class that diffusers' pipelines load, so the configuration has the same effect as there, and the
    same fields are ignored.
    """
    folder = checkpoint / "text_encoder"
    where = folder / "config.json"
    raw = read_json(where)
    expect(where, "model_type", raw.get("model_type"), ("t5",), "A PixArt transformer needs T5's text states.")
    expect(where, "quantization_config", raw.get("quantization_config"), (None,), "Use weights that are not quantised.")
    config = _read_config(where, raw)
    expect_few_layers(where, config.num_layers)
    expected = shapes_of(_build(where, config))
    copy = {COPY: expected.pop(COPY)}
    return TextEncoderPart(config, open_weights(folder, STEM, expected, HARMLESS, rename=_renamed, optional=copy))


def _read_config(where: Path, raw: dict) -> T5Config:
    try:
        return T5Config.from_dict(raw)
    except Exception as error:  # the library's own checks raise various kinds
        raise ExportError(f"{where}: it does not describe a T5 encoder ({error}). Download the file again.") from error


def _build(where: Path, config: T5Config) -> T5EncoderModel:
    return empty_model(
        where, lambda: T5EncoderModel._from_config(config, attn_implementation="eager", dtype=torch.float32)
    )


def _renamed(names: set[str]) -> Mapping[str, str]:
    return {} if EMBEDDING in names else {COPY: EMBEDDING}
