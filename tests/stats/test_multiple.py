"""Adjusted p values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats import oracles
from trimtab.stats.multiple import benjamini_hochberg, bonferroni, holm

# Benjamini and Hochberg (1995), section 4.
BH_1995 = [
    *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
    *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
]


def calls(adjusted: list[float]) -> int:
    return sum(p <= 0.05 for p in adjusted)


def test_published_values() -> None:
    assert calls(bonferroni(BH_1995)) == 3
    assert calls(holm(BH_1995)) == 3
    assert calls(benjamini_hochberg(BH_1995)) == 4
    assert benjamini_hochberg(BH_1995)[3] == pytest.approx(0.035625)
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(max_examples=10)  # theirs collects garbage at each call
def test_statsmodels_agrees(p_values: list[float]) -> None:
    for ours, method in (
        (bonferroni, "bonferroni"),
        (holm, "holm"),
        (benjamini_hochberg, "fdr_bh"),
    ):
        assert ours(p_values) == pytest.approx(oracles.adjusted(p_values, method), abs=1e-12)


@given(st.lists(st.floats(0, 1), max_size=10))
def test_none_is_below_itself_and_order_makes_no_difference(p_values: list[float]) -> None:
    for adjust in (bonferroni, holm, benjamini_hochberg):
        found = adjust(p_values)
        assert all(p <= after <= 1 for p, after in zip(p_values, found, strict=True))
        assert adjust(p_values[::-1]) == found[::-1]


def test_of_none_and_of_one() -> None:
    for adjust in (bonferroni, holm, benjamini_hochberg):
        assert adjust([]) == []
        assert adjust([0.03]) == [0.03]
