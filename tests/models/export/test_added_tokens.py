from tokenizers import AddedToken, Tokenizer, models

from export.bundle import single_word


def test_a_bundle_marks_single_word_tokens_and_is_otherwise_unchanged() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([AddedToken("owl", lstrip=True)])
    assert single_word(tokenizer) == {}
    tokenizer.add_tokens([AddedToken("cat", single_word=True)])
    assert single_word(tokenizer) == {"singleWord": True}
