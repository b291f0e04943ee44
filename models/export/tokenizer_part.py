"""A checkpoint's tokenizer, as the single file that a bundle contains."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from .errors import ExportError

FAST, PIECES = "tokenizer.json", "spiece.model"
KINDS = ("Unigram", "BPE")
PARTS = ("normalizer", "pre_tokenizer", "post_processor")
READER = Path(__file__).parents[1] / "pixart" / "tokenizer-kinds.json"
"""The tokenizer parts that the reader of bundles supports exactly."""
MOST_UNUSED = 256
"""Rows of T5's table without a token: 100 sentinels, which a tokenizer may omit, and padding to a multiple of 128."""


@dataclass(frozen=True)
class TokenizerPart:
    tokenizer: Tokenizer
    eos_id: int
    folder: Path

    def check_table(self, rows: int) -> None:
        """Raises `ExportError` unless a text encoder with `rows` tokens can belong to this tokenizer."""
        tokens = max(self.tokenizer.get_vocab(with_added_tokens=True).values()) + 1
        if not rows - MOST_UNUSED <= tokens <= rows:
            raise ExportError(
                f"{self.folder}: it has {tokens} tokens, but the text encoder {rows}; they belong to different models. "
                "Take both folders from one download."
            )


def open_tokenizer(checkpoint: Path) -> TokenizerPart:
    """Reads `tokenizer/`; a SentencePiece model without `tokenizer.json` is converted.

    Raises `ExportError` if files are missing or disagree, or if a bundle's reader would return other ids.
    """
    folder = checkpoint / "tokenizer"
    if not (folder / FAST).is_file() and not (folder / PIECES).is_file():
        raise ExportError(f"{folder}: expected {FAST} or {PIECES}, found neither. Download the folder again.")
    try:
        loaded = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        tokenizer = loaded.backend_tokenizer
    except Exception as error:  # the libraries raise various kinds
        raise ExportError(f"{folder}: it does not describe a tokenizer ({error}). Download it again.") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    _check_kind(folder, tokenizer)
    _check_parts(folder, json.loads(tokenizer.to_str()))
    if (folder / PIECES).is_file():
        _check_pieces(folder / PIECES, tokenizer)
    pad_id, eos_id = loaded.pad_token_id, loaded.eos_token_id
    if pad_id is None or eos_id is None or tokenizer.encode("").ids != [eos_id]:
        raise ExportError(
            f"{folder}: expected a padding token and an end token that ends every text; found "
            f"padding {loaded.pad_token!r}, end {loaded.eos_token!r}, and {tokenizer.encode('').tokens} for ''."
        )
    return TokenizerPart(tokenizer, eos_id, folder)


def _check_kind(folder: Path, tokenizer: Tokenizer) -> None:
    model = json.loads(tokenizer.to_str())["model"]
    if model["type"] not in KINDS:
        raise ExportError(f"{folder}: a tokenizer of type {model['type']}; a bundle can contain {' or '.join(KINDS)}.")


def _check_parts(folder: Path, definition: dict[str, Any]) -> None:
    """The same as the reader's, in models/pixart/tokenizer-definition.ts."""
    known, model = json.loads(READER.read_text(encoding="utf-8")), definition["model"]
    parts = {field: list(_parts_of(definition[field])) for field in PARTS}
    found = [f"{field} {part['type']}" for field in PARTS for part in parts[field] if part["type"] not in known[field]]
    replacements = [part for part in parts["normalizer"] if part["type"] == "Replace" and not _is_plain(part)]
    found += [f"normalizer Replace of {part['pattern']}" for part in replacements]
    options = known["notOfModel"][model["type"]]
    found += [f"model {model['type']} with {option}" for option in options if model.get(option)]
    if model["type"] == "Unigram" and model["unk_id"] is None:
        found.append("model Unigram without unk_id")
    if model["type"] == "BPE" and all(part["type"] != "ByteLevel" for part in parts["pre_tokenizer"]):
        found.append("model BPE without pre_tokenizer ByteLevel")
    if found:
        raise ExportError(
            f"{folder}: a bundle's reader would compute other token ids, because of {', '.join(found)}. "
            "Use a checkpoint whose tokenizer does not need it."
        )


def _is_plain(replacement: dict[str, Any]) -> bool:
    """Whether it means the same in JavaScript, where "$" is special and regular expressions differ."""
    pattern = replacement["pattern"]
    return ("String" in pattern or pattern.get("Regex") == " {2,}") and "$" not in replacement["content"]


def _parts_of(part: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    if part is None:
        return
    if part["type"] != "Sequence":
        yield part
    for inner in ("normalizers", "pretokenizers", "processors"):
        for each in part.get(inner, []):
            yield from _parts_of(each)


def _check_pieces(file: Path, tokenizer: Tokenizer) -> None:
    try:
        pieces = sentencepiece.SentencePieceProcessor(str(file))
    except (OSError, RuntimeError) as error:
        raise ExportError(f"{file}: not a SentencePiece model ({error}). Download the file again.") from error
    for index in range(pieces.get_piece_size()):
        expected, found = pieces.id_to_piece(index), tokenizer.id_to_token(index)
        if found != expected:
            raise ExportError(
                f"{file}: its token {index} is {expected!r}, but {found!r} in the folder's tokenizer. "
                f"Take {FAST}, {PIECES} and tokenizer_config.json from one download."
            )
