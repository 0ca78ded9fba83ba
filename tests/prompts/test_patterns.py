"""Patterns of schemas: what they match is what Python's engine matches, in time that is bounded."""

import re
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.prompts.patterns import Pattern, PatternProblem

letters = st.text("ab-_1 \n\té.", max_size=12)
atoms = st.sampled_from(
    [
        "a",
        "b",
        "-",
        "1",
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        "[ab]",
        "[^a]",
        "[a-b1]",
        r"[\d-]",
        r"\.",
        "é",
    ]
)
quantifiers = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?"])
simple = st.builds(str.__add__, atoms, quantifiers)


def either(one: str, two: str, quantifier: str) -> str:
    return f"({one}|{two}){quantifier}"


patterns = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(str.__add__, inner, inner),
        st.builds(either, inner, inner, quantifiers),
        inner.map("(?:{})".format),
        inner.map("^{}".format),
        inner.map("{}$".format),
    ),
    max_leaves=6,
)


@given(pattern=patterns, value=letters)
def test_it_matches_what_python_matches(pattern: str, value: str):
    # The end of the value, and not also the place before a last line end.
    oracle = re.compile(pattern.replace("$", r"\Z"))
    assert Pattern(pattern).search(value) is (oracle.search(value) is not None)


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        ("^[a-z]+(-[a-z]+)*$", "one-two-three", True),
        ("^[a-z]+(-[a-z]+)*$", "one--two", False),
        (r"^\d{4}-\d\d-\d\d$", "2026-11-30", True),
        (r"^[^\s@]+@[^\s@]+\.\w+$", "ada@example.org", True),
        ("^$", "", True),
        ("^$", "a", False),
        ("$^", "", True),
        ("", "anything", True),
        ("a{,3}", "a{,3}", True),
        (r"\x41\u00e9", "Aé", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
    ],
)
def test_patterns_that_people_write(pattern: str, value: str, matches: bool):
    assert Pattern(pattern).search(value) is matches


@pytest.mark.parametrize("pattern", ["(a+)+b$", "(a|a)*b$", "(a?){50}a{50}b$", "^(.*a){20}b$"])
def test_no_pattern_takes_for_ever(pattern: str):
    """Python's engine takes years over each. The bound is far above what it needs."""
    begun_s = perf_counter()
    assert not Pattern(pattern).search("a" * 20_000)
    assert perf_counter() - begun_s < 20


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(a", "not closed"),
        ("a)", "closes that nothing opened"),
        ("*a", "nothing to repeat"),
        ("(?=a)b", "not supported"),
        (r"(a)\1", "not supported"),
        ("a*+", "possessive"),
        ("[b-a]", "wrong way round"),
        ("[a", "too early"),
        (r"\xg1", "hexadecimal"),
        ("a{9}{9}{9}{9}{9}", "too long"),
        ("a{3,1}", "wrong way round"),
        ("(" * 60 + ")" * 60, "deep"),
        ("a" * 3_000, "longer than"),
        ("a\\", "too early"),
    ],
)
def test_what_is_not_in_the_language_is_refused(pattern: str, says: str):
    with pytest.raises(PatternProblem, match=says):
        Pattern(pattern)


@given(st.text("()[]{}|*+?^$\\.-a1,", max_size=20))
def test_any_text_is_a_pattern_or_a_problem(text: str):
    try:
        pattern = Pattern(text)
    except PatternProblem:
        return
    pattern.search("a1-a")
