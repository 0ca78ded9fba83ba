"""How each case changed from baseline to candidate, and which are worth a look first. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from trimtab.evals.reports.wording import figure
from trimtab.evals.result import CaseResult, Result, Side
from trimtab.types.experiments import MetricKind

__all__ = ["STATES", "CaseState", "CaseView", "MetricChange", "case_views", "count_states"]

CaseState = Literal[
    "worse", "failed", "mixed", "unanswered", "better", "reworded", "same", "passed"
]
"""Against a baseline: some metric that decides got worse, some worse and some better, some better,
only words changed, nothing did. Without one: some metric that decides is not what it should be
("failed"), or all are ("passed"). "unanswered": nothing is known but that an answer is missing."""

STATES: Final[tuple[CaseState, ...]] = (
    *("worse", "failed", "mixed", "unanswered", "better", "reworded", "same", "passed"),
)

_LEAST: Final = 1e-9  # means of repeats are sums of floats


class _About(NamedTuple):
    """What a report must know of a metric to say what it did on one case.

    Attributes:
        decides: what happens to it is what happened to the case.
        least: a change that is one: of scores the margin, because judges are never quite steady.
    """

    kind: MetricKind
    higher_is_better: bool
    decides: bool
    least: float = _LEAST


_UNKNOWN: Final = _About("score", higher_is_better=True, decides=False)


class MetricChange(msgspec.Struct, frozen=True, kw_only=True):
    """A metric on one case.

    Attributes:
        before, after: in words; `before` is "" without a baseline.
        direction: -1 for worse, 1 for better, 0 for the same.
        decides: it is one of those that the gate decides by.
        falls_short: it is a rate, and not what it should be.
    """

    metric: str
    before: str
    after: str
    direction: int
    decides: bool
    falls_short: bool


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as reports show it.

    Attributes:
        number: its place in the result, from 0.
        state: how it changed.
        broken: a critical case that must not get worse, and did.
        changes: its metrics, those that changed first; amounts are not among them.
        errors: some repeat of the candidate has no answer.
        drop: sum over the metrics that decide of how much worse they are; negative if better.
    """

    number: int
    case: CaseResult
    state: CaseState
    broken: bool
    changes: list[MetricChange]
    errors: bool
    drop: float

    @property
    def changed(self) -> bool:
        """Something is to be seen in it that is not as it was, or should be."""
        return self.broken or self.state not in {"same", "passed"}

    @property
    def moved(self) -> list[MetricChange]:
        """The metrics that changed; without a baseline those that fall short."""
        if self.case.baseline is None:
            return [one for one in self.changes if one.falls_short]
        return [one for one in self.changes if one.direction]


def case_views(result: Result) -> list[CaseView]:
    """All cases of a result: what broke, what got worse, what has no answer, then the rest."""
    about = _about(result)
    broken = {finding.case_id for finding in result.critical}
    views = [
        _view(case, number, about=about, broken=case.case_id in broken)
        for number, case in enumerate(result.cases)
    ]
    return sorted(views, key=_rank)


def count_states(views: Sequence[CaseView]) -> list[tuple[CaseState, int]]:
    """How many cases are in each state, in the order of `STATES`; none of those without any."""
    counts = Counter(view.state for view in views)
    return [(state, counts[state]) for state in STATES if counts[state]]


def _about(result: Result) -> dict[str, _About]:
    any_primary = any(one.primary for one in result.comparisons)
    found = {
        one.metric: _About(one.kind, one.higher_is_better, not any_primary and not one.advisory)
        for one in result.figures
    }
    for one in result.comparisons:
        least = max(_LEAST, one.margin) if one.kind == "score" else _LEAST
        decides = one.primary and one.verdict != "advisory"
        found[one.metric] = _About(one.kind, one.higher_is_better, decides, least)
    return found


def _rank(view: CaseView) -> tuple[bool, int]:
    return not view.broken, STATES.index(view.state)


def _view(case: CaseResult, number: int, *, about: Mapping[str, _About], broken: bool) -> CaseView:
    moved = [
        _change(name, case, about.get(name, _UNKNOWN))
        for name in dict.fromkeys([*_scores(case.baseline), *case.candidate.scores])
    ]
    moved = [one for one in moved if one is not None]
    changes = [change for change, _ in moved]
    return CaseView(
        number=number,
        case=case,
        state=_state(case, changes),
        broken=broken,
        changes=sorted(changes, key=lambda one: (one.direction >= 0, not one.direction)),
        errors=bool(case.candidate.errors),
        drop=sum(drop for _, drop in moved),
    )


def _scores(side: Side | None) -> Mapping[str, float]:
    return {} if side is None else side.scores


def _change(name: str, case: CaseResult, about: _About) -> tuple[MetricChange, float] | None:
    """What became of a metric, and by how much it got worse; None for amounts."""
    kind, higher_is_better = about.kind, about.higher_is_better
    if kind == "amount":
        return None
    before, after = _scores(case.baseline).get(name), case.candidate.scores.get(name)
    sign = 1 if higher_is_better else -1
    gain = 0.0
    if kind == "preference":
        gain = sign * (after or 0.0)  # it compares by itself
    elif before is not None and after is not None:
        gain = sign * (after - before)
    best = 1.0 if higher_is_better else 0.0
    made = MetricChange(
        metric=name,
        before="" if case.baseline is None or kind == "preference" else figure(name, kind, before),
        after=figure(name, kind, after),
        direction=(gain >= about.least) - (gain <= -about.least),
        decides=about.decides,
        falls_short=kind == "rate" and after is not None and abs(after - best) > _LEAST,
    )
    return made, -gain if about.decides else 0.0


def _state(case: CaseResult, changes: Sequence[MetricChange]) -> CaseState:
    deciding = [change for change in changes if change.decides]
    if case.baseline is None:
        if any(change.falls_short for change in deciding):
            return "failed"
        return "unanswered" if case.candidate.errors else "passed"
    worse = any(change.direction < 0 for change in deciding)
    better = any(change.direction > 0 for change in deciding)
    if worse or better:
        return "mixed" if worse and better else "worse" if worse else "better"
    if case.candidate.errors or case.baseline.errors:
        return "unanswered"
    return "same" if case.candidate.texts == case.baseline.texts else "reworded"
