"""Inferences of every kind that a ladder can bring about, as records, from one seed."""

from collections.abc import Iterator
from random import Random
from typing import Any

from store.samples import NOON_NS, intent, settle
from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import Cause, Intent, Settle
from trimtab.types.usage import Usage

__all__ = ["Ladders", "hedged", "interleaved"]

ROUTES = ("main", "search")


class Ladders:
    """Makes inferences, each a list of records in an order in which they could be written."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._number = 0

    def inference(self) -> list[Record]:
        """One of any kind."""
        kinds = (self._plain, self._down, self._hedged, self._broken, self._again, self._stale)
        kind = self._rng.choices(kinds, weights=(4, 3, 3, 2, 1, 1))[0]
        self._number += 1
        rng = self._rng
        self._intent: dict[str, Any] = {
            "inference_id": f"inf_{self._number:05}",
            "started_ns": NOON_NS + rng.randrange(3 * 86_400) * NS_PER_S,
            "route": rng.choice(ROUTES),
            "streamed": rng.random() < 0.7,
        }
        self._after_us = 0
        return list(kind())

    def _begin(self, attempt: int, cause: Cause, rung: int) -> Intent:
        if attempt > 1:
            self._after_us += self._rng.randrange(1, 2_000_000)
        return intent(
            **self._intent, attempt=attempt, cause=cause, rung=rung, after_us=self._after_us
        )

    def _end(self, begun: Intent, **changes: Any) -> Settle:
        rng = self._rng
        self._after_us += int(rng.paretovariate(0.9) * 1_000)
        ttft_us = None
        if begun.streamed and rng.random() < 0.8:
            ttft_us = rng.randrange(begun.after_us, self._after_us + 1)
        values: dict[str, Any] = {
            "attempt": begun.attempt,
            "latency_us": self._after_us,
            "ttft_us": ttft_us,
            "cost_nanousd": rng.randrange(5_000),
            "usage": Usage(
                input_tokens=rng.randrange(90),
                cache_read_tokens=rng.randrange(20),
                output_tokens=rng.randrange(3),
            ),
        }
        return settle(begun.inference_id, **values | changes)

    def _failed(self, begun: Intent, **changes: Any) -> Settle:
        outcome = self._rng.choice(["error", "timeout"])
        return self._end(begun, outcome=outcome, error_code="provider_error", **changes)

    def _last(self, begun: Intent) -> Settle:
        good = self._rng.random() < 0.8
        return self._end(begun) if good else self._failed(begun)

    def _plain(self) -> Iterator[Record]:
        # The first rung may have been passed over, because its breaker was open.
        ways: list[tuple[Cause, int]] = [("first", 0), ("first", 0), ("first", 2), ("fallback", 1)]
        cause, rung = self._rng.choice(ways)
        begun = self._begin(1, cause, rung)
        yield begun
        yield self._last(begun)

    def _down(self) -> Iterator[Record]:
        """Retries and fallbacks until one is the last."""
        rung, last = 0, self._rng.randrange(2, 5)
        cause: Cause = "first"
        following: tuple[Cause, ...] = ("retry", "fallback")
        for attempt in range(1, last + 1):
            begun = self._begin(attempt, cause, rung)
            yield begun
            yield self._last(begun) if attempt == last else self._failed(begun, final=False)
            cause = self._rng.choice(following)
            rung += cause == "fallback"

    def _hedged(self) -> Iterator[Record]:
        """Two at a time; the loser is settled before the winner, or after it."""
        one, two = self._begin(1, "first", 0), self._begin(2, "hedge", 1)
        winner, loser = self._rng.choice([(one, two), (two, one)])
        lost = self._end(loser, final=False, outcome="cancelled", error_code="hedge_lost")
        if self._rng.random() < 0.5:
            lost = self._end(
                loser, final=False, outcome="cancelled", error_code="hedge_lost", ttft_us=None
            )
        won = self._last(winner)
        yield from (one, two)
        yield from self._rng.choice([(lost, won), (won, lost)])

    def _broken(self) -> Iterator[Record]:
        """A stream that breaks, and others that go on with it."""
        begun = self._begin(1, "first", 0)
        yield begun
        for attempt in range(2, self._rng.randrange(3, 5)):
            nothing = {} if self._rng.random() < 0.5 else {"usage": Usage(input_tokens=5)}
            following = self._begin(attempt, "continue", attempt - 1)
            failed = self._failed(begun, final=False, **nothing)
            # The settle may be written after the intent of the next attempt.
            yield from self._rng.choice([(failed, following), (following, failed)])
            begun = following
        # Callers have had their first token from the first attempt.
        yield self._end(begun, ttft_us=100)

    def _again(self) -> Iterator[Record]:
        begun = self._begin(1, "cache", 0)
        yield begun
        yield self._answered(begun)

    def _stale(self) -> Iterator[Record]:
        attempt = 1
        if self._rng.random() < 0.7:
            begun = self._begin(1, "first", 0)
            yield begun
            yield self._failed(begun, final=False)
            attempt = 2
        begun = self._begin(attempt, "stale", 0)
        yield begun
        yield self._answered(begun)

    def _answered(self, begun: Intent) -> Settle:
        saved = self._rng.randrange(1, 4_000)
        return self._end(
            begun, cost_nanousd=0, usage=Usage(), usage_source="none", saved_nanousd=saved
        )


def interleaved(inferences: list[list[Record]], seed: int) -> list[Record]:
    """The records of all, each inference's own in their order."""
    rng = Random(seed)
    left = [list(reversed(records)) for records in inferences]
    found: list[Record] = []
    while left:
        at = rng.randrange(max(0, len(left) - 5), len(left))
        found.append(left[at].pop())
        if not left[at]:
            left.pop(at)
    return found


def hedged(inference_id: str, *, hedge_wins: bool, loser_last: bool) -> list[Record]:
    """A hedge on the second rung after 100 ms; 300 ms in all."""
    one = intent(inference_id)
    two = intent(
        inference_id, attempt=2, cause="hedge", rung=1, after_us=100_000, provider="local",
        model="smol",
    )  # fmt: skip
    winner, loser = (two, one) if hedge_wins else (one, two)
    lost = settle(
        inference_id, attempt=loser.attempt, final=False, outcome="cancelled",
        error_code="hedge_lost", latency_us=200_000, ttft_us=None, cost_nanousd=40,
    )  # fmt: skip
    won = settle(inference_id, attempt=winner.attempt, latency_us=300_000, ttft_us=200_000)
    return [one, two, *((won, lost) if loser_last else (lost, won))]
