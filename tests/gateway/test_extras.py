from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config.schema import Hedge
from trimtab.gateway.extras import HedgeTimer, RetryBudget
from trimtab.testing import FrozenClock

LIVE = Hedge()


def taken(budget: RetryBudget) -> int:
    """How many extra attempts it allows now."""
    count = 0
    while budget.takes():
        count += 1
    return count


# ---------------------------------------------------------------- RetryBudget


def test_a_quiet_gateway_may_retry() -> None:
    clock = FrozenClock()
    budget = RetryBudget(0.1, clock)
    assert taken(budget) == 10
    clock.advance(3)
    assert taken(budget) == 3
    clock.advance(3_600)
    assert taken(budget) == 10
    assert (budget.made, budget.refused) == (23, 3)


def test_a_share_of_the_traffic_is_earned() -> None:
    budget = RetryBudget(0.1, FrozenClock())
    taken(budget)
    for _ in range(205):
        budget.earned()
    assert taken(budget) == 20


def test_what_is_earned_is_capped_and_the_floor_adds_nothing_above_it() -> None:
    clock = FrozenClock()
    budget = RetryBudget(0.5, clock)
    for _ in range(10_000):
        budget.earned()
    clock.advance(3_600)
    assert taken(budget) == 100


def test_seconds_before_the_floor_is_reached_do_not_count() -> None:
    clock = FrozenClock()
    budget = RetryBudget(1.0, clock)
    budget.earned()
    clock.advance(3_600)
    assert budget.takes()
    assert taken(budget) == 10


def test_the_share_is_replaced_on_reload() -> None:
    clock = FrozenClock()
    budget = RetryBudget(0.1, clock)
    budget.share = 0.0
    budget.earned()
    assert taken(budget) == 0
    budget.share = 1.0
    assert taken(budget) == 10


@settings(deadline=None)
@given(st.floats(0.01, 1), st.integers(1, 500), st.integers(0, 1_000))
def test_never_more_than_the_share_and_the_floor(share: float, per_s: int, seed: int) -> None:
    clock, random = FrozenClock(), Random(seed)
    budget = RetryBudget(share, clock)
    for _ in range(1_000):
        clock.advance(1 / per_s)
        budget.earned()
        if random.random() < 0.7:
            budget.takes()
    assert budget.made <= 10 + 1_000 * share + 1_000 / per_s + 1e-6


# ---------------------------------------------------------------- HedgeTimer


def observe(timer: HedgeTimer, seconds: float, *, count: int = 100, streamed: bool = True) -> None:
    for _ in range(count):
        timer.observe(seconds, streamed=streamed)


def test_a_fixed_delay_needs_no_samples() -> None:
    assert HedgeTimer(FrozenClock()).delay_s(Hedge(after_s=0.7), streamed=True) == 0.7


def test_the_live_p95() -> None:
    clock = FrozenClock()
    timer = HedgeTimer(clock)
    for hundredths in range(1, 50):
        timer.observe(hundredths / 100, streamed=True)
    assert timer.delay_s(LIVE, streamed=True) is None
    for hundredths in range(50, 101):
        timer.observe(hundredths / 100, streamed=True)
    assert timer.delay_s(LIVE, streamed=True) is None  # it was asked for within the second
    clock.advance(1)
    assert timer.delay_s(LIVE, streamed=True) == pytest.approx(0.95, rel=0.01)
    assert timer.delay_s(LIVE, streamed=False) is None


def test_streams_and_whole_answers_are_kept_apart() -> None:
    timer = HedgeTimer(FrozenClock())
    observe(timer, 0.2)
    observe(timer, 4.0, streamed=False)
    assert timer.delay_s(LIVE, streamed=True) == pytest.approx(0.2, rel=0.01)
    assert timer.delay_s(LIVE, streamed=False) == pytest.approx(4.0, rel=0.01)


@pytest.mark.parametrize(
    ("later_s", "expected"), [(299, 2.0), (301, 2.0), (590, 2.0), (610, 0.1), (5_000, 0.1)]
)
def test_old_samples_are_forgotten(later_s: float, expected: float) -> None:
    clock = FrozenClock()
    timer = HedgeTimer(clock)
    observe(timer, 2.0)
    clock.advance(later_s)
    observe(timer, 0.1)
    assert timer.delay_s(LIVE, streamed=True) == pytest.approx(expected, rel=0.01)


def test_a_route_that_was_quiet_knows_nothing() -> None:
    clock = FrozenClock()
    timer = HedgeTimer(clock)
    clock.advance(5)
    observe(timer, 2.0)
    for later_s, known in ((400, True), (150, True), (100, False)):
        clock.advance(later_s)
        assert (timer.delay_s(LIVE, streamed=True) is not None) == known


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(0, 10_000))
def test_no_more_than_the_share_is_hedged(max_share: float, seed: int) -> None:
    timer, hedge, random = HedgeTimer(FrozenClock()), Hedge(max_share=max_share), Random(seed)
    hedges = 0
    for inferences in range(1, 6_000):
        timer.began()
        if random.random() < 0.5 and timer.may_hedge(hedge):
            timer.hedged()
            hedges += 1
        assert hedges <= inferences * max_share


def test_the_share_is_reached_and_a_quiet_past_is_no_credit_for_ever() -> None:
    timer, hedge = HedgeTimer(FrozenClock()), Hedge(max_share=0.05)
    for _ in range(100_000):
        timer.began()
    burst = 0
    while timer.may_hedge(hedge):
        timer.hedged()
        burst += 1
    assert 50 <= burst <= 100
    hedges = 0
    for _ in range(20_000):
        timer.began()
        if timer.may_hedge(hedge):
            timer.hedged()
            hedges += 1
    assert hedges / 20_000 == pytest.approx(0.05, rel=0.02)


def test_nothing_is_hedged_before_the_share_allows_one() -> None:
    timer = HedgeTimer(FrozenClock())
    for _ in range(19):
        timer.began()
        assert not timer.may_hedge(LIVE)
    timer.began()
    assert timer.may_hedge(LIVE)
