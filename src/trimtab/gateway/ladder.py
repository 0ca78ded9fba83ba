"""Where an inference is on its way down the rungs of its route: what comes next, after which wait.

Nothing is called here and nothing waits; the inference does as it is told.
"""

from collections.abc import Sequence
from math import inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from trimtab.config.schema import Rung
from trimtab.errors import (
    ProviderBusy,
    ProviderError,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnreachable,
    RouteUnavailable,
)
from trimtab.gateway.breakers import Breaker
from trimtab.gateway.call import Call
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.sticky import affinity_of, order
from trimtab.types.records import Cause

__all__ = ["Ladder", "Step"]

_FIRST_WAIT_S: Final = 0.5
_LONGEST_WAIT_S: Final = 8.0
_PATIENCE_S: Final = 1.0  # a longer `Retry-After` is not worth waiting for where another rung is


class Step(Struct, frozen=True, gc=False):
    """The next attempt.

    Attributes:
        place: the rung, by its place in the route's ladder.
        cause: why.
        breaker: of the rung; None where it was not asked, and so is not told either.
        admission: number that it gave the call; 0 where it was not asked.
        wait_s: seconds to wait before it.
    """

    place: int
    cause: Cause
    breaker: Breaker | None = None
    admission: int = 0
    wait_s: float = 0.0


