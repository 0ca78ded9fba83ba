"""Rates that are not paired, and critical cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from scipy.stats import fisher_exact as scipy_fisher

from trimtab.stats.two_rates import (
    Hits,
    check_critical,
    fisher_exact,
    fisher_less,
    g_test,
    repeats_to_break,
)

counts = st.integers(0, 60)


def test_published_values() -> None:
    found = g_test(Hits(21, 100), Hits(5, 100))
    assert found == (pytest.approx(12.0603, abs=5e-5), pytest.approx(0.000515, abs=5e-7))
    assert fisher_exact(Hits(21, 100), Hits(5, 100)) == pytest.approx(0.001228, abs=5e-7)


@given(counts, counts, counts, counts)
def test_scipy_agrees(a: int, b: int, c: int, d: int) -> None:
    one, two, table = Hits(a, a + b), Hits(c, c + d), np.array([[a, b], [c, d]])
    assert fisher_exact(one, two) == pytest.approx(scipy_fisher(table).pvalue, abs=1e-9)
    less = scipy_fisher(table, alternative="less").pvalue
    assert fisher_less(one, two) == pytest.approx(less, abs=1e-9)
    if min(a + b, c + d, a + c, b + d):
        theirs = chi2_contingency(table, correction=False, lambda_="log-likelihood")
        assert g_test(one, two).statistic == pytest.approx(theirs.statistic, abs=1e-8)
        assert g_test(one, two).p == pytest.approx(theirs.pvalue, abs=1e-8)


def test_of_nothing() -> None:
    assert g_test(Hits(0, 0), Hits(0, 0)) == (0, 1)
    assert g_test(Hits(0, 5), Hits(0, 9)) == (0, 1)
    assert fisher_exact(Hits(0, 0), Hits(0, 0)) == fisher_less(Hits(0, 0), Hits(3, 3)) == 1


def test_a_broken_case_needs_both_guards() -> None:
    broken = check_critical(Hits(0, 5), Hits(5, 5), cases=10)
    assert (broken.broken, broken.effect, broken.alpha) == (True, True, 0.005)
    assert broken.p == pytest.approx(1 / 252)
    # Clear, but 3 repeats cannot show it: 1/20 is not below 0.05.
    few = check_critical(Hits(0, 3), Hits(3, 3), cases=1)
    assert (few.broken, few.effect, few.p) == (False, True, 0.05)
    # Shown, but it still passes more often than not.
    many = check_critical(Hits(60, 100), Hits(90, 100), cases=1)
    assert (many.broken, many.effect) == (False, False)
    assert many.p < 1e-5
    # Never passed reliably.
    assert not check_critical(Hits(0, 20), Hits(14, 20), cases=1).broken
    assert check_critical(Hits(0, 20), Hits(16, 20), cases=1).broken


def test_a_critical_case_that_was_not_measured_is_not_broken() -> None:
    for sides in ((Hits(0, 0), Hits(5, 5)), (Hits(0, 5), Hits(0, 0)), (Hits(0, 0), Hits(0, 0))):
        found = check_critical(*sides, cases=1)
        assert (found.broken, found.effect, found.p) == (False, False, 1)


def test_how_many_repeats_can_show_a_break() -> None:
    cases_and_repeats = {1: 4, 3: 4, 4: 5, 12: 5, 13: 6, 46: 6, 47: 7}
    assert {cases: repeats_to_break(cases) for cases in cases_and_repeats} == cases_and_repeats
    for cases in (1, 7, 30):
        repeats = repeats_to_break(cases)
        never, always = Hits(0, repeats), Hits(repeats, repeats)
        assert check_critical(never, always, cases=cases).broken
        fewer = Hits(0, repeats - 1), Hits(repeats - 1, repeats - 1)
        assert not check_critical(*fewer, cases=cases).broken
