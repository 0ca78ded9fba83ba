"""What is known after a run of how far its figures can be trusted: judges, and times of day."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np

from trimtab.evals.collect import Collected
from trimtab.evals.figures import estimate_of
from trimtab.evals.judges.bias import arm_errors
from trimtab.evals.judges.calibration import Calibration, load_calibration
from trimtab.evals.judges.correct import corrected
from trimtab.evals.judges.gating import advisory_metrics, judge_models
from trimtab.evals.order import Order
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.result import Estimate
from trimtab.evals.scores import MetricScores, Scores

__all__ = ["APART_S", "Standing", "share_apart", "standing_of"]

APART_S: Final = 600.0
"""Between the answers of both setups to the same case, from which on they are of another time."""

_MOST_APART: Final = 0.05
_LATENCY: Final = "latency"


class Standing(NamedTuple):
    """What to make of the metrics.

    Attributes:
        advisory: why a metric gates nothing, by its name.
        corrected: by metric, the candidate's figure without what its judge is known to get wrong.
        notes: what a reader must know.
    """

    advisory: Mapping[str, str]
    corrected: Mapping[str, Estimate]
    notes: list[str]


def standing_of(order: Order, collected: Collected) -> Standing:
    """Look at who judged, and when both setups were asked.

    Raises:
        ConfigError: a calibration of a judge is not as it must be.
    """
    judges = [one for one in order.evaluators.evaluators if one.asks]
    advisory = dict(_judges_that_advise(order, collected, judges))
    advisory.update(_times_that_advise(order, collected))
    figures: dict[str, Estimate] = {}
    notes: list[str] = []
    for metric in collected.candidate.metrics():
        judge = _only_judge(order.evaluators.evaluators, metric.metric)
        if judge is None or metric.metric in advisory:
            continue
        calibration = load_calibration(order.suite.folder, judge.name)
        assert calibration is not None, "a judge that gates has one"
        found, why_not = _corrected(calibration, metric, order)
        if found is not None:
            figures[metric.metric] = found
        elif why_not:
            notes.append(f"{metric.metric} is as the judge says it: {why_not}.")
    return Standing(advisory, figures, notes)


def share_apart(candidate: Scores, baseline: Scores) -> float:
    """Share of rows with an answer of both setups that were answered at another time."""
    apart = np.abs(candidate.facts.at_s - baseline.facts.at_s)
    apart = apart[~np.isnan(apart)]
    return float((apart > APART_S).mean()) if apart.size else 0.0


def _judges_that_advise(
    order: Order, collected: Collected, judges: Sequence[SuiteEvaluator]
) -> Mapping[str, str]:
    """The models that judged are known now, and where a judge errs on one setup only."""
    if not judges:
        return {}
    folder, evaluators = order.suite.folder, order.evaluators.evaluators
    sides = [one for one in (collected.candidate, collected.baseline) if one is not None]
    marks = chain.from_iterable(side.marks() for side in sides)
    models = judge_models(mark for _, mark in marks)
    advisory = advisory_metrics(folder, evaluators, judged_by=models)
    if order.baseline is None:
        return advisory
    candidate, baseline = order.candidate.setup.hash, order.baseline.setup.hash
    for one in judges:
        calibration = None if one.metric in advisory else load_calibration(folder, one.name)
        if calibration is None:
            continue
        if arm_errors(calibration, candidate=candidate, baseline=baseline).told_apart:
            advisory[one.metric] = (
                f"{one.name}: by its labels it errs differently on candidate and baseline, so a "
                "difference may be the judge's. Run `trimtab eval calibrate` for the figures."
            )
    return advisory


def _times_that_advise(order: Order, collected: Collected) -> Mapping[str, str]:
    if collected.baseline is None:
        return {}
    share = share_apart(collected.candidate, collected.baseline)
    if share <= _MOST_APART:
        return {}
    reason = (
        f"{share:.0%} of the answers to the same case are more than {APART_S / 60:.0f} minutes "
        "apart, so the hour may be the difference. --fresh asks both setups anew."
    )
    metrics = {one.metric for one in order.evaluators.evaluators if one.use == _LATENCY}
    return dict.fromkeys(metrics, reason)


def _only_judge(evaluators: Sequence[SuiteEvaluator], metric: str) -> SuiteEvaluator | None:
    """The judge that alone says what a metric is."""
    own = [one for one in evaluators if one.metric == metric]
    return own[0] if len(own) == 1 and own[0].asks else None


def _corrected(
    calibration: Calibration, metric: MetricScores, order: Order
) -> tuple[Estimate | None, str]:
    """The figure, or why there is none; neither where nothing was measured."""
    means = metric.case_means()
    values = [float(value) for value in means[~np.isnan(means)]]
    raw = estimate_of(metric, [case.cluster for case in order.suite.cases])
    if not values:
        return None, ""
    # Cases that hang together count once for each cluster: rather too little than too much.
    found = corrected(calibration, values, of=raw.clusters)
    if found.value is None:
        return None, found.why_not
    return (
        Estimate(
            value=found.value,
            low=found.low,
            high=found.high,
            cases=raw.cases,
            clusters=raw.clusters,
            rows=raw.rows,
            unmeasured=raw.unmeasured,
            not_applicable=raw.not_applicable,
            method=found.method,
        ),
        "",
    )
