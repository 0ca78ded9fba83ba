"""Months that were foretold, and how often they ended where they should."""

from collections.abc import Callable
from math import exp
from random import Random

import pytest

from trimtab.stats.outlook import LEAST_DAYS, look_ahead

HABITS = (0.0, 0.05, 0.1, 0.05, 0.0, -0.5, -0.6)
"""Of Monday to Sunday, as logarithms."""
MONTHS = 100
KNOWN, AHEAD = 56, 20

Level = Callable[[Random], Callable[[int], float]]


def steady(rng: Random) -> Callable[[int], float]:
    return lambda _: rng.gauss(0, 0.2)


def growing(rng: Random) -> Callable[[int], float]:
    return lambda day: 0.006 * day + rng.gauss(0, 0.2)  # a fifth in a month


def sticky(rng: Random) -> Callable[[int], float]:
    last = [0.0]

    def rest(_: int) -> float:
        last[0] = 0.5 * last[0] + rng.gauss(0, 0.2)
        return last[0]

    return rest


def bursts(rng: Random) -> Callable[[int], float]:
    return lambda _: rng.gauss(0, 0.2) + (1 if rng.random() < 0.04 else 0)


def wandering(rng: Random) -> Callable[[int], float]:
    level = [0.0]

    def rest(_: int) -> float:
        level[0] += rng.gauss(0, 0.03)
        return level[0] + rng.gauss(0, 0.2)

    return rest


def month(kind: Level, rng: Random) -> list[int]:
    rest = kind(rng)
    return [round(1e9 * exp(HABITS[day % 7] + rest(day))) for day in range(KNOWN + AHEAD)]


def coverage(kind: Level) -> float:
    """How many of a hundred 80 % intervals held the sum."""
    rng = Random(7)
    held = 0
    for seed in range(MONTHS):
        days = month(kind, rng)
        found = look_ahead(days[:KNOWN], [1.0] * AHEAD, seed=seed)
        assert found is not None
        held += found.low <= sum(days[KNOWN:]) <= found.high
    return round(100 * held / MONTHS)


# The figures of docs/explain.md.
COVERAGE = [(steady, 85), (growing, 78), (sticky, 85), (bursts, 73), (wandering, 63)]


@pytest.mark.parametrize(("kind", "held"), COVERAGE)
def test_eighty_percent_intervals_hold_about_as_often(kind: Level, held: int) -> None:
    assert coverage(kind) == pytest.approx(held, abs=1)


def test_the_median_is_near_where_all_is_as_before() -> None:
    days = [round(1e9 * exp(HABITS[day % 7])) for day in range(KNOWN)]
    found = look_ahead(days, [1.0] * 7)
    assert found is not None
    assert found.median == pytest.approx(sum(days[-7:]), rel=0.01)
    assert found.low == pytest.approx(found.high, rel=0.01)


def test_part_of_a_day_counts_in_part() -> None:
    days = [1_000_000] * KNOWN
    found = look_ahead(days, [0.25, 1.0])
    assert found is not None
    assert found == (1_250_000, 1_250_000, 1_250_000)


def test_the_same_question_has_the_same_answer() -> None:
    days = month(steady, Random(1))
    assert look_ahead(days, [1.0] * 9) == look_ahead(days, [1.0] * 9)
    assert look_ahead(days, [1.0] * 9) != look_ahead(days, [1.0] * 9, seed=2)


def test_a_higher_confidence_has_a_wider_interval() -> None:
    days = month(steady, Random(1))
    narrow, wide = (look_ahead(days, [1.0] * 9, confidence=share) for share in (0.5, 0.95))
    assert narrow is not None
    assert wide is not None
    assert wide.low < narrow.low < narrow.median < narrow.high < wide.high


def test_too_little_is_not_foretold() -> None:
    assert look_ahead([10**9] * (LEAST_DAYS - 1), [1.0]) is None
    assert look_ahead([10**9] * LEAST_DAYS, [1.0]) is not None
    assert look_ahead([0, 0, 10**9] * LEAST_DAYS, [1.0]) is None
    assert look_ahead([], [1.0]) is None


def test_days_without_any_spending_are_days_too() -> None:
    week = [10**9] * 5 + [0, 0]
    found = look_ahead(week * 8, [1.0] * 7)
    assert found is not None
    assert found.median == pytest.approx(5 * 10**9, rel=0.03)
