"""Drift against the first week: populations of simulated versions, and single cases.

A day's quartiles are drawn as those of so many log-normal amounts around the level of that day:
of uniform values, they are where sums of exponential steps put them.
"""

from itertools import accumulate
from math import atan, cos, exp, inf, log, sin, sqrt
from random import Random
from statistics import NormalDist
from typing import NamedTuple

import pytest

from trimtab.stats.shift import DayAmounts, DayRate, Floors, Shift, find_shifts
from trimtab.stats.shift_days import _fisher_p, _student_p

INVERSE = NormalDist().inv_cdf
DAYS = 60
CHANGE = 30


class World(NamedTuple):
    """What versions are like.

    Attributes:
        daily: inferences a day.
        spread: by how much days differ, as a standard deviation of logarithms.
        alike: the larger, the less rates of days differ; the size of a beta distribution.
    """

    daily: int
    spread: float
    alike: float


USUAL = World(500, 0.05, 300)
WORLDS = [USUAL, World(3_000, 0.05, 300), World(100, 0.05, 100), World(50, 0, 10_000)]

METRICS = {"length": (300, 0.6), "cost": (2, 1.0), "latency": (1_500, 0.8)}
RATES = {"format": 0.04, "refusals": 0.01}


def amounts(rng: Random, world: World, metric: str, factor: float) -> DayAmounts:
    middle, sigma = METRICS[metric]
    level = log(factor * middle) + rng.gauss(0, world.spread)
    quarter = world.daily // 4
    steps = [rng.gammavariate(quarter, 1) for _ in range(3)]
    whole = sum(steps) + rng.gammavariate(world.daily + 1 - 3 * quarter, 1)
    low, median, high = (exp(level + sigma * INVERSE(at / whole)) for at in accumulate(steps))
    return DayAmounts(world.daily, low, median, high)


def rate(rng: Random, world: World, mean: float) -> DayRate:
    chance = rng.betavariate(mean * world.alike, (1 - mean) * world.alike)
    return DayRate(binomial(rng, world.daily, chance), world.daily)


def binomial(rng: Random, count: int, chance: float) -> int:
    if count * chance > 50:
        return round(rng.gauss(count * chance, sqrt(count * chance * (1 - chance))))
    hits, at, scale = 0, 0, log(1 - max(chance, 1e-9))
    while (at := at + 1 + int(log(1 - rng.random()) / scale)) <= count:
        hits += 1
    return hits


def version(
    seed: int, world: World, longer: float = 1.0
) -> dict[str, list[DayAmounts] | list[DayRate]]:
    rng = Random(seed)
    found: dict[str, list[DayAmounts] | list[DayRate]] = {}
    for metric in METRICS:
        factors = [longer if metric == "length" and day >= CHANGE else 1 for day in range(DAYS)]
        found[metric] = [amounts(rng, world, metric, factor) for factor in factors]
    for metric, mean in RATES.items():
        found[metric] = [rate(rng, world, mean) for _ in range(DAYS)]
    return found


def test_few_stable_versions_raise_any_alarm() -> None:
    assert sum(bool(find_shifts(version(seed, USUAL))) for seed in range(1_000)) < 50


@pytest.mark.parametrize("world", WORLDS[1:], ids=str)
def test_nor_where_days_or_traffic_are_different(world: World) -> None:
    assert sum(bool(find_shifts(version(seed, world))) for seed in range(200)) < 14


@pytest.mark.parametrize("world", WORLDS[:2], ids=str)
def test_output_that_is_longer_by_a_third_is_found_within_three_days(world: World) -> None:
    soon, right = 0, 0
    for seed in range(200):
        known = {metric: days[: CHANGE + 3] for metric, days in version(seed, world, 1.3).items()}
        [shift, *_] = [one for one in find_shifts(known) if one.metric == "length"] or [None]
        if shift and shift.found >= CHANGE:
            soon += 1
            assert shift.beyond_floor
            right += abs(shift.began - CHANGE) <= 1 and abs(log(shift.ratio / 1.3)) < 0.15
    assert soon >= 180
    assert right >= 0.9 * soon


def test_looking_every_day_finds_nothing_that_the_last_look_does_not() -> None:
    for seed in range(40):
        whole = version(seed, USUAL, 1.2)
        last = {shift.metric: shift.found for shift in find_shifts(whole)}
        for day in range(8, DAYS, 3):
            cut = {metric: days[:day] for metric, days in whole.items()}
            for shift in find_shifts(cut):
                assert last[shift.metric] <= shift.found < day


def steady(count: int, level: float) -> list[DayAmounts]:
    rng = Random(1)
    made: list[DayAmounts] = []
    for _ in range(count):
        middle = level * exp(rng.gauss(0, 0.02))
        made.append(DayAmounts(10_000, 0.7 * middle, middle, 1.4 * middle))
    return made


def test_a_change_with_its_day_and_size() -> None:
    days = steady(30, 100) + steady(10, 150)
    [shift] = find_shifts({"length": days})
    assert (shift.metric, shift.began, shift.found) == ("length", 30, 30)
    assert shift.before == pytest.approx(100, rel=0.03)
    assert shift.after == pytest.approx(150, rel=0.03)
    assert shift.ratio == shift.after / shift.before
    assert shift.p < 1e-6
    assert shift.beyond_floor


