"""What was not measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.missingness import check_missing


def measured(planned: int, missing: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    rows = np.ones(planned, dtype=np.bool_)
    rows[:missing] = False
    return rows


def test_all_there() -> None:
    assert check_missing(measured(300, 0), measured(300, 0)) == (0, 0, 0, 1, True)


def test_a_few_missing_on_both_sides_are_no_matter() -> None:
    found = check_missing(measured(300, 5), measured(300, 5)[::-1])
    assert found.dropped == pytest.approx(10 / 300)
    assert (found.candidate_only, found.baseline_only, found.p) == (5, 5, 1)
    assert found.conclusive


def test_more_than_one_in_twenty_missing() -> None:
    assert check_missing(measured(100, 5), measured(100, 5)).conclusive
    found = check_missing(measured(100, 6), measured(100, 6))
    assert (found.dropped, found.p, found.conclusive) == (pytest.approx(0.06), 1, False)
    assert check_missing(measured(100, 6), measured(100, 6), most_dropped=0.1).conclusive


def test_missing_on_one_side_only() -> None:
    # 5 against 0: p = 2/32; 6 against 0: p = 2/64.
    assert check_missing(measured(300, 5), measured(300, 0)).conclusive
    found = check_missing(measured(300, 6), measured(300, 0))
    assert found == (pytest.approx(0.02), 6, 0, 0.03125, False)


def test_nothing_planned_is_nothing_concluded() -> None:
    assert not check_missing(measured(0, 0), measured(0, 0)).conclusive
    with pytest.raises(ValueError, match="planned rows"):
        check_missing(measured(3, 0), measured(4, 0))


@given(st.integers(1, 200), st.integers(0, 200), st.integers(0, 200))
def test_sides_are_alike(planned: int, one: int, two: int) -> None:
    first = measured(planned, min(one, planned))
    second = measured(planned, min(two, planned))[::-1].copy()
    found, turned = check_missing(first, second), check_missing(second, first)
    assert found.conclusive == turned.conclusive
    assert (found.dropped, found.p) == pytest.approx((turned.dropped, turned.p))
    assert found.candidate_only == turned.baseline_only
