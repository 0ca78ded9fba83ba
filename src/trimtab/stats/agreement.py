"""How often a judge agrees with people, from labels that were drawn by strata. Pure.

Rows are drawn at random within strata, each of one verdict of the judge, because a judge that
passes 95 of 100 would leave almost nothing to learn of the rest. Each label then stands for as many
rows as its stratum has for each label, and all figures are about the rows that labels were drawn
from, not about the labels. Verification that depends on the verdict is a known trap otherwise: Begg
and Greenes, "Assessment of diagnostic tests when disease verification is subject to selection bias"
(Biometrics 39, 1983).

Variances are by the delta method, with the two parts of sampling in two phases: rows out of all
that there could be, labels out of rows. Where the labels are a simple random sample, that of kappa
is the one of Fleiss, Cohen and Everitt, "Large sample standard errors of kappa and weighted kappa"
(Psychological Bulletin 72, 1969).

That standard error is 0 where all labels agree, and too small where few differ: of 50 to 100
labels, simulated, the lower end of its interval is too high in 4 to 38 % of all samples instead of
2.5 %. So the interval of kappa is at least as wide as the one that follows from Wilson's interval
of the agreement with chance agreement held fixed, which is Cohen's own approximation ("A
coefficient of agreement for nominal scales", Educational and Psychological Measurement 20, 1960)
with a score interval.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final, NamedTuple

import numpy as np

from trimtab.stats.rates import wilson_interval
from trimtab.stats.units import Floats

__all__ = ["Z95", "Agreement", "Kappa", "Share", "Stratum", "agree", "share_of", "simple_sample"]

Z95: Final = 1.959963984540054
"""Of two-sided intervals at 95 %."""


class Stratum(NamedTuple):
    """Rows of one verdict, some of which people have labelled.

    Attributes:
        verdict: the judge's, as the index of a category from 0.
        rows: there are.
        labels: of each category, how many of the rows people have put there.
    """

    verdict: int
    rows: int
    labels: tuple[int, ...]


class Share(NamedTuple):
    """A share with Wilson's interval.

    Attributes:
        value: 0 to 1.
        low, high: of the interval.
        of: independent labels that would tell it as exactly; at most as many as there are.
    """

    value: float
    low: float
    high: float
    of: float


class Kappa(NamedTuple):
    """Agreement beyond chance: 1 for all of it, 0 for none.

    Attributes:
        value: -1 to 1.
        se: standard error.
        low, high: of the interval at 95 %.
    """

    value: float
    se: float
    low: float
    high: float


class Agreement(NamedTuple):
    """A judge against people.

    Attributes:
        labels: that the figures are from.
        raw: share of rows on which both say exactly the same.
        kappa: None where everything is in one category, and chance explains all.
        sensitivity: share of rows which people call positive that the judge calls so; None where
            there are none.
        specificity: the same of negative ones.
        majority: raw agreement of a judge that always says what people say most often.
        unseen: share of all rows that are in strata without any label; the figures leave them out.
    """

    labels: int
    raw: Share
    kappa: Kappa | None
    sensitivity: Share | None
    specificity: Share | None
    majority: float
    unseen: float


def share_of(value: float, of: float, z: float = Z95) -> Share:
    """A share of so many with Wilson's interval; `of` need not be whole, and is above 0."""
    low, high = wilson_interval(value * of, of, quantile=z)
    return Share(value, low, high, of)


def simple_sample(table: Sequence[Sequence[int]]) -> list[Stratum]:
    """Labels that are a simple random sample: the judge's categories down, people's across."""
    return [Stratum(verdict, sum(row), tuple(row)) for verdict, row in enumerate(table)]


def agree(
    strata: Sequence[Stratum],
    *,
    positive_from: int | None = 1,
    linear: bool = False,
    z: float = Z95,
) -> Agreement:
    """The figures of a judge.

    Args:
        strata: categories are in order, and as many in each stratum.
        positive_from: index of the first category that counts as positive for sensitivity and
            specificity; None for neither of them.
        linear: weigh a disagreement by its distance, for kappa of categories in an order.
        z: of the intervals of shares; that of kappa is at 95 %.

    Raises:
        ValueError: there is no label, or a stratum has more labels than rows, or other categories.
    """
    sample = _Sample(strata)
    size = sample.categories
    index = np.arange(size)
    same = (index[:, None] == index[None, :]).astype(float)
    distance = np.abs(index[:, None] - index[None, :]) / max(size - 1, 1)
    everything = np.ones((size, size))
    sensitivity = specificity = None
    if positive_from is not None:
        yes = (index >= positive_from).astype(float)
        sensitivity = sample.share(np.outer(yes, yes), everything * yes, z)
        specificity = sample.share(np.outer(1 - yes, 1 - yes), everything * (1 - yes), z)
    raw = sample.share(same, everything, z)
    assert raw is not None, "there is a label"
    return Agreement(
        labels=sample.labels,
        raw=raw,
        kappa=_kappa(sample, 1 - distance if linear else same),
        sensitivity=sensitivity,
        specificity=specificity,
        majority=float(sample.cells.sum(axis=0).max()),
        unseen=sample.unseen,
    )


