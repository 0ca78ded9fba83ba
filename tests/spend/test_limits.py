"""Limits with a clock that the test moves: what may enter, when, and what callers are told."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.config.money import Limit
from trimtab.spend.limits import Bucket, Lease, Meter, Refusal, enter

NEVER_TOKENS = 0


def meter(
    *, requests: int | None = None, tokens: int | None = None, concurrent: int | None = None
) -> Meter:
    return Meter("fair", limit(requests, tokens, concurrent), 0.0)


def limit(requests: int | None, tokens: int | None = None, concurrent: int | None = None) -> Limit:
    return Limit(
        per="user",
        requests_per_minute=requests,
        tokens_per_minute=tokens,
        concurrent=concurrent,
    )


def entered(meters: list[Meter], tokens: int, now_s: float) -> Lease:
    found = enter(meters, tokens, now_s)
    assert isinstance(found, Lease), found
    return found


def refused(meters: list[Meter], tokens: int, now_s: float) -> Refusal:
    found = enter(meters, tokens, now_s)
    assert isinstance(found, Refusal)
    return found


def requests_of(whose: Meter | Lease, now_s: float) -> tuple[int, int, float]:
    """Limit, what is left, seconds until it is full."""
    return _rate(_buckets(whose, now_s)[0], now_s)


def tokens_of(whose: Meter | Lease, now_s: float) -> tuple[int, int, float]:
    return _rate(_buckets(whose, now_s)[1], now_s)


def _buckets(whose: Meter | Lease, now_s: float) -> tuple[Bucket | None, Bucket | None]:
    return whose.buckets if isinstance(whose, Meter) else whose.tightest(now_s)


def _rate(bucket: Bucket | None, now_s: float) -> tuple[int, int, float]:
    assert bucket is not None
    return bucket.rate(now_s)


def test_a_minutes_worth_may_come_at_once_and_comes_back_evenly():
    one = meter(requests=60)
    for _ in range(60):
        entered([one], 5, 0.0)
    assert refused([one], 5, 0.0) == Refusal("fair", "requests per minute", 60, 1.0)
    assert refused([one], 5, 0.5).wait_s == pytest.approx(0.5)
    entered([one], 5, 1.0)
    refused([one], 5, 1.0)
    for _ in range(30):
        entered([one], 5, 31.0)
    refused([one], 5, 31.0)
    for _ in range(60):
        entered([one], 5, 10_000.0)
    refused([one], 5, 10_000.0)


@given(
    per_minute=st.integers(1, 500),
    gaps_s=st.lists(st.floats(0, 30), min_size=1, max_size=300),
)
def test_no_more_requests_pass_than_the_limit_says(per_minute: int, gaps_s: list[float]):
    one = meter(requests=per_minute)
    now_s, times_s = 0.0, list[float]()
    for gap_s in gaps_s:
        now_s += gap_s
        for _ in range(2):
            found = enter([one], NEVER_TOKENS, now_s)
            if isinstance(found, Lease):
                times_s.append(now_s)
            else:
                assert 0 < found.wait_s <= 60 / per_minute + 1e-6
    assert len(times_s) <= per_minute * (1 + now_s / 60) + 1e-3, "in the long run"
    for begin_s in times_s:
        within = [at_s for at_s in times_s if begin_s <= at_s < begin_s + 60]
        assert len(within) <= 2 * per_minute, "in any minute"


@given(
    per_minute=st.integers(1, 10_000),
    taken=st.lists(st.integers(0, 20_000), max_size=20),
    tokens=st.integers(0, 30_000),
)
def test_a_request_fits_after_the_wait_that_it_is_told(
    per_minute: int, taken: list[int], tokens: int
):
    one = meter(tokens=per_minute)
    for amount in taken:
        one.used(amount)
    found = enter([one], tokens, 0.0)
    if isinstance(found, Refusal):
        assert isinstance(enter([one], tokens, found.wait_s * 0.9 - 0.01), Refusal)
        entered([one], tokens, found.wait_s)


def test_t17_what_may_be_used_takes_nothing_and_what_is_used_is_taken_when_known():
    """`max_tokens` is no use: who asks for much and uses little is not refused for it."""
    one = meter(tokens=1_000)
    lease = entered([one], 100, 0.0)  # however large its max_tokens is: nobody is told
    assert tokens_of(lease, 0.0) == (1_000, 900, 6.0)
    lease.used(150)  # the input that was charged is part of it
    assert tokens_of(lease, 0.0) == (1_000, 850, 9.0)
    lease.used(1_850)  # a second attempt: its input counts, too
    assert tokens_of(lease, 0.0) == (1_000, 0, 120.0)
    assert refused([one], 0, 0.0).wait_s == pytest.approx(60.06), "a debt of a minute, and a token"
    assert refused([one], 500, 60.0).wait_s == pytest.approx(30.0)
    entered([one], 0, 60.1)


def test_what_was_charged_and_not_used_comes_back():
    one = meter(tokens=1_000)
    lease = entered([one], 400, 0.0)
    lease.used(0)  # the provider refused
    assert tokens_of(one, 0.0) == (1_000, 1_000, 0.0)
    lease.used(30)
    assert tokens_of(one, 0.0) == (1_000, 970, pytest.approx(1.8))


def test_more_than_a_full_bucket_needs_a_full_one_and_leaves_a_debt():
    one = meter(tokens=100)
    entered([one], 250, 0.0)
    assert refused([one], 1, 0.0).wait_s == pytest.approx(90.6)
    assert refused([one], 250, 60.0).wait_s == pytest.approx(90.0)
    entered([one], 250, 150.0)


def test_as_many_at_once_as_allowed_whichever_way_they_end():
    one = meter(concurrent=2)
    first, second = entered([one], 0, 0.0), entered([one], 0, 0.0)
    assert refused([one], 0, 0.0) == Refusal("fair", "requests at once", 2, 1.0)
    first.close()
    first.close()
    third = entered([one], 0, 0.0)
    refused([one], 0, 0.0)
    del second  # nobody can close it any more
    gc.collect()
    fourth = entered([one], 0, 0.0)
    assert one.live == 2
    assert third.tightest(0.0) == fourth.tightest(0.0) == (None, None)


def test_all_limits_or_none():
    wide, narrow = meter(requests=100, tokens=10_000), meter(requests=1)
    lease = entered([wide, narrow], 10, 0.0)
    assert requests_of(lease, 0.0) == (1, 0, 60.0), "the tightest"
    assert tokens_of(lease, 0.0) == (10_000, 9_990, pytest.approx(0.06))
    lease.close()
    assert refused([wide, narrow], 10, 0.0).allowed == 1
    assert requests_of(wide, 0.0) == (100, 99, pytest.approx(0.6)), "it took nothing"
    assert not wide.live


def test_the_longest_wait_is_told():
    requests, tokens = meter(requests=60), meter(tokens=60)
    for _ in range(60):
        entered([requests, tokens], 1, 0.0)
    tokens.used(30)
    assert refused([requests, tokens], 1, 0.0) == (
        "fair",
        "tokens per minute",
        60,
        pytest.approx(31.0),
    )


def test_a_changed_limit_keeps_what_was_used():
    one = meter(requests=100, tokens=100)
    for _ in range(60):
        entered([one], 0, 0.0)
    one.use(limit(200), 0.0)
    assert requests_of(one, 0.0) == (200, 140, 18.0)
    assert one.buckets[1] is None
    one.use(limit(50, 10, 1), 0.0)
    assert requests_of(one, 0.0) == (50, 0, 60.0), "a lowered limit makes no debt"
    assert tokens_of(one, 0.0) == (10, 10, 0.0), "a new one is unused"
    lease = entered([one], 1, 6.0)
    assert refused([one], 1, 6.0).what == "requests at once"
    lease.close()


def test_a_debt_outlives_a_changed_limit():
    one = meter(tokens=100)
    one.used(150)
    one.use(limit(None, 60), 0.0)
    assert refused([one], 0, 0.0).wait_s == pytest.approx(51.0)


def test_time_before_a_change_counts_at_the_limit_of_then():
    one = meter(requests=60)
    for _ in range(60):
        entered([one], 0, 0.0)
    one.use(limit(6), 30.0)  # by then 30 had come back; of 6 all are used but none is owed
    assert requests_of(one, 30.0) == (6, 0, 60.0)
    one.use(limit(600), 30.0)
    assert requests_of(one, 30.0) == (600, 594, pytest.approx(0.6))


def test_what_was_never_used_is_idle():
    one = meter(requests=60, tokens=100, concurrent=2)
    assert one.idle(0.0)
    lease = entered([one], 50, 0.0)
    assert not one.idle(0.0)
    assert not one.idle(60.0), "it is under way"
    lease.close()
    assert not one.idle(0.9)
    assert one.idle(60.0)
    assert meter().idle(0.0)


class Level:
    """A bucket as one would write it down: how much is in it, and when it was last looked at."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = self.level = float(per_minute)
        self.at_s = 0.0

    def fill(self, now_s: float) -> None:
        came = (now_s - self.at_s) * self.per_minute / 60
        self.level = min(self.level + came, self.per_minute)
        self.at_s = now_s

    def take(self, amount: int) -> None:
        self.level = min(self.level - amount, self.per_minute)

    def resize(self, per_minute: int, now_s: float) -> None:
        self.fill(now_s)
        grown = self.level + per_minute - self.per_minute
        self.level = max(grown, min(self.level, 0.0))
        self.per_minute = float(per_minute)

    def seen(self, now_s: float) -> tuple[float, float]:
        level = min(self.level + (now_s - self.at_s) * self.per_minute / 60, self.per_minute)
        return max(level, 0.0), (self.per_minute - level) * 60 / self.per_minute


@given(
    start_s=st.sampled_from((0.0, 12.5, 3_456_789.25)),
    steps=st.lists(
        st.tuples(
            st.floats(0, 90),
            st.sampled_from(("enter", "used", "resize")),
            st.integers(-3_000, 3_000),
        ),
        max_size=40,
    ),
)
def test_a_bucket_is_what_a_level_and_its_time_would_be(
    start_s: float, steps: list[tuple[float, str, int]]
):
    one, told = Meter("fair", limit(None, 1_000), start_s), Level(1_000)
    now_s = told.at_s = start_s
    for gap_s, what, amount in steps:
        now_s += gap_s
        if what == "used":
            one.used(amount)
            told.take(amount)
        elif what == "resize":
            one.use(limit(None, abs(amount) + 1), now_s)
            told.resize(abs(amount) + 1, now_s)
        elif isinstance(enter([one], abs(amount), now_s), Lease):
            told.fill(now_s)
            told.take(abs(amount))
        level, reset_s = told.seen(now_s)
        _, remaining, shown_reset_s = tokens_of(one, now_s)
        assert remaining == pytest.approx(level, abs=1.001)
        assert shown_reset_s == pytest.approx(reset_s, abs=1e-4)
