"""Two sets of texts: the published example, and that its p-value is one."""

from random import Random

import pytest

from trimtab.stats.mmd import Answer, hamming_mmd

FIRST = [
    Answer("0", "...a time to be born and a time to die"),
    Answer("1", "'Laughter,' I said, 'is madness.'"),
    Answer("0", "...a time to weep and a time to laugh"),
]
SECOND = [
    Answer("0", "...a time to mourn and a time to dance"),
    Answer("0", "...a time to embrace and a time to refrain from embracing"),
    Answer("1", "I said to myself, 'Come now, I will test you'"),
]


def test_the_published_example():
    """V17: the README of model-equality-testing, by the statistic that its code has."""
    assert hamming_mmd(FIRST, SECOND, length=200).value == pytest.approx(0.0080, abs=1e-6)


def test_it_is_the_same_in_any_order_and_with_the_sets_swapped():
    found = hamming_mmd(FIRST, SECOND, length=200, permutations=0)
    assert hamming_mmd(FIRST[::-1], SECOND, length=200, permutations=0).value == pytest.approx(
        found.value
    )
    assert hamming_mmd(SECOND, FIRST, length=200, permutations=0).value == pytest.approx(
        found.value
    )
    assert found.p == 1


def texts(rng: Random, words: list[str]) -> list[Answer]:
    return [
        Answer(str(prompt), " ".join(rng.choice(words) for _ in range(8)))
        for prompt in range(3)
        for _ in range(8)
    ]


WORDS = ["yes", "no", "it", "may", "be", "so", "as", "said"]


def test_another_way_of_writing_is_found():
    rng = Random(4)
    found = hamming_mmd(texts(rng, WORDS), texts(rng, ["certainly", "indeed", "moreover"]))
    assert found.value > 0
    assert found.p == pytest.approx(0.001)


def test_p_values_of_sets_that_are_alike_are_spread_evenly():
    rng = Random(8)
    found = [
        hamming_mmd(texts(rng, WORDS), texts(rng, WORDS), length=60, permutations=99, seed=run).p
        for run in range(120)
    ]
    assert sum(p <= 0.1 for p in found) <= 22
    assert 0.4 < sum(found) / len(found) < 0.6


def test_answers_to_different_prompts_are_not_compared():
    one = [Answer("a", "x"), Answer("a", "x"), Answer("b", "y"), Answer("b", "y")]
    found = hamming_mmd(one, one, length=10, permutations=0)
    assert found.value == pytest.approx(0)


def test_there_must_be_something_to_compare():
    with pytest.raises(ValueError, match="two answers to one prompt"):
        hamming_mmd([Answer("a", "x")], SECOND)
    with pytest.raises(ValueError, match="both an answer to the same one"):
        hamming_mmd([Answer("a", "x"), Answer("a", "y")], SECOND)
