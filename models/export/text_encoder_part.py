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
from .weights import Weights, empty_model, open_weights, shapes_of

STEM = "model"
EMBEDDING, COPY = "shared.weight", "encoder.embed_tokens.weight"
"""The table of tokens, and the name under which files may have it once more, or alone."""

HARMLESS = {
    r"decoder\..*": "the other half of a whole T5",
    r"lm_head\.weight": "the decoder's last layer",
}


@dataclass(frozen=True)
class TextEncoderPart:
    config: T5Config
    weights: Weights

    def check_values(self, kind: str, report: Report) -> None:
        """As `Weights.check_values`; also raises `ExportError` where there are two tables of tokens that differ."""
        self.weights.check_values(kind, report)
        tables = [self.weights.tensor(name) for name in (EMBEDDING, COPY) if name in self.weights.stored]
        if not torch.equal(tables[0], tables[-1]):
            raise ExportError(
                f"{self.weights.folder}: {EMBEDDING} and {COPY} differ, but T5 has one table of tokens. "
                "Download them again."
            )

    def empty(self) -> T5EncoderModel:
        """The text encoder without its weights' numbers."""
        return _build(self.weights.folder / "config.json", self.config)

    def tensor(self, name: str) -> Tensor:
        """A weight by the model's name for it, as float32."""
        return self.weights.tensor(EMBEDDING if name == COPY else name)

    def load(self) -> T5EncoderModel:
        """Loads the text encoder in float32."""
        encoder = self.empty()
        state = self.weights.load()
        encoder.load_state_dict({**state, COPY: state[EMBEDDING]}, assign=True)
        encoder.tie_weights()
        return encoder.requires_grad_(False)


def open_text_encoder(checkpoint: Path) -> TextEncoderPart:
    """Reads `text_encoder/`, but not its weights' numbers. Raises `ExportError` for what is no T5 encoder.

    The class that diffusers' pipelines load is the one that is exported, so it honours what it finds in the
    configuration, and passes over the rest, as it does there.
    """
    folder = checkpoint / "text_encoder"
    where = folder / "config.json"
    raw = read_json(where)
    expect(where, "model_type", raw.get("model_type"), ("t5",), "A PixArt transformer reads what T5 encodes.")
    expect(
        where, "quantization_config", raw.get("quantization_config"), (None,), "Take weights that are not quantised."
    )
    config = _read_config(where, raw)
    expect_few_layers(where, config.num_layers)
    expected = shapes_of(_build(where, config))
    copy = {COPY: expected.pop(COPY)}
    return TextEncoderPart(config, open_weights(folder, STEM, expected, HARMLESS, rename=_renamed, optional=copy))


def _read_config(where: Path, raw: dict) -> T5Config:
    try:
        return T5Config.from_dict(raw)
    except Exception as error:  # Whatever the library's own checks raise.
        raise ExportError(f"{where}: no T5 encoder can be made of it ({error}). Download the file again.") from error


def _build(where: Path, config: T5Config) -> T5EncoderModel:
    return empty_model(
        where, lambda: T5EncoderModel._from_config(config, attn_implementation="eager", dtype=torch.float32)
    )


def _renamed(names: set[str]) -> Mapping[str, str]:
    return {} if EMBEDDING in names else {COPY: EMBEDDING}
