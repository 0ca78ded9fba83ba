"""contains: any, all and none of some texts."""

import pytest

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluators.contains import EVALUATOR


@pytest.mark.parametrize(
    ("options", "value", "label"),
    [
        ({"all": ["refund", "14 days"]}, 1, ""),
        ({"all": ["refund", "30 days"]}, 0, "missing"),
        ({"any": ["voucher", "refund"]}, 1, ""),
        ({"any": ["voucher", "credit"]}, 0, "missing"),
        ({"none": ["sorry"]}, 1, ""),
        ({"none": ["refund", "sorry"]}, 0, "forbidden"),
        ({"all": ["refund"], "any": ["14", "30"], "none": ["voucher"]}, 1, ""),
    ],
)
def test_all_any_and_none(options: dict[str, list[str]], value: float, label: str) -> None:
    said = score(EVALUATOR, "You get a Refund within 14 days.", options)
    assert (said.status, said.value, said.label) == ("measured", value, label)


def test_what_a_case_expects_comes_on_top_of_the_options() -> None:
    answer = sample("a refund", expected={"contains": ["refund"], "contains_none": "voucher"})
    assert score(EVALUATOR, answer).value == 1
    assert score(EVALUATOR, answer, {"all": ["14 days"]}).value == 0
    missing = sample("a refund", expected={"contains_any": ["voucher", "credit"]})
    said = score(EVALUATOR, missing)
    assert (said.value, said.reason) == (0, "it has none of 'voucher', 'credit'")


def test_each_group_of_any_must_have_one() -> None:
    answer = sample("a refund", expected={"contains_any": ["voucher"]})
    assert score(EVALUATOR, answer, {"any": ["refund"]}).value == 0


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ("Die STRASSE ist frei", "straße"),
        ("It\N{RIGHT SINGLE QUOTATION MARK}s fine", "it's fine"),
        ("e\N{COMBINING ACUTE ACCENT}cole", "école"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER O}K", "ok"),
        ("two\N{NO-BREAK SPACE}\n  words", "two words"),
        ("so\N{SOFT HYPHEN}lu\N{ZERO WIDTH SPACE}tion", "solution"),
        ("5\N{EN DASH}7 days", "5-7 days"),
    ],
)
def test_what_nobody_sees_makes_no_difference(answer: str, wanted: str) -> None:
    assert score(EVALUATOR, answer, {"all": [wanted]}).value == 1


def test_without_normalization_signs_are_what_they_are() -> None:
    answer = "It\N{RIGHT SINGLE QUOTATION MARK}s fine"
    assert score(EVALUATOR, answer, {"all": ["it's fine"], "normalize": False}).value == 0


def test_case_counts_where_it_is_said_so() -> None:
    assert score(EVALUATOR, "REFUND", {"all": ["refund"], "case_sensitive": True}).value == 0
    plain = {"all": ["refund"], "normalize": False}
    assert score(EVALUATOR, "REFUND", plain).value == 1
    assert score(EVALUATOR, "REFUND", {**plain, "case_sensitive": True}).value == 0


@pytest.mark.parametrize(
    ("answer", "value"),
    [("art", 1), ("the art of", 1), ("a party", 0), ("party, art", 1), ("arts", 0), ("(art)", 1)],
)
def test_whole_words(answer: str, value: float) -> None:
    assert score(EVALUATOR, answer, {"all": ["art"], "whole_words": True}).value == value


def test_a_phrase_that_ends_in_a_sign_may_touch_letters() -> None:
    assert score(EVALUATOR, "in C#code", {"all": ["C#"], "whole_words": True}).value == 1


def test_without_any_text_it_does_not_apply() -> None:
    assert score(EVALUATOR, "x").status == "not_applicable"


def test_an_empty_text_is_no_option() -> None:
    with pytest.raises(UsageError, match=r"option `all\[0\]` of contains"):
        score(EVALUATOR, "x", {"all": [""]})