def _kappa(sample: "_Sample", weights: Floats) -> Kappa | None:
    judged, said = sample.cells.sum(axis=1), sample.cells.sum(axis=0)
    by_chance = float(judged @ weights @ said)
    if by_chance > 1 - 1e-12:
        return None
    agreed = float((weights * sample.cells).sum())
    value = (agreed - by_chance) / (1 - by_chance)
    moved = (weights @ said)[:, None] + (judged @ weights)[None, :]
    gradient = (weights * (1 - by_chance) - (1 - agreed) * moved) / (1 - by_chance) ** 2
    se = sqrt(sample.variance(gradient))
    share = sample.share(weights, np.ones_like(weights), Z95)
    assert share is not None, "there is a label"
    low, high = ((bound - by_chance) / (1 - by_chance) for bound in (share.low, share.high))
    low, high = min(low, value - Z95 * se), max(high, value + Z95 * se)
    return Kappa(value, se, max(low, -1.0), min(high, 1.0))


class _Sample:
    """Labels with their weights.

    Attributes:
        cells: share of rows by the judge's category and people's, estimated.
    """

    def __init__(self, strata: Sequence[Stratum]) -> None:
        _check(strata)
        self.categories = len(strata[0].labels)
        seen = [stratum for stratum in strata if sum(stratum.labels)]
        rows = np.array([stratum.rows for stratum in seen], dtype=float)
        counts = np.array([stratum.labels for stratum in seen], dtype=float)
        self.labels = int(counts.sum())
        self.unseen = 1 - float(rows.sum()) / sum(stratum.rows for stratum in strata)
        self._verdicts = np.array([stratum.verdict for stratum in seen])
        self._rows = float(rows.sum())
        self._drawn = counts.sum(axis=1)
        self._weights = rows / rows.sum()
        self._counts = counts
        self._shares = counts / self._drawn[:, None]
        self.cells = np.zeros((self.categories, self.categories))
        np.add.at(self.cells, self._verdicts, self._weights[:, None] * self._shares)

    def variance(self, gradient: Floats) -> float:
        """Of an estimate that moves so much with each cell."""
        moves = gradient[self._verdicts]
        means = (self._shares * moves).sum(axis=1)
        within = (self._shares * moves**2).sum(axis=1) - means**2
        between = self._weights @ means**2 - (self._weights @ means) ** 2
        inside = float((self._weights**2 / self._drawn) @ within)
        return max(inside + float(between) / self._rows, 0.0)

    def share(self, part: Floats, whole: Floats, z: float) -> Share | None:
        """The rows in `part` among those in `whole`, both given as a weight for each cell."""
        total = float((whole * self.cells).sum())
        if total <= 0:
            return None
        value = min(float((part * self.cells).sum()) / total, 1.0)
        variance = self.variance((part - value * whole) / total)
        if variance > 0 and 0 < value < 1:
            of = min(value * (1 - value) / variance, self._counted(whole))
        else:
            of = self._worth(whole)
        return share_of(value, of, z)

    def _counted(self, whole: Floats) -> float:
        return float((self._counts * whole[self._verdicts]).sum())

    def _worth(self, whole: Floats) -> float:
        """Equally weighted labels that tell as much (Kish, "Survey Sampling", 1965)."""
        each = self._weights / self._drawn
        number = (self._counts * whole[self._verdicts]).sum(axis=1)
        return float((number @ each) ** 2 / (number @ each**2))


def _check(strata: Sequence[Stratum]) -> None:
    if not any(sum(stratum.labels) for stratum in strata):
        raise ValueError("There is no label; give at least one.")
    size = len(strata[0].labels)
    for stratum in strata:
        if len(stratum.labels) != size or not 0 <= stratum.verdict < size:
            raise ValueError(f"A stratum has other categories than 0 to {size - 1}.")
        if min(stratum.labels) < 0 or sum(stratum.labels) > stratum.rows:
            raise ValueError(
                f"A stratum has {sum(stratum.labels)} labels for {stratum.rows} rows; "
                "each row has one label at most."
            )
