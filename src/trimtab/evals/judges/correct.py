"""A run's figure without what its judge is known to get wrong."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from trimtab.evals.judges.calibration import Calibration
from trimtab.evals.judges.eligible import agreement_of
from trimtab.stats.agreement import Share
from trimtab.stats.judge_correction import Observed, Pair, corrected_rate, prediction_powered

__all__ = ["Correction", "corrected"]

_BY_RATES: Final = "Rogan-Gladen, Lang-Reiczigel"
_BY_SHIFT: Final = "judge's mean, rectified by labels"
_FEWEST: Final = 10


class Correction(NamedTuple):
    """What people would say of all rows, as far as the labels tell; or why they do not.

    Attributes:
        value, low, high: the figure with its interval at 95 %; None where it cannot be told.
        method: by which.
        why_not: what is missing; "" with a figure.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str = ""
    why_not: str = ""


def corrected(
    calibration: Calibration, values: Sequence[float], *, of: float | None = None
) -> Correction:
    """The figure of a run.

    Of a rate by the judge's sensitivity and specificity. Of a score or a preference by how much
    people differ from the judge on the labelled rows, whatever they were drawn from: so the judge
    is taken to err on this run as it did there, and it is not tuned to help less.

    Args:
        calibration: of the judge that gave the values.
        values: of the run, one of each case: the mean of its repeats.
        of: independent cases that these are worth, where they hang together; None for all.
    """
    if len(values) < 2:
        return _none("the run has fewer than two values")
    if calibration.judge.kind == "rate":
        return _rate(calibration, sum(values) / len(values), of or len(values))
    return _mean(calibration, values, of or len(values))


def _rate(calibration: Calibration, rate: float, of: float) -> Correction:
    agreement = agreement_of(calibration)
    if agreement is None or agreement.sensitivity is None or agreement.specificity is None:
        return _none("there are no labels of both kinds")
    try:
        found = corrected_rate(
            Observed(rate, of),
            _observed(agreement.sensitivity),
            _observed(agreement.specificity),
        )
    except ValueError as error:
        return _none(str(error))
    return Correction(found.value, found.low, found.high, _BY_RATES)


def _mean(calibration: Calibration, values: Sequence[float], of: float) -> Correction:
    labels = calibration.labels
    if len(labels) < _FEWEST:
        return _none(f"there are {len(labels)} labels; {_FEWEST} are the fewest")
    found = prediction_powered(_pairs(calibration), values, tuned=False, worth=of)
    return Correction(found.value, found.low, found.high, _BY_SHIFT)


def _pairs(calibration: Calibration) -> list[Pair]:
    """The labels, each with the rows that it stands for."""
    scale = calibration.judge.scale
    places = [(label.setup_hash, scale.category(label.judge)) for label in calibration.labels]
    rows = {
        (pool.setup_hash, scale.category(pool.verdict)): pool.rows
        for pool in calibration.population
    }
    drawn = Counter(places)
    return [
        Pair(label.human, label.judge, max(rows.get(place, 0), drawn[place]) / drawn[place])
        for label, place in zip(calibration.labels, places, strict=True)
    ]


def _observed(share: Share) -> Observed:
    return Observed(share.value, share.of)


def _none(why_not: str) -> Correction:
    return Correction(None, None, None, why_not=why_not)
