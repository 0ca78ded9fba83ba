"""Guards of versions that are tried: each inference of a prompt is fed to them in its order."""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from sys import float_info
from typing import Final, NamedTuple

import msgspec

from trimtab.releases.serving import Trial
from trimtab.stats.sequential import RateTest
from trimtab.stats.sequential_amounts import AmountTest, nearest_rank
from trimtab.stats.sequential_guards import Guards, GuardVerdict
from trimtab.types.clock import Clock
from trimtab.types.feedback import THUMBS, Feedback
from trimtab.types.records import Arm, PromptUse, Settle

__all__ = ["CanarySeat", "CanaryWatch", "Ended", "Evidence"]

REFERENCE: Final = 100
"""Inferences of the released version that say what is usual; the guards begin after them."""

_MOST_OF_A_USER: Final = (
    5  # inferences of one user hang together, and count as evidence only so far
)
_MOST_USERS: Final = 100_000
_SLOW_SHARE: Final = 0.95
_MOST_WAITING: Final = 10_000
_MOST_HEARD: Final = 10_000  # of inferences on which two may speak at the same moment
_THUMBS_DOWN: Final = "thumbs_down"


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


class Evidence(msgspec.Struct):
    """What is known of one trial; it can be encoded, and goes on where it was after a restart.

    Attributes:
        reference: of the released version, until there are enough of it.
        slow_us: above this an inference is slow.
        rates, amounts: the guards by metric; none before the reference is complete.
        users: inferences that count, by a digest of version and user; and likewise feedback.
        thumbs_down, thumbs: feedback on the released version before the guards began, and of it
            the bad one.
        share: that the version is tried on.
        share_ns: UTC nanoseconds since when. Feedback on inferences that began before does not
            count: those of one version would be younger, and bad feedback comes sooner than good.
    """

    reference: list[Ended] = []
    slow_us: float = float_info.max
    rates: dict[str, RateTest] = {}
    amounts: dict[str, AmountTest] = {}
    users: dict[str, int] = {}
    thumbs_down: int = 0
    thumbs: int = 0
    share: float = 0.0
    share_ns: int = 0

    def guards(self) -> Guards | None:
        """The guards that look at it; None before it is known what is usual."""
        return Guards({**self.rates, **self.amounts}) if self.rates else None


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
    """One trial.

    Attributes:
        mark: of what is compared with what, and where.
        taken: inferences that were taken in.
    """

    def __init__(
        self, mark: str, trial: Trial, *, on_worse: Callable[[GuardVerdict], None], now_ns: int
    ) -> None:
        self.mark = mark
        self.taken = 0
        self._hashes: dict[Arm, str] = {
            "canary": trial.served.prompt.version_hash,
            "released": trial.released.prompt.version_hash,
        }
        self._on_worse = on_worse
        self._seats: deque[CanarySeat] = deque()
        self._guards: Guards | None = None
        self._over = False
        self._heard: dict[str, None] = {}
        self.evidence = Evidence(share=trial.settings.share, share_ns=now_ns)

    def go_on(self, evidence: Evidence) -> None:
        """Take the evidence of an earlier process in the place of the own."""
        own, self.evidence, self._guards = self.evidence, evidence, evidence.guards()
        self.try_on(own.share, own.share_ns)

    def try_on(self, share: float, now_ns: int) -> None:
        """From now on the version is tried on this share."""
        if self.evidence.share != share:
            self.evidence.share, self.evidence.share_ns = share, now_ns

    def seat(self, use: PromptUse, user: str) -> CanarySeat | None:
        """A place for an inference that begins; None if it does not count."""
        if self._over or len(self._seats) >= _MOST_WAITING:
            return None
        if use.hash != self._hashes.get(use.arm):  # or it began before the release changed
            return None
        candidate = use.arm == "canary"
        if user and not self._counts(user, candidate=candidate):
            return None
        seat = CanarySeat(self._feed, candidate=candidate)
        self._seats.append(seat)
        return seat

    def verdict(self) -> GuardVerdict | None:
        """What the guards say by now; None before they know what is usual."""
        return self._guards.check() if self._guards is not None else None

    def hear(self, given: Feedback, use: PromptUse, user: str) -> None:
        """Take in what is first said of an inference; what is said later corrects no evidence."""
        evidence, candidate = self.evidence, use.arm == "canary"
        if self._over or given.bad is None or given.inference_id in self._heard:
            return
        if use.hash != self._hashes.get(use.arm) or given.started_ns < evidence.share_ns:
            return
        self._heard[given.inference_id] = None
        if len(self._heard) > _MOST_HEARD:
            del self._heard[next(iter(self._heard))]
        if user and not self._counts(f"{_THUMBS_DOWN}\0{user}", candidate=candidate):
            return
        self.taken += 1
        test = evidence.rates.get(_THUMBS_DOWN)
        if test is not None:
            count = test.add_candidate if candidate else test.add_released
            count(int(given.bad))
            self._look()
        elif self._guards is None and not candidate:
            evidence.thumbs_down += given.bad
            evidence.thumbs += 1

    def _counts(self, user: str, *, candidate: bool) -> bool:
        users = self.evidence.users
        if len(users) >= _MOST_USERS:
            users.clear()
        name = hashlib.blake2b(f"{candidate}\0{user}".encode(), digest_size=8).hexdigest()
        users[name] = users.get(name, 0) + 1
        return users[name] <= _MOST_OF_A_USER

    def _feed(self) -> None:
        """Take in what has ended, as far as all that began before it has."""
        while self._seats and (self._seats[0].gone or self._seats[0].ended is not None):
            seat = self._seats.popleft()
            if seat.ended is not None and not self._over:
                self._take(seat.ended, candidate=seat.candidate)

    def _take(self, ended: Ended, *, candidate: bool) -> None:
        self.taken += 1
        guards = self._guards
        if guards is None:
            if not candidate:
                self.evidence.reference.append(ended)
                if len(self.evidence.reference) >= REFERENCE:
                    self._begin()
            return
        for test in self.evidence.amounts.values():
            add = test.add_candidate if candidate else test.add_released
            add([float(ended.cost_nanousd)])
        for metric, test in self.evidence.rates.items():
            if (bad := self._is_bad(metric, ended)) is not None:
                count = test.add_candidate if candidate else test.add_released
                count(int(bad))
        self._look()

    def _look(self) -> None:
        guards = self._guards
        if guards is not None and guards.must_pause():
            self._over = True
            self._on_worse(guards.check())

    def _begin(self) -> None:
        evidence = self.evidence
        reference, evidence.reference = evidence.reference, []
        good = [float(one.latency_us) for one in reference if not one.failed]
        if good:
            evidence.slow_us = nearest_rank(good, _SLOW_SHARE)
        costs = [float(one.cost_nanousd) for one in reference]
        for metric in ("errors", "format", "slow"):
            bad = [self._is_bad(metric, one) for one in reference]
            known = [one for one in bad if one is not None]
            test = RateTest.begin(reference_bad=sum(known), reference_count=len(known))
            evidence.rates[metric] = test
        evidence.rates[_THUMBS_DOWN] = RateTest.begin(
            reference_bad=evidence.thumbs_down, reference_count=evidence.thumbs
        )
        if any(costs):
            evidence.amounts["cost"] = AmountTest.begin(costs)
        self._guards = evidence.guards()

    def _is_bad(self, metric: str, ended: Ended) -> bool | None:
        """Whether an inference counts against its version; None if it says nothing."""
        if metric == "errors":
            return ended.failed
        if ended.failed or metric == _THUMBS_DOWN:  # which is heard of later, if at all
            return None
        if metric == "format":
            return ended.form == "invalid" if ended.form else None
        return ended.latency_us > self.evidence.slow_us


