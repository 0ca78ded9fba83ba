"""pass@k and pass^k."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.pass_k import pass_all_of, pass_any_of


def test_published_values() -> None:
    assert pass_any_of(5, 2, 2) == pytest.approx(0.7)
    assert pass_all_of(5, 2, 2) == pytest.approx(0.1)
    assert pass_all_of(8, 6, 4) == pytest.approx(0.2143, abs=5e-5)


@given(st.integers(1, 8), st.data())
def test_by_all_choices(tries: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, tries))
    k = data.draw(st.integers(1, tries))
    chosen = list(combinations([True] * passed + [False] * (tries - passed), k))
    assert pass_any_of(tries, passed, k) == pytest.approx(sum(map(any, chosen)) / len(chosen))
    assert pass_all_of(tries, passed, k) == pytest.approx(sum(map(all, chosen)) / len(chosen))


@pytest.mark.parametrize("numbers", [(5, 6, 1), (5, -1, 1), (5, 2, 0), (5, 2, 6)])
def test_impossible_numbers(numbers: tuple[int, int, int]) -> None:
    for estimate in (pass_any_of, pass_all_of):
        with pytest.raises(ValueError, match="must be"):
            estimate(*numbers)
