"""Guards together, in simulated rollouts: false pauses, and how soon a worse candidate is found.

A tenth of the inferences goes to the candidate; the guards look after every one of those. Latency
and cost are log-normal; the 95th percentile and the bound of the cost come from a reference window.
"""

from collections.abc import Iterator, Mapping
from math import log, log1p
from random import Random
from statistics import median
from typing import NamedTuple

import pytest

from trimtab.stats.sequential import RateTest
from trimtab.stats.sequential_amounts import AmountTest, nearest_rank
from trimtab.stats.sequential_guards import GuardReading, Guards, GuardVerdict

RATES = {"errors": 0.01, "format": 0.04, "thumbs-down": 0.02}
SHARE = 0.1
WINDOW = 2_000  # inferences of the reference
ROLLOUT = 500  # inferences of the candidate, a tenth of all


def drawn(count: int) -> list[float]:
    rng = Random(2)
    return [rng.lognormvariate(0, 1) for _ in range(count)]


SKEWED = drawn(80_000)  # rollouts take runs of it: to draw is what would take most of the time


class Flaws:
    """A stream of inferences with a rate of bad ones; drawn by the gaps between those."""

    def __init__(self, rng: Random, rate: float) -> None:
        self.rng, self.scale, self.gap = rng, 1 / log1p(-rate), 0
        self.gap = self.draw()

    def draw(self) -> int:
        return int(log(1 - self.rng.random()) * self.scale)

    def take(self, count: int) -> int:
        """How many of the next ones are bad."""
        bad = 0
        while self.gap < count:
            bad += 1
            count -= self.gap + 1
            self.gap = self.draw()
        self.gap -= count
        return bad


class Truth(NamedTuple):
    """What the candidate is like."""

    rates: Mapping[str, float] = {}
    slower: float = 1.0
    dearer: float = 1.0


class Pause(NamedTuple):
    """After how many inferences of the candidate, and what was said."""

    after: int
    verdict: GuardVerdict


def amounts(rng: Random, count: int) -> list[float]:
    at = rng.randrange(len(SKEWED) - count)
    return SKEWED[at : at + count]


def roll_out(seed: int, truth: Truth, most: int = ROLLOUT) -> Pause | None:
    rng = Random(seed)
    rates = RATES | {"p95": 0.0}
    threshold = nearest_rank(amounts(rng, WINDOW), 0.95)
    tests = {
        metric: RateTest.begin(
            reference_bad=Flaws(rng, rate).take(WINDOW) if rate else WINDOW // 20,
            reference_count=WINDOW,
        )
        for metric, rate in rates.items()
    }
    cost = AmountTest.begin(amounts(rng, WINDOW))
    guards = Guards({**tests, "cost": cost})
    streams = [
        (tests[metric], Flaws(rng, rate), Flaws(rng, truth.rates.get(metric, rate)))
        for metric, rate in RATES.items()
    ]
    between = 1 / log1p(-SHARE)
    for after in range(1, most + 1):
        count = int(log(1 - rng.random()) * between)
        for test, released, candidate in streams:
            if count:
                test.add_released(released.take(count), count)
            test.add_candidate(candidate.take(1))
        *latencies, latency = amounts(rng, count + 1)
        *prices, price = amounts(rng, count + 1)
        slow = sum(latency > threshold for latency in latencies)
        tests["p95"].add_released(slow, count)
        tests["p95"].add_candidate(truth.slower * latency > threshold)
        cost.add_released(prices)
        cost.add_candidate([truth.dearer * price])
        if guards.must_pause():
            return Pause(after, guards.check())
    return None


def pauses(truth: Truth, *, runs: int, most: int = ROLLOUT) -> Iterator[Pause | None]:
    return (roll_out(seed, truth, most) for seed in range(runs))


def test_a_clean_candidate_is_paused_in_at_most_one_of_twenty_rollouts() -> None:
    false = sum(pause is not None for pause in pauses(Truth(), runs=1_000))
    assert false <= 50


@pytest.mark.soak
def test_nor_in_a_rollout_ten_times_as_long() -> None:
    false = sum(pause is not None for pause in pauses(Truth(), runs=300, most=10 * ROLLOUT))
    assert false <= 15


def test_ten_points_more_format_failures_are_caught_soon() -> None:
    found = list(pauses(Truth({"format": 0.14}), runs=300))
    caught = [pause for pause in found if pause]
    assert len(caught) >= 0.99 * len(found)
    assert median(pause.after for pause in caught) <= 100
    blamed = [pause for pause in caught if pause.verdict.metric == "format"]
    assert len(blamed) >= 0.97 * len(caught)


@pytest.mark.parametrize(
    ("truth", "metric", "most"),
    [
        (Truth({"format": 0.07}), "format", 800),
        (Truth({"errors": 0.03}), "errors", 600),
        (Truth(slower=1.5), "p95", 400),
        (Truth(dearer=1.3), "cost", 300),
        (Truth(dearer=2.0), "cost", 50),
    ],
    ids=["format", "errors", "p95", "cost", "double"],
)
def test_half_of_worse_candidates_are_caught_within(truth: Truth, metric: str, most: int) -> None:
    found = list(pauses(truth, runs=60, most=most))
    caught = [pause for pause in found if pause and pause.verdict.metric == metric]
    assert len(caught) >= len(found) / 2


def test_a_better_candidate_is_not_paused() -> None:
    better = Truth({"errors": 0.005, "format": 0.02, "thumbs-down": 0.01}, 0.9, 0.8)
    assert sum(pause is not None for pause in pauses(better, runs=100)) == 0


def test_the_verdict_says_why() -> None:
    tests = {"errors": RateTest.begin(), "format": RateTest.begin()}
    guards = Guards(tests, alpha=0.04)
    assert guards.needed == 50
    assert not guards.must_pause()
    assert guards.check()[:2] == (False, "")
    for _ in range(20):
        for metric, bad in (("errors", 0), ("format", 2)):
            tests[metric].add_released(1, 40)
            tests[metric].add_candidate(bad, 4)
    assert guards.must_pause()
    verdict = guards.check()
    assert (verdict.paused, verdict.metric) == (True, "format")
    worst, other = verdict.readings
    assert isinstance(worst, GuardReading)
    assert worst.worse
    assert not other.worse
    assert (worst.candidate.estimate, worst.candidate.inferences) == (0.5, 80)
    assert worst.reason().startswith(
        "format: 0.5 (0.393 to 0.607) in 80 inferences of the candidate, "
        "0.025 (0.01624 to 0.0383) in 800 inferences of the released version; evidence "
    )
    assert worst.reason().endswith(", pauses at 50")


def test_once_paused_it_stays_paused() -> None:
    test = RateTest.begin()
    guards = Guards({"errors": test})
    test.add_released(0, 100)
    test.add_candidate(3, 4)
    assert guards.must_pause()
    for _ in range(1_000):
        test.add_released(4, 100)
        test.add_candidate(0, 10)
    assert test.stakes.evidence < guards.needed
    assert guards.check().paused


def test_guards_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="at least one test"):
        Guards({})
    with pytest.raises(ValueError, match="1 in 20"):
        Guards({"errors": RateTest.begin()}, alpha=1.0)
