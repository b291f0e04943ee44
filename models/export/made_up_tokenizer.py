"""A tokenizer of T5's type and size for checkpoints with random weights; its words come from `training`."""

import re
from collections import Counter
from itertools import product
from math import log
from pathlib import Path
from string import ascii_lowercase, printable

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from training.tokenizer import GENERAL_TEXT

PAD, END, UNKNOWN, SPACE = "<pad>", "</s>", "<unk>", "▁"


def write_tokenizer(folder: Path, vocabulary: int) -> None:
    """Writes `tokenizer.json`, a Unigram model of that many pieces, and its companion files."""
    tokenizer = Tokenizer(models.Unigram(_pieces(vocabulary), unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, 1)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=END, unk_token=UNKNOWN
    ).save_pretrained(folder)


def _pieces(count: int) -> list[tuple[str, float]]:
    """Words by frequency in the text, then characters, then made-up syllables."""
    words = Counter(re.findall(r"[a-z]+", GENERAL_TEXT.read_text(encoding="utf-8").lower()))
    total = words.total()
    pieces = {PAD: 0.0, END: 0.0, UNKNOWN: 0.0}
    pieces |= {f"{SPACE}{word}": log(times / total) for word, times in words.most_common()}
    pieces |= dict.fromkeys([SPACE, *(letter for letter in printable if not letter.isspace())], -10.0)
    for length in (2, 3):
        for letters in product(ascii_lowercase, repeat=length):
            for start in (SPACE, ""):
                pieces.setdefault(start + "".join(letters), -12.0 - 0.0001 * len(pieces))
    return list(pieces.items())[:count]
