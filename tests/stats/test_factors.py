"""Ratios as products and differences as sums: exact, whatever the steps are."""

from fractions import Fraction
from math import log, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.factors import Factor, Step, chain_factors, share_difference, share_out

AMOUNTS = st.fractions(min_value=Fraction(1, 1_000), max_value=10**12, max_denominator=10**6)
BILLS = st.lists(st.none() | st.just(Fraction(0)) | AMOUNTS, max_size=9)


@given(planned=AMOUNTS, bills=BILLS, last=AMOUNTS)
def test_factors_multiply_to_the_ratio_exactly(
    planned: Fraction, bills: list[Fraction | None], last: Fraction
) -> None:
    steps = [Step(str(at), bill) for at, bill in enumerate([*bills, last])]
    factors = chain_factors(planned, steps)
    assert [factor.name for factor in factors] == [step.name for step in steps]
    assert prod((factor.factor for factor in factors), start=Fraction(1)) == last / planned
    for factor, step in zip(factors, steps, strict=True):
        assert (factor.part_of == "") == bool(step.bill)
        assert factor.factor == 1 or not factor.part_of


def test_a_step_that_is_not_known_is_told_with_the_next() -> None:
    steps = [
        Step("users", None),
        Step("sessions", Fraction(0)),
        Step("turns", Fraction(6)),
        Step("all", Fraction(3)),
    ]
    assert chain_factors(Fraction(2), steps) == [
        Factor("users", Fraction(1), "turns"),
        Factor("sessions", Fraction(1), "turns"),
        Factor("turns", Fraction(3)),
        Factor("all", Fraction(1, 2)),
    ]


@given(planned=st.integers(1, 10**15), factors=st.lists(AMOUNTS, min_size=1, max_size=12))
def test_amounts_add_up_to_the_difference(planned: int, factors: list[Fraction]) -> None:
    actual = max(round(planned * prod(factors, start=Fraction(1))), 1)
    assert sum(share_difference(planned, actual, factors)) == actual - planned


def test_amounts_follow_the_logarithms_and_not_the_order() -> None:
    factors = [Fraction(3, 2), Fraction(4, 5), Fraction(1), Fraction(2)]
    amounts = share_difference(10**12, 24 * 10**11, factors)
    whole = log(2.4)
    for factor, amount in zip(factors, amounts, strict=True):
        assert amount == pytest.approx(14 * 10**11 * log(factor) / whole, abs=2)
    turned = share_difference(10**12, 24 * 10**11, factors[::-1])
    assert [abs(one - two) <= 1 for one, two in zip(amounts, turned[::-1], strict=True)] == [
        True
    ] * 4
    # A factor of 1 adds nothing, but for the last nano-dollar of a rounding.
    assert abs(amounts[2]) <= 1


def test_causes_that_cancel_out_are_shown_all_the_same() -> None:
    up, down = share_difference(1_000_000, 1_000_000, [Fraction(2), Fraction(1, 2)])
    assert up == -down == round(1_000_000 * log(2))


@given(total=st.integers(-(10**15), 10**15), weights=st.lists(AMOUNTS, min_size=1, max_size=9))
def test_shares_add_up_and_are_next_to_what_is_wanted(total: int, weights: list[Fraction]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    rest = (total - sum(weights)) / len(weights)
    assert all(
        abs(share - weight - rest) < 1 for share, weight in zip(shares, weights, strict=True)
    )


def test_nothing_is_shared_out_among_none() -> None:
    assert share_out(0, []) == []
