"""What each case of a suite has told so far: how steady its answers are, whom it tells apart. Pure.

The flip rate of a case is the probability that two answers to it by the same setup are judged
differently: with c of n answers good 2 c (n - c) / (n (n - 1)), the unbiased estimate (as of Gini's
index). Values of a score count as different from a tenth on.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from trimtab.datasets.case import Case
from trimtab.evals.scores import MEASURED, MetricScores
from trimtab.stats.units import Floats

__all__ = ["CaseFact", "CaseFacts", "facts_of_cases"]

_APART: Final = 0.1
_SAME: Final = 1e-9
_KINDS: Final = frozenset(("rate", "score"))

Says = Literal["", "all good", "all bad", "alike"]


class CaseFact(NamedTuple):
    """One case.

    Attributes:
        id: of the case.
        flip: the largest flip rate of its metrics, each the mean over setups; None where no setup
            has answered it twice.
        metric: the one that flips most; "" where none does.
        lowest, highest: of the setups' means of the metric that differs most; None of no answer.
        setups: that have answered it.
        says: why it tells no two setups apart: to all of them every metric is as good, or as bad,
            as can be, or in between and alike; "" where it does tell, or too few have answered it.
    """

    id: str
    flip: float | None
    metric: str
    lowest: float | None
    highest: float | None
    setups: int
    says: Says


class CaseFacts(NamedTuple):
    """All cases of a suite.

    Attributes:
        cases: in the order of the suite.
        setups: that were ever tried.
        metrics: that were looked at: rates and scores.
        flip: mean flip rate of the cases that have one; None of none.
    """

    cases: list[CaseFact]
    setups: int
    metrics: list[str]
    flip: float | None

    def telling_nothing(self, says: Says) -> list[str]:
        """Ids of the cases that never told two setups apart, for one of the reasons."""
        return [case.id for case in self.cases if case.says == says]


class _Metric(NamedTuple):
    """One metric over all setups.

    Attributes:
        flips: (cases,): mean over the setups that have two answers; NaN of none.
        means: (setups, cases): of the measured repeats; NaN of none.
        better: higher is better.
    """

    flips: Floats
    means: Floats
    better: bool


def facts_of_cases(cases: Sequence[Case], setups: Sequence[Sequence[MetricScores]]) -> CaseFacts:
    """What the answers of some setups say of the cases.

    Args:
        cases: of the suite.
        setups: the metrics of each, cases in the order of the suite.
    """
    names = list(dict.fromkeys(one.metric for own in setups for one in own if one.kind in _KINDS))
    known = {name: found for name in names if (found := _metric_of(name, setups)) is not None}
    facts = [_fact(case.id, place, known) for place, case in enumerate(cases)]
    flips = [fact.flip for fact in facts if fact.flip is not None]
    mean = sum(flips) / len(flips) if flips else None
    return CaseFacts(facts, len(setups), list(known), mean)


def _metric_of(name: str, setups: Sequence[Sequence[MetricScores]]) -> _Metric | None:
    own = [one for metrics in setups for one in metrics if one.metric == name]
    own = [one for one in own if (one.status == MEASURED).any()]
    if not own:
        return None
    flips = np.array([_flips(one) for one in own])
    return _Metric(
        _mean(flips), np.array([one.case_means() for one in own]), own[0].higher_is_better
    )


def _flips(scores: MetricScores) -> Floats:
    """(cases,): share of pairs of measured repeats that differ; NaN with fewer than two."""
    values = np.where(scores.status == MEASURED, scores.values, np.nan)
    apart = np.abs(values[:, :, None] - values[:, None, :])
    pairs = np.triu(~np.isnan(apart), k=1)
    differing = (pairs & (apart >= _APART)).sum(axis=(1, 2)).astype(np.float64)
    count = np.asarray(pairs.sum(axis=(1, 2)), np.float64)
    return np.divide(differing, count, out=np.full(len(count), np.nan), where=count > 0)


def _mean(rows: Floats) -> Floats:
    """Over the first axis, of what is there."""
    count = (~np.isnan(rows)).sum(axis=0)
    sums: Floats = np.nansum(rows, axis=0)
    return np.divide(sums, count, out=np.full_like(sums, np.nan), where=count > 0)


def _fact(case_id: str, place: int, known: Mapping[str, _Metric]) -> CaseFact:
    flips = {name: float(of.flips[place]) for name, of in known.items()}
    flips = {name: value for name, value in flips.items() if not np.isnan(value)}
    most = max(flips, key=lambda name: flips[name], default="")
    means = {name: of.means[:, place] for name, of in known.items()}
    means = {name: row[~np.isnan(row)] for name, row in means.items()}
    means = {name: row for name, row in means.items() if len(row)}
    widest = max(means, key=lambda name: float(np.ptp(means[name])), default="")
    ends = (float(means[widest].min()), float(means[widest].max())) if widest else (None, None)
    setups = max((len(row) for row in means.values()), default=0)
    return CaseFact(
        id=case_id,
        flip=flips.get(most),
        metric=most if flips.get(most) else "",
        lowest=ends[0],
        highest=ends[1],
        setups=setups,
        says=_says(means, known) if setups > 1 else "",
    )


def _says(means: Mapping[str, Floats], known: Mapping[str, _Metric]) -> Says:
    if any(float(np.ptp(row)) > _SAME for row in means.values()):
        return ""
    shares = [
        float(row[0]) if known[name].better else 1 - float(row[0]) for name, row in means.items()
    ]
    if min(shares) >= 1 - _SAME:
        return "all good"
    return "all bad" if max(shares) <= _SAME else "alike"
