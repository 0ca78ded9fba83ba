"""Leaves a model of a provider alone while it fails, and finds out when it is back.

closed ──too many failures──► open ──wait is over──► half-open ──probe succeeds──► closed
                               ▲                         │
                               └──── probe fails ────────┘  (twice the wait)
"""

from collections.abc import Iterator
from random import Random
from typing import Final, Literal

import msgspec

from trimtab.config.schema import Breakers
from trimtab.types.breakers import BreakerRecord, BreakerRecords
from trimtab.types.clock import NS_PER_S, Clock
from trimtab.types.refs import ModelRef

__all__ = ["Breaker", "BreakerBoard", "BreakerState", "State"]

State = Literal["closed", "open", "half-open"]

_BUCKETS: Final = 10
_JITTER: Final = 0.1  # so that the processes of a fleet do not probe in step
_HINTS_GOOD_FOR_S: Final = 600.0


class BreakerState(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker as people see it.

    Attributes:
        failures_in_a_row: calls that failed since the last that did not, probes included.
        opened_ago_s: seconds since it was last closed; None while it is.
        retry_in_s: seconds until a probe is let through.
    """

    provider: str
    model: str
    state: State
    failures_in_a_row: int
    opened_ago_s: float | None
    retry_in_s: float


class Breaker:
    """Of one model at one provider table.

    `admits` numbers the calls that it lets through, and each says with its number how it ended.
    So the result of a call that began before the breaker opened, or before it closed again, is
    known by its number and changes nothing.
    """

    __slots__ = (
        "_bucket",
        "_buckets_per_s",
        "_calls",
        "_clock",
        "_counted",
        "_failed",
        "_failures",
        "_good_s",
        "_number",
        "_oldest",
        "_opened_s",
        "_probe_at_s",
        "_probing",
        "_random",
        "_settings",
        "_timeouts",
        "_wait_s",
    )

    def __init__(self, settings: Breakers, clock: Clock, random: Random) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._number = 0
        self._good_s = 0.0  # when the latest of those began that ended well
        self._wait_s = 0.0
        self._probe_at_s = 0.0  # the next probe may begin
        self._counted = False
        self._close()

    @property
    def state(self) -> State:
        """What it does at present."""
        if self._opened_s is None:
            return "closed"
        waits = not self._probing and self._clock.monotonic_s() < self._probe_at_s
        return "open" if waits else "half-open"

    @property
    def retry_in_s(self) -> float:
        """Seconds until it lets a probe through; 0.0 if it would now, or is closed."""
        if self._opened_s is None:
            return 0.0
        return max(self._probe_at_s - self._clock.monotonic_s(), 0.0)

    @property
    def used(self) -> bool:
        """It has seen a call, or is not closed."""
        return self._counted or self._opened_s is not None

    def admits(self) -> int:
        """Ask for a call to be made now; when half-open this takes the only probe.

        Returns:
            The number of the call, for exactly one of `succeeded`, `failed` and `released`;
            0 if it must not be made.
        """
        return self._number if self._opened_s is None else self._take_probe()

    def succeeded(self, call: int, *, began_s: float | None = None) -> None:
        """Call number `call` ended well, or its fault was the caller's.

        Args:
            call: its number.
            began_s: monotonic time at which it began, where that is known.
        """
        if call < self._oldest:
            return
        self._counted = True
        if began_s is not None and began_s > self._good_s:
            self._good_s = began_s
        if self._opened_s is not None:
            self._close()
        if self._failures:
            self._failures = self._timeouts = 0
        number = int(self._clock.monotonic_s() * self._buckets_per_s)
        if number != self._bucket:
            self._turn(number)
        self._calls[number % _BUCKETS] += 1

    def failed(self, call: int, *, timeout: bool, began_s: float | None = None) -> None:
        """Call number `call` failed, and that is the provider's fault.

        Slow calls end last. So those of a busy moment that went well would seem to be failures in
        a row: one that began before another that has ended well counts in the share only.

        Args:
            call: its number.
            timeout: it was too slow.
            began_s: monotonic time at which it began, where that is known.
        """
        if call < self._oldest or (self._opened_s is not None and call != self._number):
            return
        self._counted = True
        if began_s is None or began_s >= self._good_s:
            self._failures += 1
            self._timeouts = self._timeouts + 1 if timeout else 0
        number = int(self._clock.monotonic_s() * self._buckets_per_s)
        if number != self._bucket:
            self._turn(number)
        self._calls[number % _BUCKETS] += 1
        self._failed[number % _BUCKETS] += 1
        if self._opened_s is not None or self._fails_too_often():
            self._open()

    def released(self, call: int) -> None:
        """Call number `call` ended without a word about the provider; a probe is given back."""
        if self._probing and call == self._number:
            self._probing = False
            self._probe_at_s = self._clock.monotonic_s()

    def doubt(self) -> None:
        """Begin half-open: the next call decides."""
        self._open()
        self._probe_at_s = self._clock.monotonic_s()

    def use(self, settings: Breakers) -> None:
        """Go on with other settings; what was counted over another window is forgotten."""
        changed = settings.window_s != self._settings.window_s
        self._settings = settings
        if changed:
            self._forget()
        latest_s = self._clock.monotonic_s() + settings.most_open_s
        self._probe_at_s = min(self._probe_at_s, latest_s)

    def snapshot(self, ref: ModelRef) -> BreakerState:
        """Its state under the name `ref`."""
        opened_s = self._opened_s
        return BreakerState(
            provider=ref.provider,
            model=ref.model,
            state=self.state,
            failures_in_a_row=self._failures,
            opened_ago_s=None if opened_s is None else self._clock.monotonic_s() - opened_s,
            retry_in_s=self.retry_in_s,
        )

    def _take_probe(self) -> int:
        now_s = self._clock.monotonic_s()
        if now_s < self._probe_at_s:
            return 0
        # A probe may last, or be lost: then another is made. If it ends well after all, it still
        # closes the breaker; otherwise answers that take longer than the wait never would.
        self._number += 1
        self._probing = True
        self._probe_at_s = now_s + self._settings.most_open_s
        return self._number

    def _open(self) -> None:
        now_s, settings = self._clock.monotonic_s(), self._settings
        if self._opened_s is None:
            self._opened_s = now_s
            self._wait_s = settings.open_s
        else:
            self._wait_s *= 2
        self._wait_s = min(self._wait_s, settings.most_open_s)
        self._probe_at_s = now_s + self._wait_s * self._random.uniform(1 - _JITTER, 1 + _JITTER)
        self._probing = False
        self._number += 1
        self._oldest = self._number

    def _close(self) -> None:
        self._opened_s: float | None = None
        self._probing = False
        self._failures = 0
        self._timeouts = 0
        self._number += 1
        self._oldest = self._number  # what has a lower number began before
        self._forget()

    # ------------------------------------------------------------ calls by time

    def _forget(self) -> None:
        self._calls = [0] * _BUCKETS
        self._failed = [0] * _BUCKETS
        self._buckets_per_s = _BUCKETS / self._settings.window_s
        self._bucket = int(self._clock.monotonic_s() * self._buckets_per_s)

    def _turn(self, number: int) -> None:
        """Go on to the bucket of this moment; those that time has passed by are emptied."""
        for passed in range(max(self._bucket, number - _BUCKETS) + 1, number + 1):
            self._calls[passed % _BUCKETS] = 0
            self._failed[passed % _BUCKETS] = 0
        self._bucket = number

    def _fails_too_often(self) -> bool:
        settings = self._settings
        if self._failures >= settings.failures or self._timeouts >= settings.timeouts:
            return True
        calls = sum(self._calls)
        return calls >= settings.least_calls and sum(self._failed) >= calls * settings.error_share


class BreakerBoard:
    """All breakers of the process; it outlives reloads of the project.

    Args:
        settings: those of the project.
        clock: durations are read from its monotonic side.
        seed: of the jitter; None for another in each process.
    """

    def __init__(self, settings: Breakers, clock: Clock, *, seed: int | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._random = Random(seed)  # noqa: S311 - spreads probes, guards nothing
        self._breakers: dict[ModelRef, Breaker] = {}
        self._hinted: frozenset[ModelRef] = frozenset()
        self._hints_end_s = 0.0

    def use(self, settings: Breakers) -> None:
        """Go on with other settings, after a reload."""
        self._settings = settings
        for breaker in self._breakers.values():
            breaker.use(settings)

    def of(self, ref: ModelRef) -> Breaker:
        """The breaker of `ref`, always the same one; made when first asked for."""
        breaker = self._breakers.get(ref)
        if breaker is None:
            breaker = self._breakers[ref] = Breaker(self._settings, self._clock, self._random)
            if ref in self._hinted and self._clock.monotonic_s() < self._hints_end_s:
                breaker.doubt()
        return breaker

    def states(self) -> list[BreakerState]:
        """Those that have seen a call or are not closed, in the order they were first asked for."""
        return [breaker.snapshot(ref) for ref, breaker in self._used()]

    def records(self) -> BreakerRecords:
        """The same for other processes, and as hints for the next one."""
        now_ns = self._clock.wall_ns()
        return BreakerRecords(
            written_ns=now_ns, breakers=[_record(state, now_ns) for state in self.states()]
        )

    def take_hints(self, records: BreakerRecords) -> None:
        """Let what was not closed at the end of the last process begin half-open.

        Hints that are older than 10 minutes or are about models that nobody asks for change
        nothing; nor do they where a call has been seen already.
        """
        age_ns = self._clock.wall_ns() - records.written_ns
        # A wall clock that was set back in between makes a hint from the future; a small step is
        # taken as no time at all.
        if abs(age_ns) > _HINTS_GOOD_FOR_S * NS_PER_S:
            return
        doubtful = [one for one in records.breakers if one.state != "closed"]
        self._hinted = frozenset(ModelRef(one.provider, one.model) for one in doubtful)
        left_s = _HINTS_GOOD_FOR_S - max(age_ns, 0) / NS_PER_S
        self._hints_end_s = self._clock.monotonic_s() + left_s
        for ref in self._hinted:
            breaker = self._breakers.get(ref)
            if breaker is not None and not breaker.used:
                breaker.doubt()

    def _used(self) -> Iterator[tuple[ModelRef, Breaker]]:
        return (pair for pair in self._breakers.items() if pair[1].used)


def _record(state: BreakerState, now_ns: int) -> BreakerRecord:
    """A state with moments in the place of durations."""
    opened_ago_s = state.opened_ago_s
    return BreakerRecord(
        provider=state.provider,
        model=state.model,
        state=state.state,
        failures_in_a_row=state.failures_in_a_row,
        opened_ns=None if opened_ago_s is None else now_ns - int(opened_ago_s * NS_PER_S),
        retry_at_ns=None if opened_ago_s is None else now_ns + int(state.retry_in_s * NS_PER_S),
    )