def test_a_change_that_is_certain_and_small() -> None:
    days = steady(30, 100) + steady(20, 108)
    [shift] = find_shifts({"length": days})
    assert not shift.beyond_floor
    [shift] = find_shifts({"length": days}, floors=Floors(ratio=1.05))
    assert shift.beyond_floor


def test_less_is_a_change_as_well() -> None:
    [shift] = find_shifts({"length": steady(30, 100) + steady(5, 60)})
    assert shift.ratio == pytest.approx(0.6, rel=0.05)
    assert shift.beyond_floor


def test_rates_that_begin_and_that_end() -> None:
    begin = [DayRate(0, 200)] * 20 + [DayRate(20, 200)] * 5
    end = [DayRate(200, 200)] * 20 + [DayRate(190, 200)] * 5
    found = {shift.metric: shift for shift in find_shifts({"begin": begin, "end": end})}
    assert found["begin"][1:6] == (20, 20, 0, 0.1, inf)
    assert found["end"].ratio == 0.95
    assert found["end"].beyond_floor
    loose = find_shifts({"end": end}, floors=Floors(points=0.06))
    assert [shift.beyond_floor for shift in loose] == [False]


def test_the_first_to_move_comes_first() -> None:
    found = find_shifts(
        {
            "late": steady(30, 100) + steady(10, 150),
            "same": steady(40, 100),
            "early": steady(25, 100) + steady(15, 150),
        }
    )
    assert [shift.metric for shift in found] == ["early", "late"]


def test_days_without_traffic_take_no_part() -> None:
    none = DayAmounts.of([])
    days = steady(30, 100) + [none] * 3 + steady(6, 150)
    days[3] = days[20] = none
    days[14:20] = [none] * 6
    [shift] = find_shifts({"length": days})
    assert (shift.began, shift.found) == (33, 33)
    rates = [DayRate(1, 100)] * 20 + [DayRate(0, 0)] * 2 + [DayRate(30, 100)] * 3
    [shift] = find_shifts({"format": rates})
    assert (shift.began, shift.found) == (22, 22)


@pytest.mark.parametrize(
    "days",
    [
        [],
        steady(5, 100),
        steady(7, 100) + steady(7, 300)[:0],
        [DayAmounts.of([])] * 5 + steady(2, 100) + steady(30, 900),  # two days are no first week
        [DayAmounts.of([])] * 30,
        [DayAmounts(9, 0, 0, 0)] * 30,  # zeros have no logarithm
        [DayRate(0, 50)] * 30,
        [DayRate(50, 50)] * 30,
        [DayAmounts(10, 5, 5, 5)] * 30,  # all equal
    ],
)
def test_nothing_is_said(days: list[DayAmounts] | list[DayRate]) -> None:
    assert find_shifts({"metric": days}) == []
    assert find_shifts({}) == []


def test_amounts_of_which_a_quarter_is_nothing() -> None:
    days = [day._replace(low=0.0) for day in steady(30, 100) + steady(5, 150)]
    [shift] = find_shifts({"cost": days})
    assert (shift.began, shift.before) == (30, pytest.approx(100, rel=0.03))


def test_a_day_of_values() -> None:
    assert DayAmounts.of([4.0, 1.0, 3.0, 2.0]) == (4, 1, 2, 3)


def test_adjusted_p_values_of_benjamini_and_hochberg() -> None:
    """The p of a shift is the rate at which it would just be found."""
    whole = {"length": steady(30, 100) + steady(10, 112), "same": steady(40, 100)}
    [shift] = find_shifts(whole)
    assert isinstance(shift, Shift)
    assert [s.metric for s in find_shifts(whole, false_discoveries=shift.p * 1.001)] == ["length"]
    assert find_shifts(whole, false_discoveries=shift.p * 0.999) == []


@pytest.mark.parametrize("t", [0.0, 0.5, 2.0, 4.0, 9.0])
def test_student_against_its_closed_forms(t: float) -> None:
    assert _student_p(t, 2) == pytest.approx(1 - t / sqrt(2 + t * t))
    angle = atan(t / 2)
    inside = sin(angle) * (1 + cos(angle) ** 2 / 2)
    assert _student_p(-t, 4) == pytest.approx(1 - inside)
    assert _student_p(t, 5) == _student_p(t, 4)
    assert _student_p(t, 1) == 1


def test_student_of_the_tables() -> None:
    for degrees, t, p in (
        (6, 2.447, 0.05),
        (12, 3.055, 0.01),
        (24, 3.745, 0.001),
        (120, 1.98, 0.05),
    ):
        assert _student_p(t, degrees) == pytest.approx(p, rel=3e-3)


def test_fisher_of_known_tables() -> None:
    tea = _fisher_p(DayRate(3, 4), DayRate(1, 4))
    assert tea == pytest.approx(2 * 17 / 70)
    assert _fisher_p(DayRate(1, 4), DayRate(3, 4)) == pytest.approx(tea)
    assert _fisher_p(DayRate(21, 100), DayRate(5, 100)) == pytest.approx(0.001228, rel=0.01)
    assert _fisher_p(DayRate(0, 10), DayRate(0, 10)) == 1
