"""The tokenizer: byte-level BPE over the captions, so that any text is accepted.  python -m training.tokenizer"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from training.captions import caption
from training.paths import CACHE
from training.scenes import sample_scene

PAD, EOS, UNKNOWN = "<pad>", "</s>", "<unk>"
VOCABULARY = 1792
MAX_TOKENS = 120
GENERAL_TEXT = Path(__file__).parent / "general-text.txt"


def corpus(count: int = 20_000) -> Iterator[str]:
    """Yield captions, then ordinary English, so that words outside the captions are not split into letters."""
    rng = np.random.default_rng(5)
    for _ in range(count):
        yield caption(sample_scene(rng, pair_share=0.3), rng)
    for _ in range(3):
        yield from GENERAL_TEXT.read_text().splitlines()


def train_tokenizer() -> PreTrainedTokenizerFast:
    """Train it; `<pad>` is 0, and `</s>` is 1 and appended to every text, as in T5."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, EOS, UNKNOWN],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", pair=f"$A {EOS} $B {EOS}", special_tokens=[(EOS, 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, eos_token=EOS, unk_token=UNKNOWN, model_max_length=MAX_TOKENS
    )


def load_tokenizer() -> PreTrainedTokenizerFast:
    """Return the trained tokenizer from the cache; train it the first time."""
    folder = CACHE / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        train_tokenizer().save_pretrained(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


if __name__ == "__main__":
    tokenizer = load_tokenizer()
    print(len(tokenizer), tokenizer.tokenize("A glossy cat on a teal background"))
