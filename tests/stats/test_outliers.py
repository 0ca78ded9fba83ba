"""Single cases of the rule; whole populations are in test_populations.py."""

from math import atan, cos, pi, sqrt, tan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.stats.outliers import Change, find_change, find_outliers, student_quantile

AMOUNTS = st.lists(
    st.one_of(
        st.integers(min_value=0, max_value=10**15),
        st.sampled_from((0, 1, 1_000, 10**9)),
    ),
    max_size=60,
)


def test_one_user_who_spends_a_hundred_times_the_median() -> None:
    rng = Random(3)
    amounts = {f"user{i}": rng.lognormvariate(10, 0.5) for i in range(50)}
    amounts["whale"] = 100 * sorted(amounts.values())[25]
    [found] = find_outliers(amounts)
    assert found.name == "whale"
    assert found.value == amounts["whale"]
    assert found.times_median == pytest.approx(100, rel=0.1)
    assert found.score > found.cutoff > 3


def test_two_whales_do_not_hide_each_other() -> None:
    amounts = {f"user{i}": 100.0 + i for i in range(10)} | {"a": 50_000.0, "b": 90_000.0}
    assert [outlier.name for outlier in find_outliers(amounts)] == ["b", "a"]


def test_equal_amounts_and_one_far_away() -> None:
    amounts = dict.fromkeys("abcdefgh", 10.0) | {"far": 1_000.0}
    [found] = find_outliers(amounts)
    assert (found.name, found.times_median) == ("far", 100)


def test_those_who_spend_next_to_nothing_hide_nobody() -> None:
    rng = Random(4)
    amounts = {f"user{i}": rng.lognormvariate(18, 0.7) for i in range(100)}
    amounts |= {f"tried{i}": float(i + 1) for i in range(8)}
    amounts["whale"] = 100 * sorted(amounts.values())[50]
    assert [found.name for found in find_outliers(amounts)] == ["whale"]


def test_a_tenth_of_all_is_a_population_of_its_own() -> None:
    rng = Random(5)
    amounts = {f"free{i}": rng.lognormvariate(16, 0.5) for i in range(900)}
    amounts |= {f"pro{i}": rng.lognormvariate(19, 0.5) for i in range(100)}
    assert find_outliers(amounts) == []


def test_a_smaller_allowance_flags_fewer() -> None:
    amounts = {f"user{i}": 100.0 * 2 ** (i % 5) for i in range(30)} | {"high": 25_000.0}
    assert [found.name for found in find_outliers(amounts, false_alarms=0.1)] == ["high"]
    assert find_outliers(amounts, false_alarms=1e-6) == []


@pytest.mark.parametrize(
    "amounts",
    [
        {},
        {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1e9},  # fewer than five say nothing about the rest
        dict.fromkeys("abcdef", 7.0),  # all equal
        dict.fromkeys("abcdefgh", 10.0) | {"near": 10.1},  # far in score, near in money
        dict.fromkeys("abcdefgh", 10.0) | {"near": 29.0},
        {"a": 0.0, "b": -1.0, "c": 1.0, "d": 1.0, "e": 900.0},  # zeros take no part
        {"a": 100.0, "b": 110.0, "c": 90.0, "d": 105.0, "low": 0.001},  # low is no concern
        {str(i): 2.0**i for i in range(12)},  # evenly spread on the log scale
    ],
)
def test_nobody_is_flagged(amounts: dict[str, float]) -> None:
    assert find_outliers(amounts) == []


@given(AMOUNTS)
def test_what_always_holds(amounts: list[int]) -> None:
    named = {str(number): amount for number, amount in enumerate(amounts)}
    found = find_outliers(named)
    positive = sorted(amount for amount in amounts if amount > 0)
    assert len(found) <= len(positive) // 4
    assert sorted(outlier.value for outlier in found) == positive[len(positive) - len(found) :]
    for outlier in found:
        assert outlier.times_median >= 3
        assert outlier.score > outlier.cutoff * (1 - 1e-9)
    # A unit of money changes nothing.
    cents = find_outliers({name: 100 * amount for name, amount in named.items()})
    assert [outlier.name for outlier in cents] == [outlier.name for outlier in found]


def exact_quantile(upper: float, degrees: int) -> float:
    """By integrating the density of Student's t, with t = sqrt(degrees) * tan(angle)."""

    def area(begin: float) -> float:
        steps = 2_000
        width = (pi / 2 - begin) / steps
        points = (begin + width * (step + 0.5) for step in range(steps))
        return width * sum(cos(angle) ** (degrees - 1) for angle in points)

    low, high, whole = 0.0, pi / 2, area(-pi / 2)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if area(middle) > upper * whole else (low, middle)
    return sqrt(degrees) * tan(low)


def test_the_oracle_of_quantiles_is_right() -> None:
    # From the table of Student's original distribution, as in every textbook.
    assert exact_quantile(0.001, 3) == pytest.approx(10.215, abs=0.001)
    assert exact_quantile(0.05, 10) == pytest.approx(1.812, abs=0.001)
    assert exact_quantile(0.5 - atan(1) / pi, 1) == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("upper", [0.3, 0.03, 1e-3, 1e-5])
def test_quantiles_are_those_of_student(upper: float) -> None:
    for degrees in (10, 30, 200):
        exact = exact_quantile(upper, degrees)
        assert student_quantile(upper, degrees) == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("upper", [0.3, 0.03, 1e-3])
def test_quantiles_of_few_degrees_of_freedom_are_a_little_too_large(upper: float) -> None:
    for degrees in (3, 4, 5, 7):
        exact = exact_quantile(upper, degrees)
        assert 0.99 * exact <= student_quantile(upper, degrees) <= 1.08 * exact


# ------------------------------------------------------------------ against the own past

STEADY = [1.0, 1.2, 0.9, 1.1, 0.8, 1.3, 1.0, 1.1, 0.95, 1.05, 1.2, 0.9]


def test_a_day_of_nine_times_the_usual() -> None:
    found = find_change(STEADY, 9.225, chance=0.001)
    assert isinstance(found, Change)
    assert found.usual == 1.025
    assert found.times_usual == pytest.approx(9)
    assert found.score > found.cutoff


@pytest.mark.parametrize(
    ("past", "now"),
    [
        (STEADY, 2.0),
        (STEADY, 0.0),
        ([], 100.0),
        (STEADY[:6], 100.0),  # six days are no habit
        ([*STEADY[:6], *[0.0] * 22], 100.0),  # nor are zeros days
        ([10.0**power for power in range(8)], 1e7),  # anything was usual
    ],
)
def test_no_change(past: list[float], now: float) -> None:
    assert find_change(past, now, chance=0.001) is None


def test_an_earlier_jump_hides_none_and_is_no_habit() -> None:
    assert find_change([*STEADY, *STEADY, 50.0], 50.0, chance=0.001) is not None
    assert find_change([*STEADY, *STEADY, 50.0], 4.0 * 1.05, chance=1e-6) is None


def test_after_some_days_the_new_level_is_the_usual_one() -> None:
    assert find_change([*STEADY, *[20.0] * 6], 20.0, chance=0.001) is None
