"""Figures in words, and where a difference lies on the scale of its margin."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.reports.results import gate
from trimtab.evals.reports.scale import REACH, clipped, place_of
from trimtab.evals.reports.wording import change, figure, interval, margin, probability, span
from trimtab.evals.result import Comparison

NONE = "\N{EN DASH}"
BY = "\N{MULTIPLICATION SIGN}"


def test_means_are_told_in_the_unit_of_their_metric():
    assert figure("accuracy", "rate", 0.9333) == "93.3%"
    assert figure("tone", "score", 0.8166) == "0.817"
    assert figure("preferred", "preference", -0.041) == "-4.1 pp"
    assert figure("latency", "amount", 1_234.0) == "1.23 s"
    assert figure("first_token_ms", "amount", 81.4) == "81 ms"
    assert figure("cost", "amount", 1_234_567.4) == "$0.001235"
    assert figure("judge_nanousd", "amount", 2_000_000_000.0) == "$2.00"
    assert figure("length", "amount", 81.44) == "81.4"
    assert figure("output_tokens", "amount", 12_345.6) == "12,346"


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_known_is_a_dash(value: float | None):
    assert figure("accuracy", "rate", value) == NONE
    assert change("rate", value) == NONE


def test_differences_have_a_sign_and_ratios_have_none():
    assert change("rate", -0.0222) == "-2.2 pp"
    assert change("rate", 0.05) == "+5.0 pp"
    assert change("preference", 0.12) == "+12.0 pp"
    assert change("score", -0.0104) == "-0.010"
    assert change("amount", 1.08) == f"{BY}1.080"
    for nothing in (0.0, -0.0, 0.0001, -0.0001):
        assert change("rate", nothing) == "0.0 pp"


def test_intervals_and_margins():
    assert interval("rate", (-0.061, 0.017)) == "-6.1 to +1.7 pp"
    assert interval("score", (-0.02, -0.0)) == "-0.020 to 0.000"
    assert interval("amount", (0.883, 0.931)) == f"{BY}0.883 to {BY}0.931"
    assert interval("rate", (None, 0.1)) == ""
    assert span("latency", "amount", (783.0, 12_000.0)) == "783 ms to 12.0 s"
    assert span("preferred", "preference", (-0.1, 0.2)) == "-10.0 to +20.0 pp"
    assert span("accuracy", "rate", (0.1, None)) == ""
    assert [margin("rate", 0.05), margin("score", 0.05), margin("amount", 1.1)] == [
        "5.0 pp", "0.050", f"{BY}1.10",
    ]  # fmt: skip
    assert [probability(None), probability(0.0129), probability(1e-9)] == [
        "", "p = 0.013", "p < 0.0001",
    ]  # fmt: skip


ACCURACY = gate().comparisons[0]


def compared(**changes: Any) -> Comparison:
    return msgspec.structs.replace(ACCURACY, **changes)


def test_the_margin_is_minus_one_whatever_counts():
    found = place_of(compared(difference=-0.05, low=-0.10, high=0.0, margin=0.05))
    assert found is not None
    assert found[:3] == pytest.approx((-2, -1, 0))
    worse = compared(difference=0.05, low=0.0, high=0.10, margin=0.05, higher_is_better=False)
    assert place_of(worse) == pytest.approx(found)
    ratio = compared(
        kind="amount", difference=1.1, low=1.0, high=1.21, margin=1.1, higher_is_better=False
    )
    assert place_of(ratio) == pytest.approx(found)


def test_a_margin_of_nothing_takes_the_scale_of_the_interval():
    found = place_of(compared(difference=-0.02, low=-0.04, high=0.01, margin=0.0))
    assert found is not None
    assert not found.has_margin
    assert found[:3] == pytest.approx((-1, -0.5, 0.25))
    found = place_of(compared(difference=0.0, low=0.0, high=0.0, margin=0.0))
    assert found is not None
    assert found[:3] == (0, 0, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"difference": None},
        {"low": None},
        {"high": math.nan},
        {"kind": "amount", "low": 0.0, "difference": 1.0, "high": 2.0, "margin": 1.1},
        {"kind": "amount", "low": 0.9, "difference": 1.0, "high": 2.0, "margin": 0.0},
    ],
)
def test_what_has_no_place_has_none(changes: dict[str, Any]):
    assert place_of(compared(**changes)) is None


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(1e-6, 1), st.booleans())
def test_the_worse_end_is_always_left(one: float, other: float, least: float, higher: bool):
    low, high = sorted((one, other))
    found = place_of(
        compared(
            difference=(low + high) / 2, low=low, high=high, margin=least, higher_is_better=higher
        )
    )
    assert found is not None
    assert found.low <= found.value <= found.high
    assert -REACH <= clipped(found.low) <= clipped(found.high) <= REACH
