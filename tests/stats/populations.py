"""Simulated populations, and what the rules of `stats.outliers` find in them.

`python tests/stats/populations.py` prints the tables of docs/outliers.md.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from math import exp
from random import Random
from statistics import NormalDist, median
from typing import NamedTuple

from trimtab.stats.outliers import (
    CHANGE_CHANCE,
    FALSE_ALARMS,
    find_change,
    find_outliers,
)

SEED = 20_261_125
SIGMAS = (0.5, 0.75, 1.0)
CLEAN_SIZES = (5, 6, 8, 10, 20, 50, 200, 1_000, 10_000)
SIZES = (10, 20, 50, 200, 1_000, 2_000)
MULTIPLES = (5, 10, 20, 30, 50, 100, 200)
ACCEPTED = {0.5: 10, 0.75: 30, 1.0: 100}
"""The multiple of the median at which the acceptance is held, by sigma."""


class Found(NamedTuple):
    """What was found in populations with planted users."""

    populations: int
    planted: int
    hits: int
    false: int

    @property
    def recall(self) -> float:
        """Share of the planted that are flagged."""
        return self.hits / self.planted

    @property
    def precision(self) -> float:
        """Share of the flagged that are planted."""
        return self.hits / (self.hits + self.false)


def clean(rng: Random, count: int, sigma: float) -> dict[str, float]:
    """Log-normal spend around 10 cents."""
    return {f"user{i}": rng.lognormvariate(18.4, sigma) for i in range(count)}


def populations(count: int, users: int) -> int:
    """Fewer of the large ones, so that a table takes seconds."""
    return max(20, min(count, 40 * count // users))


def false_alarms(rng: Random, count: int, sigma: float) -> tuple[int, int]:
    """Users flagged in clean populations, and how many users there were."""
    runs = populations(1_000, count)
    return sum(len(find_outliers(clean(rng, count, sigma))) for _ in range(runs)), runs * count


def detection(
    rng: Random, users: int, sigma: float, *, multiples: Iterable[float], planted: int = 0
) -> dict[float, Found]:
    """What is found of one to three users (or exactly `planted`) at each multiple of the median."""
    runs = populations(400, users)
    told = {multiple: Found(0, 0, 0, 0) for multiple in multiples}
    for _ in range(runs):
        few = planted or rng.randint(1, min(3, users // 5))
        amounts = clean(rng, users - few, sigma)
        typical = median(amounts.values())
        for multiple, so_far in told.items():
            everyone = amounts | {f"planted{i}": multiple * typical for i in range(few)}
            flagged = [outlier.name for outlier in find_outliers(everyone)]
            hits = sum(name.startswith("planted") for name in flagged)
            told[multiple] = Found(
                so_far.populations + 1,
                so_far.planted + few,
                so_far.hits + hits,
                so_far.false + len(flagged) - hits,
            )
    return told


class Habit(NamedTuple):
    """How a user spends from day to day.

    Attributes:
        sigma: spread of the logarithm of a day on which the user comes.
        comes: probability of that.
        weekend: by what the amounts of two days in seven are multiplied.
    """

    name: str
    sigma: float
    comes: float = 1.0
    weekend: float = 1.0


HABITS = (
    Habit("every day, even", 0.3),
    Habit("every day, uneven", 0.7),
    Habit("working days, a fifth at weekends", 0.5, weekend=0.2),
    Habit("every third day", 0.8, comes=0.35),
)
CHANGES = (5, 10, 20, 50)
DAYS = 28


def days(rng: Random, habit: Habit) -> list[float]:
    """Four weeks and a day of amounts."""
    return [
        exp(rng.gauss(18.4, habit.sigma)) * (habit.weekend if day % 7 > 4 else 1)
        if rng.random() < habit.comes
        else 0.0
        for day in range(DAYS + 1)
    ]


def changed(rng: Random, habit: Habit, multiple: float, *, runs: int, users: int) -> float:
    """Share of users who are flagged when their last day is a `multiple` of an ordinary one."""
    flagged = 0
    for _ in range(runs):
        *past, now = days(rng, habit)
        chance = min(CHANGE_CHANCE, FALSE_ALARMS / users)
        found = find_change(past, now * multiple, chance=chance)
        flagged += found is not None
    return flagged / runs


def limit(users: int, sigma: float) -> float:
    """The multiple of which a rule that knew median and sigma exactly would find one in two."""
    return exp(sigma * NormalDist().inv_cdf(1 - FALSE_ALARMS / users))


def recall_rows() -> Iterator[str]:
    """The table of power."""
    rng = Random(SEED)
    yield "| users | sigma | limit | " + " | ".join(f"{times}x" for times in MULTIPLES) + " |"
    yield "|---|---|---|" + "---|" * len(MULTIPLES)
    for users in SIZES:
        for sigma in SIGMAS:
            told = detection(rng, users, sigma, multiples=MULTIPLES)
            cells = " | ".join(f"{found.recall:.2f}" for found in told.values())
            yield f"| {users:,} | {sigma} | {limit(users, sigma):.0f}x | {cells} |"


def precision_rows() -> Iterator[str]:
    """The table of the acceptance."""
    rng = Random(SEED)
    yield "| sigma | planted at | populations | planted | found | wrongly | recall | precision |"
    yield "|---|---|---|---|---|---|---|---|"
    for sigma, multiple in ACCEPTED.items():
        found = accepted(rng, sigma, multiple)
        yield (
            f"| {sigma} | {multiple}x | {found.populations:,} | {found.planted:,} | {found.hits:,} "
            f"| {found.false} | {found.recall:.3f} | {found.precision:.3f} |"
        )


def accepted(rng: Random, sigma: float, multiple: float) -> Found:
    """One to three planted among 50 to 2,000 users."""
    told = [
        detection(rng, users, sigma, multiples=(multiple,))[multiple]
        for users in (50, 100, 200, 500, 1_000, 2_000)
    ]
    return Found(*map(sum, zip(*told, strict=True)))


def clean_rows() -> Iterator[str]:
    """The table of false alarms."""
    rng = Random(SEED)
    yield "| users | " + " | ".join(f"sigma {sigma}" for sigma in SIGMAS) + " |"
    yield "|---|" + "---|" * len(SIGMAS)
    for users in CLEAN_SIZES:
        told = [false_alarms(rng, users, sigma) for sigma in SIGMAS]
        yield f"| {users:,} | " + " | ".join(f"{100 * n / of:.3f} %" for n, of in told) + " |"


def change_rows() -> Iterator[str]:
    """The table of sudden changes."""
    rng = Random(SEED)
    yield "| habit | false alarms | " + " | ".join(f"{multiple}x" for multiple in CHANGES) + " |"
    yield "|---|---|" + "---|" * len(CHANGES)
    for habit in HABITS:
        wrong = changed(rng, habit, 1, runs=10_000, users=1)
        told = [changed(rng, habit, times, runs=400, users=100) for times in CHANGES]
        cells = " | ".join(f"{share:.2f}" for share in told)
        yield f"| {habit.name} | {100 * wrong:.2f} % | {cells} |"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    "recall": recall_rows,
    "precision": precision_rows,
    "clean": clean_rows,
    "change": change_rows,
}

if __name__ == "__main__":
    for name, rows in TABLES.items():
        sys.stdout.write(f"<!-- {name} -->\n" + "\n".join(rows()) + "\n\n")
