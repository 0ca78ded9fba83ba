from random import Random

import pytest

from trimtab.stats.outliers import find_outliers


def test_one_user_who_spends_a_hundred_times_the_median() -> None:
    rng = Random(3)
    amounts = {f"user{i}": rng.lognormvariate(10, 0.5) for i in range(50)}
    amounts["whale"] = 100 * sorted(amounts.values())[25]
    [found] = find_outliers(amounts)
    assert found.name == "whale"
    assert found.value == amounts["whale"]
    assert found.times_median == pytest.approx(100, rel=0.1)
    assert found.score > 3.5


def test_two_whales_do_not_hide_each_other() -> None:
    amounts = {f"user{i}": 100.0 + i for i in range(10)} | {"a": 50_000.0, "b": 90_000.0}
    assert [outlier.name for outlier in find_outliers(amounts)] == ["b", "a"]


def test_equal_amounts_and_one_far_away() -> None:
    amounts = dict.fromkeys("abcdefgh", 10.0) | {"far": 1_000.0}
    [found] = find_outliers(amounts)
    assert (found.name, found.times_median) == ("far", 100)


@pytest.mark.parametrize(
    "amounts",
    [
        {},
        {"a": 1.0, "b": 1.0, "c": 1e9},  # fewer than four say nothing about the rest
        dict.fromkeys("abcdef", 7.0),  # all equal
        dict.fromkeys("abcdefgh", 10.0) | {"near": 10.1},  # far in score, near in money
        {"a": 0.0, "b": -1.0, "c": 1.0, "d": 1.0, "e": 900.0},  # zeros take no part
        {"a": 100.0, "b": 110.0, "c": 90.0, "d": 105.0, "low": 0.001},  # low is no concern
        {str(i): 2.0**i for i in range(12)},  # evenly spread on the log scale
    ],
)
def test_nobody_is_flagged(amounts: dict[str, float]) -> None:
    assert find_outliers(amounts) == []