class Ladder:
    """The rungs of one inference, and how many attempts each has had.

    Args:
        call: the inference.
        shared: breakers, the budget for extra attempts, and chance.

    Attributes:
        rungs_left: how many rungs there are from the present one on; those before it are done with.
    """

    _tries = 0
    _stale = False

    def __init__(self, call: Call, shared: Reliability) -> None:
        self._call = call
        self._shared = shared
        target = call.target
        count = len(target.rungs)
        self.rungs_left = count + 1  # before the first one
        self._order: Sequence[int] = range(count)
        if target.equals > 1:
            affinity = affinity_of(call.caller.session, bytes(call.request.messages))
            self._order = order(target.rungs, target.equals, affinity)

    def first(self) -> Step:
        """Where to begin.

        Raises:
            RouteUnavailable: every rung is left alone for now.
            ProviderUnreachable: no rung can be called at all.
        """
        self._shared.budget.earned()
        step = self._next("first")
        if step is None:
            raise self._unavailable()
        return step if step.place == self._order[0] else replace(step, cause="fallback")

    def judge(self, step: Step, error: Exception | None, *, began_s: float) -> None:
        """Tell the breaker of a rung how an attempt there ended, well if `error` is None."""
        breaker = step.breaker
        if breaker is None:
            return
        if error is None:
            breaker.succeeded(step.admission, began_s=began_s)
        elif not isinstance(error, ProviderError) or isinstance(error, ProviderBusy):
            breaker.released(step.admission)  # it says nothing about the provider
        elif error.remedy in {"caller", "final", "larger", "repair"}:
            breaker.succeeded(step.admission, began_s=began_s)
        else:
            timeout = isinstance(error, ProviderTimeout)
            breaker.failed(step.admission, timeout=timeout, began_s=began_s)

    def give_up(self, step: Step) -> None:
        """A step is not taken after all, or ended without a word about the provider."""
        if step.breaker is not None:
            step.breaker.released(step.admission)

    def began(self, place: int) -> bool:
        """Whether a rung is the one that this inference would have been served by."""
        return place == self._order[0]

    def after(self, error: ProviderError, place: int, now_s: float) -> Step | None:
        """What to do after an attempt at rung `place` failed with nothing shown; None is the end.

        Args:
            error: why it failed.
            place: its rung.
            now_s: monotonic seconds.
        """
        remedy = error.remedy
        if remedy in {"final", "caller"}:
            return None
        if remedy == "larger":
            return self._next("fallback", larger_than=self._window(place))
        again = self._again(error, place, now_s) if remedy in {"retry", "move"} else None
        if remedy == "retry" and again is not None and again.wait_s <= self._patience_s:
            step = self._paid(again)
            if step is not None:
                return step
        return self._next("fallback") or (self._paid(again) if again is not None else None)

    def repair(self, place: int) -> Step | None:
        """The same rung once more, for an answer that had not the form that it must have."""
        if self._retries < 1:
            return None
        return self._paid(Step(place, "retry"))

    def anew(self, place: int) -> Step | None:
        """The same call once more, because a kept connection had been closed unseen.

        That says nothing about the provider, so neither breaker nor budget is asked.
        """
        if self._stale:
            return None
        self._stale = True
        return Step(place, "retry")

    def after_shown(self, error: ProviderError, place: int) -> Step | None:
        """What to do after a stream broke of which something was shown: a rung that goes on.

        The same one may do it, if it did not fall silent.
        """
        if error.remedy in {"final", "caller", "larger"}:
            return None
        rung = self._call.target.rungs[place]
        if rung.continues and error.remedy != "fail_over" and self._tries <= self._retries:
            again = self._paid(Step(place, "continue"))
            if again is not None:
                return again
        return self._next("continue")

    def beside(self, cause: Cause) -> Step | None:
        """A second attempt while another is under way, on the next rung."""
        return self._next(cause)

    @property
    def has_more(self) -> bool:
        """There are rungs that were not tried."""
        return self.rungs_left > 1

    @property
    def _retries(self) -> int:
        # A client that tries again by itself multiplies our attempts by its own.
        return 0 if self._call.tried_before else self._call.target.policy.retries

    @property
    def _patience_s(self) -> float:
        return _PATIENCE_S if self.has_more else inf

    def _again(self, error: ProviderError, place: int, now_s: float) -> Step | None:
        """The same rung once more, if it may be asked and there is time for it."""
        if self._tries > self._retries:
            return None
        wait_s = 0.0
        if error.remedy == "retry" or (isinstance(error, ProviderUnreachable) and self._tries > 1):
            wait_s = self._wait_s(error)
        deadline_s = self._call.begun_s + self._call.target.timeouts.total_s
        return None if now_s + wait_s >= deadline_s else Step(place, "retry", wait_s=wait_s)

    def _wait_s(self, error: ProviderError) -> float:
        """As long as the provider says, else with full jitter up to a limit that doubles."""
        if isinstance(error, ProviderRefused) and error.wait_s is not None:
            return error.wait_s
        most_s = min(_FIRST_WAIT_S * 2.0 ** (self._tries - 1), _LONGEST_WAIT_S)
        return self._shared.random.uniform(0.0, most_s)

    def _paid(self, again: Step) -> Step | None:
        """A retry, if the breaker and the budget let it through."""
        breaker = self._shared.board.of(self._call.target.rungs[again.place].ref)
        if breaker.state != "closed" or not self._shared.budget.takes():
            return None
        self._tries += 1
        return replace(again, breaker=breaker, admission=breaker.admits())

    def _next(self, cause: Cause, *, larger_than: int | None = None) -> Step | None:
        """An attempt at the next rung that can be called; those before it are not asked again."""
        rungs = self._call.target.rungs
        upstreams = self._call.serving.upstreams
        for left in range(self.rungs_left - 1, 0, -1):
            place = self._order[-left]
            rung = rungs[place]
            if cause == "continue" and not rung.continues:
                continue
            if larger_than is not None and self._window(place) <= larger_than:
                continue
            if upstreams[rung.ref.provider].problem:
                continue
            breaker = self._shared.board.of(rung.ref)
            admission = breaker.admits()
            if admission:
                self.rungs_left = left
                self._tries = 1
                return Step(place, cause, breaker, admission)
        return None

    def _window(self, place: int) -> int:
        """Context tokens of a rung; 0 where nobody knows, so that any known window is larger."""
        return self._call.serving.prices.context_tokens(self._call.target.rungs[place]) or 0

    def _problem(self, rung: Rung) -> str:
        return self._call.serving.upstreams[rung.ref.provider].problem

    def _unavailable(self) -> Exception:
        rungs = self._call.target.rungs
        problems = [self._problem(rung) for rung in rungs]
        if all(problems):
            return ProviderUnreachable(problems[0])
        waits_s = [
            self._shared.board.of(rung.ref).retry_in_s
            for rung, problem in zip(rungs, problems, strict=True)
            if not problem
        ]
        return RouteUnavailable(
            "Every model of this route has failed too often in the last seconds and is left alone "
            "for now. Try again when Retry-After says.",
            retry_after_s=max(min(waits_s), 1.0),
        )
