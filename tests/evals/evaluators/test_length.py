"""length: characters, words and tokens."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.length import EVALUATOR
from trimtab.evals.word_count import count_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("It's well-known: 3.5 percent", 4),
        ("- a list\n- of two", 4),
        ("a,b", 1),
        ("a, b", 2),
        ("don\N{RIGHT SINGLE QUOTATION MARK}t", 1),
        ("हिन्दी में लिखा", 3),
        ("e\N{COMBINING ACUTE ACCENT}te\N{COMBINING ACUTE ACCENT}", 1),
        ("今天天气很好", 6),
        ("東京タワー3階", 7),
        ("iPhone很好", 3),
        ("สวัสดี", 4),  # four letters; the vowel signs stand on them
        ("한국어를 배웁니다", 2),
        ("...!?", 0),
    ],
)
def test_words(text: str, words: int) -> None:
    assert count_words(text) == words


@given(st.lists(st.text("abcXYZäöüß", min_size=1, max_size=8), max_size=20))
def test_words_between_spaces_are_counted(words: list[str]) -> None:
    assert count_words(" ".join(words)) == len(words)


@pytest.mark.parametrize(
    ("options", "value", "label"),
    [
        ({"max_words": 4}, 1, ""),
        ({"max_words": 3}, 0, "too_long"),
        ({"min_words": 5}, 0, "too_short"),
        ({"min_characters": 15, "max_characters": 15}, 1, ""),
        ({"max_characters": 14}, 0, "too_long"),
        ({"max_tokens": 6}, 1, ""),
        ({"min_tokens": 7}, 0, "too_short"),
        ({"max_words": 4, "max_tokens": 5}, 0, "too_long"),
    ],
)
def test_bounds(options: dict[str, int], value: float, label: str) -> None:
    said = score(EVALUATOR, sample("This is a test.", output_tokens=6), options)
    assert (said.value, said.label) == (value, label)


def test_the_bounds_of_a_case_take_the_place_of_the_options() -> None:
    answer = sample("This is a test.", expected={"length": {"max_words": 2}})
    said = score(EVALUATOR, answer, {"max_words": 100})
    assert (said.value, said.reason) == (0, "4 words, and at most 2 are wanted")


def test_tokens_that_nobody_counted_are_unmeasured() -> None:
    assert score(EVALUATOR, "text", {"max_tokens": 5}).status == "unmeasured"
    assert score(EVALUATOR, "", {"max_tokens": 5}).value == 1


def test_without_bounds_it_does_not_apply() -> None:
    assert score(EVALUATOR, "text").status == "not_applicable"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"max_word": 3}, r"length has no option `max_word`\. Did you mean `max_words`\?"),
        ({"max_words": -1}, r"option `max_words` of length: expected `int` >= 0"),
        ({"max_words": "3"}, r"option `max_words` of length: expected"),
        ({"min_words": 3, "max_words": 2}, r"`min_words` is above `max_words`"),
    ],
)
def test_wrong_bounds_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        score(EVALUATOR, "text", options)
