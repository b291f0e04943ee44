from tokenizers import AddedToken, Tokenizer, models

from export.bundle import single_word


def test_a_bundle_says_that_an_added_token_is_a_word_of_its_own_and_else_stays_as_it_was() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.add_tokens([AddedToken("owl", lstrip=True)])
    assert single_word(tokenizer) == {}
    tokenizer.add_tokens([AddedToken("cat", single_word=True)])
    assert single_word(tokenizer) == {"singleWord": True}
