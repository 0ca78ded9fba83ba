"""The rules on simulated populations, and the tables of docs/outliers.md."""

from pathlib import Path
from random import Random
from statistics import NormalDist

import pytest

from stats.populations import (
    ACCEPTED,
    CLEAN_SIZES,
    HABITS,
    SEED,
    SIGMAS,
    TABLES,
    Habit,
    accepted,
    changed,
    detection,
    false_alarms,
)

PAGE = Path(__file__).parents[2] / "docs" / "outliers.md"


@pytest.mark.parametrize("sigma", SIGMAS)
def test_one_to_three_planted_users_are_found_and_few_others(sigma: float) -> None:
    found = accepted(Random(SEED + 1), sigma, ACCEPTED[sigma])
    assert found.recall >= 0.95
    assert found.precision >= 0.95


@pytest.mark.parametrize("planted", [1, 2, 3])
def test_precision_whatever_is_planted(planted: int) -> None:
    rng = Random(SEED + 2)
    told = [
        detection(rng, users, 0.5, multiples=(30,), planted=planted)[30] for users in (20, 50, 100)
    ]
    hits, false = sum(found.hits for found in told), sum(found.false for found in told)
    assert hits / (hits + false) >= 0.95
    assert hits / sum(found.planted for found in told) >= 0.95


@pytest.mark.parametrize("users", CLEAN_SIZES)
@pytest.mark.parametrize("sigma", SIGMAS)
def test_false_alarms_of_clean_populations(users: int, sigma: float) -> None:
    flagged, of = false_alarms(Random(SEED + 3), users, sigma)
    assert flagged < 0.01 * of


@pytest.mark.parametrize("habit", HABITS, ids=lambda habit: habit.name)
def test_habits_raise_no_false_alarms(habit: Habit) -> None:
    assert changed(Random(SEED + 4), habit, 1, runs=10_000, users=1) <= 0.002


def test_a_fixed_cutoff_would_name_two_of_ten_thousand() -> None:
    assert round(10_000 * (1 - NormalDist().cdf(3.5))) == 2


@pytest.mark.parametrize("table", TABLES)
def test_the_page_shows_what_is_found(table: str) -> None:
    """Printed by `python tests/stats/populations.py`."""
    assert "\n".join(TABLES[table]()) in PAGE.read_text(encoding="utf-8")
