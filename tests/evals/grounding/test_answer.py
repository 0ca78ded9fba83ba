"""Answers looked up in their sources; and how well that separates our examples."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.evals.grounding.accuracy import GROUNDED, load_rows, measure
from trimtab.evals.grounding.answer import (
    BIAS,
    THRESHOLD,
    WEIGHTS,
    Grounding,
    UnsupportedSpan,
    ground_answer,
    joined_signs,
)
from trimtab.evals.grounding.reasons import reason_of
from trimtab.evals.grounding.support import Signs

PAGE = Path(__file__).parents[3] / "docs" / "evaluators" / "groundedness.md"
EXAMPLES = Path(__file__).parent.parent / "grounding_examples.jsonl"
SOURCE = (
    "The Kestrel 40 pump moves 12 litres per minute. It weighs 4.2 kg and has a warranty of five "
    "years. The filter must be cleaned every 200 hours of use. Marta Oliveira designed it in 1998, "
    "and Tom Bright built the first one. Spare parts are not sold to private customers."
)


def ground(answer: str, question: str = "") -> Grounding:
    return ground_answer(answer, [SOURCE], question)


@pytest.mark.parametrize(
    "answer",
    [
        "It weighs 4.2 kilograms and has a five-year warranty.",
        "The pump moves twelve litres a minute.",
        "The filter must be cleaned after 200 hours of use.",
        "It was designed by Marta Oliveira in 1998.",
        "Private customers cannot buy spare parts: they are not sold to them.",
        "4.2 kg",
        "Marta Oliveira",
        "The document does not say where it is made.",
        "Here is what I found:\n1. It weighs 4.2 kg [1].\n2. Document 3 says it moves 12 litres.",
        "Great question! It weighs 4.2 kg. I hope this helps.",
        "",
    ],
)
def test_grounded(answer: str) -> None:
    assert ground(answer).support >= THRESHOLD


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("It weighs 2.4 kg and has a warranty of five years.", "'2.4 kg'"),
        ("The filter must be cleaned every 200 days.", "'200 days'"),
        ("It was designed by Helena Costa in 1998.", "'Costa'"),
        ("Spare parts are sold to private customers.", "opposite, or denies"),
        ("The pump was praised by engineers in Norway for its quiet bearings.", "'Norway'"),
        ("I have used this pump for ages and my family loves it!", "'ages'"),
    ],
)
def test_unsupported_and_why(answer: str, why: str) -> None:
    grounding = ground(answer)
    assert grounding.support < THRESHOLD
    claim = grounding.first_unsupported()
    assert claim is not None
    assert why in reason_of(claim)


def test_a_number_that_goes_with_something_else() -> None:
    source = ["The default timeout is now 30 seconds instead of 60."]
    assert ground_answer("The default timeout is 30 seconds.", source).support >= THRESHOLD
    wrong = ground_answer("The default timeout is 60 seconds.", source)
    assert wrong.support < THRESHOLD
    assert "with something else" in reason_of(wrong.claims[0])


def test_the_first_unsupported_claim_is_named_and_its_spans_stand_in_the_answer() -> None:
    answer = "It weighs 4.2 kg. It costs 300 euros in Vienna. Bears like it."
    grounding = ground(answer)
    claim = grounding.first_unsupported()
    assert claim is not None
    assert claim.claim.text == "It costs 300 euros in Vienna."
    assert UnsupportedSpan("300 euros", 27, 36, "number") in claim.spans
    assert UnsupportedSpan("Vienna", 40, 46, "name") in claim.spans
    for span in claim.spans:
        assert answer[span.start : span.end] == span.text


def test_one_wrong_claim_among_many_lowers_the_whole() -> None:
    right = "It weighs 4.2 kg. The pump moves 12 litres per minute. Marta Oliveira designed it."
    assert ground(right).support > ground(right + " It costs 300 euros.").support + 0.3


def test_what_the_question_says_is_held_against_an_answer_by_half() -> None:
    answer = "The Zephyr line weighs 4.2 kg."
    assert ground(answer, "How heavy is the Zephyr line?").support > ground(answer).support


def test_a_yes_affirms_the_question() -> None:
    known = ground("Yes. It weighs 4.2 kg.", "Does it have a warranty of five years?")
    unknown = ground("Yes. It weighs 4.2 kg.", "Was it sold in Portugal to hospitals?")
    assert known.support > unknown.support


def test_numbers_that_are_said_to_be_rounded() -> None:
    source = ["The stadium holds 294,000 people."]
    for answer in ("It holds about 300,000 people.", "It holds more than 280,000 people."):
        assert ground_answer(answer, source).support >= THRESHOLD, answer
    for answer in ("It holds 300,000 people.", "It holds more than 400,000 people."):
        assert ground_answer(answer, source).support < THRESHOLD, answer


def test_fields_of_json_are_read_as_words() -> None:
    source = ['{"name": "Blue Door", "OutdoorSeating": true, "hours": {"Monday": "8:00-22:00"}}']
    answer = "Blue Door has outdoor seating and is open until 10 pm on Monday."
    assert ground_answer(answer, source).support >= THRESHOLD


def test_sources_of_any_number_are_one() -> None:
    parts = SOURCE.split(". ")
    together = ground_answer("Marta Oliveira designed it. It weighs 4.2 kg.", parts)
    assert together.support >= THRESHOLD


def test_letters_that_are_composed_or_not_are_the_same() -> None:
    assert ground_answer("Le cafe\u0301 est ferme\u0301.", ["Le café est fermé."]).support > 0.8


def test_no_weight_is_below_zero_and_nothing_against_an_answer_is_clearly_grounded() -> None:
    assert all(weight >= 0 for weight in WEIGHTS)
    assert BIAS < -1.5


def test_signs_of_claims_are_joined() -> None:
    joined = joined_signs(
        [Signs(numbers=0.5, new=1.0, plain=1.0), Signs(numbers=0.5, plain=0.0)],
        [(1.0, 1), (3.0, 3)],
    )
    assert joined.numbers == 0.75  # as independent chances
    assert joined.new == 0.5 * 1.0 + 0.5 * 0.25
    assert joined.plain == 0.25


def test_the_example_of_the_page_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, PAGE.name, "exec"), {})


@settings(max_examples=50)
@given(answer=st.text(max_size=60), source=st.text(max_size=60), question=st.text(max_size=20))
def test_any_text_has_a_support(answer: str, source: str, question: str) -> None:
    assert 0 < ground_answer(answer, [source], question).support <= 1


@given(st.sampled_from(SOURCE.split(". ")))
def test_a_sentence_of_the_source_is_grounded(sentence: str) -> None:
    assert ground(sentence + ".").support > 0.8


AREAS = {"own_short": 0.85, "own_long": 0.88, "own_languages": 0.95}
"""Least area under the curve of each set of our examples: what it was, less a little."""


def test_our_examples_are_told_apart() -> None:
    rows = load_rows(EXAMPLES)
    assert len(rows) >= 120
    assert {row.label for row in rows} == {GROUNDED, "hallucinated"}
    found = {one.name: one.area.value for one in measure(rows) if one.area is not None}
    assert found.keys() == AREAS.keys()
    assert {name: value for name, value in found.items() if value < AREAS[name]} == {}


@pytest.mark.parametrize(
    "unit",
    [
        "The pump weighs 4.2 kg and Marta built it. ",
        "1 ",
        "a ",
        "refund 12 ",
        "document not ",
        ".'",
    ],
)
def test_time_grows_with_the_length_and_not_faster(unit: str) -> None:
    def took_s(characters: int) -> float:
        text = unit * (characters // len(unit))
        start = time.process_time()
        ground_answer(text, [text[:-1]])
        return time.process_time() - start

    took_s(1_000)
    assert took_s(40_000) < 16 * max(took_s(10_000), 0.02)
