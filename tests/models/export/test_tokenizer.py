import json
import shutil
from pathlib import Path

import pytest
import sentencepiece
from damage import change_json

from export.errors import ExportError
from export.golden.texts import TOKENIZER_TEXTS
from export.tokenizer_part import FAST, PIECES, open_tokenizer


def refused(checkpoint: Path, message: str) -> None:
    with pytest.raises(ExportError, match=message):
        open_tokenizer(checkpoint)


def test_converted_tokenizer_agrees_with_sentencepiece(checkpoints: dict[str, Path]) -> None:
    folder = checkpoints["tiny-epsilon"]
    assert not (folder / "tokenizer/tokenizer.json").exists()
    part = open_tokenizer(folder)
    original = sentencepiece.SentencePieceProcessor(str(folder / "tokenizer/spiece.model"))
    special = ("</s>", "\u0085")  # sentencepiece has no special tokens, and does not count U+0085 as white space
    for text in TOKENIZER_TEXTS:
        if any(piece in text for piece in special):
            continue
        assert part.tokenizer.encode(text).ids == [*original.encode(text), part.eos_id]
    assert part.eos_id == 1


def test_refuses_a_tokenizer_that_does_not_end_texts(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(checkpoints["tiny-compressed"] / "tokenizer", tmp_path / "tokenizer")
    change_json(tmp_path / "tokenizer" / FAST, post_processor=None)
    refused(tmp_path, "end token that ends every text")


def test_refuses_a_folder_without_a_vocabulary(copied: Path) -> None:
    (copied / "tokenizer" / PIECES).unlink()
    refused(copied, r"tokenizer: expected tokenizer\.json or spiece\.model, found neither\. Download")


def test_refuses_an_empty_folder(copied: Path) -> None:
    shutil.rmtree(copied / "tokenizer")
    (copied / "tokenizer").mkdir()
    refused(copied, r"tokenizer: expected tokenizer\.json or spiece\.model, found neither\. Download")


def test_refuses_a_vocabulary_without_its_configuration(copied: Path) -> None:
    (copied / "tokenizer/tokenizer_config.json").unlink()
    refused(copied, "tokenizer: it does not describe a tokenizer")


@pytest.mark.parametrize("name", ["tokenizer_config.json", PIECES])
def test_refuses_a_truncated_file(copied: Path, name: str) -> None:
    file = copied / "tokenizer" / name
    file.write_bytes(file.read_bytes()[:100])
    refused(copied, "tokenizer")


def write_fast(checkpoint: Path) -> dict:
    """Writes the fast tokenizer beside its vocabulary; returns its model."""
    file = checkpoint / "tokenizer" / FAST
    open_tokenizer(checkpoint).tokenizer.save(str(file))
    return json.loads(file.read_text(encoding="utf-8"))["model"]


def test_refuses_two_tokenizers_that_differ(copied: Path) -> None:
    model = write_fast(copied)
    open_tokenizer(copied)
    model["vocab"][50], model["vocab"][51] = model["vocab"][51], model["vocab"][50]
    change_json(copied / "tokenizer" / FAST, model=model)
    refused(copied, r"spiece\.model: its token 50 is '.*', but '.*' in the folder's tokenizer")


def test_refuses_byte_fallback_which_readers_do_not_support(copied: Path) -> None:
    change_json(copied / "tokenizer" / FAST, model=write_fast(copied) | {"byte_fallback": True})
    (copied / "tokenizer" / PIECES).unlink()
    change_json(copied / "tokenizer/tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    refused(copied, "model Unigram with byte_fallback")


def test_refuses_a_vocabulary_without_an_unknown_token(copied: Path) -> None:
    change_json(copied / "tokenizer" / FAST, model=write_fast(copied) | {"unk_id": None})
    (copied / "tokenizer" / PIECES).unlink()
    change_json(copied / "tokenizer/tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    refused(copied, "model Unigram without unk_id")


def test_refuses_a_type_of_tokenizer_that_bundles_cannot_contain(copied: Path) -> None:
    words = {"type": "WordLevel", "vocab": {"<pad>": 0, "</s>": 1, "<unk>": 2}, "unk_token": "<unk>"}
    write_fast(copied)
    change_json(copied / "tokenizer" / FAST, model=words)
    (copied / "tokenizer" / PIECES).unlink()
    change_json(copied / "tokenizer/tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    refused(copied, "a tokenizer of type WordLevel; a bundle can contain Unigram or BPE")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}}, "normalizer Lowercase"),
        ({"pre_tokenizer": {"type": "Digits", "individual_digits": True}}, "pre_tokenizer Digits"),
        ({"normalizer": {"type": "Replace", "pattern": {"Regex": "a+"}, "content": "a"}}, "normalizer Replace of"),
        ({"normalizer": {"type": "Replace", "pattern": {"String": "a"}, "content": "$&"}}, "normalizer Replace of"),
    ],
)
def test_refuses_parts_for_which_readers_would_compute_other_ids(
    copied: Path, changes: dict[str, object], message: str
) -> None:
    write_fast(copied)
    change_json(copied / "tokenizer" / FAST, **changes)
    (copied / "tokenizer" / PIECES).unlink()
    change_json(copied / "tokenizer/tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    refused(copied, f"other token ids, because of {message}")


@pytest.mark.parametrize("rows", [10, 699, 957])
def test_refuses_a_tokenizer_of_another_text_encoder(copied: Path, rows: int) -> None:
    with pytest.raises(
        ExportError, match=f"tokenizer: it has 700 tokens, but the text encoder {rows}; .*different models"
    ):
        open_tokenizer(copied).check_table(rows)


@pytest.mark.parametrize("rows", [700, 768, 956])
def test_a_table_may_have_rows_that_no_token_uses(copied: Path, rows: int) -> None:
    open_tokenizer(copied).check_table(rows)