class CanaryWatch:
    """All trials of an environment. Belongs to the event loop's thread.

    Attributes:
        on_worse: hears once that a version is worse than the released one: the prompt, the trial
            and the figures. Set before there is anything to watch.
    """

    on_worse: Callable[[str, Trial, GuardVerdict], None]

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def use(self, environment: str, trials: Mapping[str, Trial]) -> None:
        """Watch these. One that goes on keeps its evidence, whatever its share is by now.

        Where another version is released, or one of the two is pinned to another model, what was
        compared so far says nothing any more.
        """
        before, self._watched = self._watched, {}
        for name, trial in trials.items():
            if trial.settings.shadow or trial.settings.paused:
                continue
            mark = _mark(environment, name, trial)
            old = before.get(name)
            if old is None or old.mark != mark:
                self._watched[name] = self._new(mark, name, trial)
                continue
            old.try_on(trial.settings.share, self._clock.wall_ns())
            self._watched[name] = old

    def seat(self, use: PromptUse, user: str) -> CanarySeat | None:
        """A place for an inference that begins; None where nothing is tried of its prompt."""
        watched = self._watched.get(use.id)
        return watched.seat(use, user) if watched is not None else None

    def hear(self, given: Feedback, user: str) -> None:
        """Feedback is given on an inference that had none by this metric.

        Args:
            given: what is on record now.
            user: whose inference it is; "" if nobody is named.
        """
        use = given.prompt
        watched = self._watched.get(use.id) if use is not None else None
        if watched is not None and use is not None and given.metric == THUMBS:
            watched.hear(given, use, user)

    def verdicts(self) -> dict[str, GuardVerdict]:
        """What the guards of each prompt say by now."""
        found = {name: watched.verdict() for name, watched in self._watched.items()}
        return {name: verdict for name, verdict in found.items() if verdict is not None}

    @property
    def taken(self) -> tuple[tuple[str, int], ...]:
        """Changes with the evidence."""
        return tuple((watched.mark, watched.taken) for watched in self._watched.values())

    def evidence(self) -> dict[str, Evidence]:
        """What is known of each trial, by a mark of what is compared with what."""
        return {watched.mark: watched.evidence for watched in self._watched.values()}

    def go_on(self, known: Mapping[str, Evidence]) -> None:
        """Go on with what an earlier process knew of the trials that are watched now."""
        for watched in self._watched.values():
            if watched.mark in known:
                watched.go_on(known[watched.mark])

    def _new(self, mark: str, name: str, trial: Trial) -> _Watched:
        def on_worse(verdict: GuardVerdict) -> None:
            self.on_worse(name, trial, verdict)

        return _Watched(mark, trial, on_worse=on_worse, now_ns=self._clock.wall_ns())


def _mark(environment: str, prompt_id: str, trial: Trial) -> str:
    sides = [(one.prompt.version_hash, one.pin) for one in (trial.served, trial.released)]
    return hashlib.sha256(msgspec.json.encode((environment, prompt_id, sides))).hexdigest()
