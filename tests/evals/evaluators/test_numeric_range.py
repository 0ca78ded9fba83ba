"""numeric_range: numbers in texts and in JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.numeric_range import EVALUATOR
from trimtab.evals.number_text import numbers_in


@pytest.mark.parametrize(
    ("text", "numbers", "unreadable"),
    [
        ("The total is $1,234.56.", [1234.56], []),
        ("-5 and +5, \N{MINUS SIGN}7", [-5, 5, -7], []),
        ("5-3", [5, 3], []),
        ("1e3 2.5E-2", [1000, 0.025], []),
        ("10% of 3km", [10, 3], []),
        ("GPT-4 v2 x3", [], []),
        ("1,5", [], ["1,5"]),
        ("1.2.3 on 01.02.2024", [], ["1.2.3", "01.02.2024"]),
        ("12345,678", [], ["12345,678"]),
        ("(7) [8] 9, 10.", [7, 8, 9, 10], []),
        ("\N{ARABIC-INDIC DIGIT THREE}\N{ARABIC-INDIC DIGIT FOUR}", [34], []),
        ("", [], []),
    ],
)
def test_numbers_with_a_decimal_point(
    text: str, numbers: list[float], unreadable: list[str]
) -> None:
    assert numbers_in(text) == (numbers, unreadable)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.234,5 und 3,5", [1234.5, 3.5]),
        ("1\N{NO-BREAK SPACE}234 Euro, 5,", [1234, 5]),
        ("1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567,8", [1234567.8]),
        ("1,234.5", []),
    ],
)
def test_numbers_with_a_decimal_comma(text: str, numbers: list[float]) -> None:
    assert numbers_in(text, decimal_comma=True).numbers == numbers


@given(st.integers(-(10**9), 10**9), st.integers(0, 99))
def test_what_is_written_is_read(whole: int, hundredths: int) -> None:
    number = whole + (hundredths / 100 if whole >= 0 else -hundredths / 100)
    assert numbers_in(f"It is {number:,.2f} EUR.").numbers == [pytest.approx(number)]
    german = f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    assert numbers_in(german, decimal_comma=True).numbers == [pytest.approx(number)]


def test_a_long_text_takes_time_in_proportion() -> None:
    for text in ("1" * 200_000, "1," * 100_000, "1,111" * 40_000, "-" * 200_000):
        assert numbers_in(text).numbers == []


@pytest.mark.parametrize(
    ("expected", "options", "text", "value", "label"),
    [
        ({"number": 42}, {}, "It is 42.", 1, ""),
        ({"number": 42}, {}, "It is 43.", 0, "outside"),
        ({"number": 42}, {"tolerance": 1}, "It is 43.", 1, ""),
        ({"number": 0.8}, {"tolerance": 0.1}, "0.7", 1, ""),  # 0.8 - 0.1 > 0.7 in floats
        ({"number": -200}, {"relative_tolerance": 0.1}, "-220", 1, ""),
        ({"number": -200}, {"relative_tolerance": 0.1}, "-221", 0, "outside"),
        ({"range": [1, 5]}, {}, "5", 1, ""),
        ({"range": [1, 5]}, {"minimum": 10}, "5", 1, ""),
        ({}, {"minimum": 10}, "5", 0, "outside"),
        ({}, {"maximum": 10}, "5", 1, ""),
        ({"number": 42}, {}, "It is 42, not 43.", 0, "several_numbers"),
        ({"number": 42}, {"pick": "first"}, "It is 42, not 43.", 1, ""),
        ({"number": 42}, {"pick": "last"}, "It is 42, not 43.", 0, "outside"),
        ({"number": 42}, {}, "Forty-two.", 0, "no_number"),
        ({"number": 1.5}, {}, "1,5", 0, "no_number"),
        ({"number": 1.5}, {"decimal_comma": True}, "1,5", 1, ""),
        ({"number": 42}, {"path": "a[0].n"}, '{"a": [{"n": 42}]}', 1, ""),
        ({"number": 42}, {"path": "a[0].n"}, '```json\n{"a": [{"n": 42}]}\n```', 1, ""),
        ({"number": 42}, {"path": "a[0].n"}, '{"a": [{"n": "42"}]}', 0, "no_number"),
        ({"number": 42}, {"path": "a[0].n"}, '{"a": []}', 0, "no_number"),
        ({"number": 42}, {"path": "a[*]"}, "[42]", 0, "no_number"),
        ({"number": 42}, {"path": "a"}, "42", 0, "no_number"),
        ({"number": 42}, {"path": "a"}, "{", 0, "not_json"),
        ({"number": 42}, {"path": "a"}, '{"a": true}', 0, "no_number"),
        ({}, {"maximum": 5, "path": "a"}, f'{{"a": {10**400}}}', 0, "outside"),
        ({"number": 5}, {}, "1e999", 0, "outside"),
    ],
)
def test_where_the_number_lies(
    expected: dict[str, Any], options: dict[str, Any], text: str, value: float, label: str
) -> None:
    said = score(EVALUATOR, sample(text, expected=expected), options)
    assert (said.value, said.label) == (value, label)


def test_the_reason_says_what_was_wanted() -> None:
    said = score(EVALUATOR, sample("7", expected={"range": [1, 5]}))
    assert said.reason == "7 is not from 1 to 5"
    assert score(EVALUATOR, "7", {"minimum": 8}).reason == "7 is not at least 8"
    unread = score(EVALUATOR, sample("1,5", expected={"number": 1.5}))
    assert unread.reason == "'1,5' is not a number with a decimal point"


def test_without_bounds_it_does_not_apply() -> None:
    assert score(EVALUATOR, "7").status == "not_applicable"


def test_bounds_between_which_nothing_lies_are_refused() -> None:
    with pytest.raises(UsageError, match="`minimum` is above `maximum`"):
        score(EVALUATOR, "7", {"minimum": 2, "maximum": 1})
    with pytest.raises(UsageError, match=r"option `tolerance` of numeric_range: expected `float`"):
        score(EVALUATOR, "7", {"tolerance": -1})
