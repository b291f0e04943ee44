"""The Rust tokenizer's ids with added tokens, with every flag that such a token can have."""

import json
from pathlib import Path

from tokenizers import AddedToken, Tokenizer

from .stages import write_json

CONTENTS = ("cat", "red car", "ab", "abc", "Fox", "<x>", "狐", "½", "é", " y")

FLAGS = (
    {},
    {"single_word": True},
    {"lstrip": True},
    {"rstrip": True},
    {"lstrip": True, "rstrip": True, "single_word": True},
    {"normalized": True},
    {"normalized": True, "single_word": True},
    {"normalized": True, "lstrip": True, "rstrip": True},
)

MIXED = (
    AddedToken("cat", single_word=True, normalized=False),
    AddedToken("red", normalized=True),
    AddedToken("abc", single_word=True, normalized=False),
    AddedToken("ab", normalized=False),
    AddedToken("Fox", normalized=True, lstrip=True),
    AddedToken("<x>", rstrip=True, normalized=False),
    AddedToken(" x", normalized=False),
    AddedToken("a", normalized=True, single_word=True),
    AddedToken("constructor", normalized=False),
    AddedToken("__proto__", normalized=True, single_word=True),
)

SPACES = (
    AddedToken("▁", normalized=True, lstrip=True, rstrip=True),
    AddedToken("cat", normalized=False, lstrip=True, rstrip=True),
)
"""The first becomes a space and absorbs the spaces beside it, which would be tokens too."""

TEXTS = (
    "cat",
    "a cat, concatenate and category",
    "cat_ cat9 cat-cat cat\u0301 \u0301cat cat\u200d cat'cat 狐cat cat½",
    "red car, red cars and a tired car",
    "abcd abc xabc ab aba",
    "Fox fox FOX foxes Foxes the Fox.",
    "one <x> two<x>three  <x>  four <x><x>",
    "spaces \u00a0cat\u3000\u2003cat\u0085cat\ufeff cat\u200b cat\t\ncat",
    "½ 1½ é e\u0301 caf\u00e9 cafe\u0301 狐狸",
    "x y z yy  y",
    "the constructor and __proto__ of a__proto__",
    "special </s> cat<pad>cat <unk>",
    "   cat   ",
    "",
)


def write_added_tokens(bundles: dict[str, Path], target: Path) -> None:
    """For each tokenizer and set of tokens: `added`, for its `added_tokens`, and the ids of each text."""
    sets = [tuple(AddedToken(text, **{"normalized": False, **flags}) for text in CONTENTS) for flags in FLAGS]
    cases = []
    for name, file in bundles.items():
        for tokens in (*sets, MIXED, SPACES):
            tokenizer = Tokenizer.from_file(str(file))
            tokenizer.add_tokens(list(tokens))
            written = tokenizer.to_str()
            contents = {token.content for token in tokens}
            added = [token for token in json.loads(written)["added_tokens"] if token["content"] in contents]
            read = Tokenizer.from_str(written)
            texts = [{"text": text, "ids": read.encode(text).ids} for text in TEXTS]
            cases.append({"bundle": name, "added": added, "texts": texts})
    write_json(cases, target)
