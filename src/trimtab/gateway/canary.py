"""Guards of versions that are tried: each inference of a prompt is fed to them in its order."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from trimtab.releases.serving import Trial
from trimtab.stats.sequential import RateTest
from trimtab.stats.sequential_amounts import AmountTest, nearest_rank
from trimtab.stats.sequential_guards import Guards, GuardVerdict
from trimtab.types.records import PromptUse, Settle

__all__ = ["CanarySeat", "CanaryWatch", "Ended"]

REFERENCE: Final = 100
"""Inferences of the released version that say what is usual; the guards begin after them."""

_MOST_OF_A_USER: Final = (
    5  # inferences of one user hang together, and count as evidence only so far
)
_MOST_USERS: Final = 100_000
_SLOW_SHARE: Final = 0.95
_MOST_WAITING: Final = 10_000


class Ended(NamedTuple):
    """What an inference came to, as far as guards look at it.

    Attributes:
        failed: it ended in an error that was not the caller's.
        form: "ok", "invalid", or "" where nobody looked.
        latency_us: to its end; of one that failed it says nothing.
        cost_nanousd: of all its attempts.
    """

    failed: bool
    form: str
    latency_us: int
    cost_nanousd: int


class CanarySeat:
    """The place of one inference in the order in which they began."""

    __slots__ = ("_settled", "candidate", "ended", "gone")

    def __init__(self, settled: Callable[[], None], *, candidate: bool) -> None:
        self._settled = settled
        self.candidate = candidate
        self.ended: Ended | None = None
        self.gone = False

    def end(self, settle: Settle, *, cost_nanousd: int) -> None:
        """The inference is over."""
        if settle.outcome == "cancelled":
            self.leave()
            return
        failed = settle.outcome != "ok"
        self.ended = Ended(failed, settle.form, settle.latency_us, cost_nanousd)
        self._settled()

    def leave(self) -> None:
        """Nothing can be said of it, unless it has ended: the caller left, or it never began."""
        if self.ended is None and not self.gone:
            self.gone = True
            self._settled()


class _Watched:
    """One trial."""

    def __init__(self, trial: Trial, *, on_worse: Callable[[GuardVerdict], None]) -> None:
        self.trial = trial
        self._on_worse = on_worse
        self._seats: deque[CanarySeat] = deque()
        self._reference: list[Ended] = []
        self._slow_us = 0.0
        self._guards: Guards | None = None
        self._users: Counter[tuple[bool, str]] = Counter()
        self._over = False

    def seat(self, *, candidate: bool, user: str) -> CanarySeat | None:
        """A place for an inference that begins; None if it does not count."""
        if self._over or len(self._seats) >= _MOST_WAITING:
            return None
        if user:
            if len(self._users) >= _MOST_USERS:
                self._users.clear()
            self._users[candidate, user] += 1
            if self._users[candidate, user] > _MOST_OF_A_USER:
                return None
        seat = CanarySeat(self._feed, candidate=candidate)
        self._seats.append(seat)
        return seat

    def verdict(self) -> GuardVerdict | None:
        """What the guards say by now; None before they know what is usual."""
        return self._guards.check() if self._guards is not None else None

    def _feed(self) -> None:
        """Take in what has ended, as far as all that began before it has."""
        while self._seats and (self._seats[0].gone or self._seats[0].ended is not None):
            seat = self._seats.popleft()
            if seat.ended is not None and not self._over:
                self._take(seat.ended, candidate=seat.candidate)

    def _take(self, ended: Ended, *, candidate: bool) -> None:
        guards = self._guards
        if guards is None:
            if not candidate:
                self._reference.append(ended)
                if len(self._reference) >= REFERENCE:
                    self._begin()
            return
        for metric, test in guards.tests.items():
            if isinstance(test, AmountTest):
                add = test.add_candidate if candidate else test.add_released
                add([float(ended.cost_nanousd)])
            elif (bad := self._is_bad(metric, ended)) is not None:
                count = test.add_candidate if candidate else test.add_released
                count(int(bad))
        if guards.must_pause():
            self._over = True
            self._on_worse(guards.check())

    def _begin(self) -> None:
        reference, self._reference = self._reference, []
        good = [float(one.latency_us) for one in reference if not one.failed]
        self._slow_us = nearest_rank(good, _SLOW_SHARE) if good else float("inf")
        costs = [float(one.cost_nanousd) for one in reference]
        tests: dict[str, RateTest | AmountTest] = {}
        for metric in ("errors", "format", "slow"):
            bad = [self._is_bad(metric, one) for one in reference]
            known = [one for one in bad if one is not None]
            tests[metric] = RateTest.begin(reference_bad=sum(known), reference_count=len(known))
        if any(costs):
            tests["cost"] = AmountTest.begin(costs)
        self._guards = Guards(tests)

    def _is_bad(self, metric: str, ended: Ended) -> bool | None:
        """Whether an inference counts against its version; None if it says nothing."""
        if metric == "errors":
            return ended.failed
        if ended.failed:
            return None
        if metric == "format":
            return ended.form == "invalid" if ended.form else None
        return ended.latency_us > self._slow_us


class CanaryWatch:
    """All trials of an environment. Belongs to the event loop's thread.

    Attributes:
        on_worse: hears once that a version is worse than the released one: the prompt, the trial
            and the figures. Set before there is anything to watch.
    """

    on_worse: Callable[[str, Trial, GuardVerdict], None]

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}

    def use(self, trials: Mapping[str, Trial]) -> None:
        """Watch these. One that goes on keeps its evidence, whatever its share is by now."""
        before, self._watched = self._watched, {}
        for name, trial in trials.items():
            settings = trial.settings
            if settings.shadow or settings.paused:
                continue
            old = before.get(name)
            same = old is not None and old.trial.settings.hash == settings.hash
            self._watched[name] = old if same and old is not None else self._new(name, trial)

    def seat(self, use: PromptUse, user: str) -> CanarySeat | None:
        """A place for an inference that begins; None where nothing is tried of its prompt."""
        watched = self._watched.get(use.id)
        if watched is None or use.arm not in {"released", "canary"}:
            return None
        return watched.seat(candidate=use.arm == "canary", user=user)

    def verdicts(self) -> dict[str, GuardVerdict]:
        """What the guards of each prompt say by now."""
        found = {name: watched.verdict() for name, watched in self._watched.items()}
        return {name: verdict for name, verdict in found.items() if verdict is not None}

    def _new(self, name: str, trial: Trial) -> _Watched:
        def on_worse(verdict: GuardVerdict) -> None:
            self.on_worse(name, trial, verdict)

        return _Watched(trial, on_worse=on_worse)
