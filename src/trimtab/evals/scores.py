"""The scores of one setup as arrays: a row for each case, a column for each repeat."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.datasets.case import Case, case_hash
from trimtab.evals.marking import mark_hash
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.serving import model_now
from trimtab.store.protocol import Experiments
from trimtab.types.clock import NS_PER_S
from trimtab.types.experiments import Mark, MarkStatus, MetricKind, Row

__all__ = ["ABSENT", "MEASURED", "NOT_APPLICABLE", "UNMEASURED", "Facts", "MetricScores", "Scores"]

ABSENT: Final = 0
"""There is no row, or no mark of it yet."""
MEASURED: Final = 1
UNMEASURED: Final = 2
NOT_APPLICABLE: Final = 3
_STATUSES: Final[Mapping[MarkStatus, int]] = {
    "measured": MEASURED,
    "unmeasured": UNMEASURED,
    "not_applicable": NOT_APPLICABLE,
}


class Facts(NamedTuple):
    """What rows say of themselves, each of the shape (cases, repeats); NaN where there is none.

    Attributes:
        answered: there is an answer.
        failed: there is an error instead.
        latency_ms: to the last byte.
        cost_nanousd: of all attempts.
        at_s: UTC seconds at which the answer ended.
    """

    answered: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    latency_ms: NDArray[np.float64]
    cost_nanousd: NDArray[np.float64]
    at_s: NDArray[np.float64]


class MetricScores(NamedTuple):
    """One metric.

    Attributes:
        metric: its name.
        kind, higher_is_better: of its values.
        values: (cases, repeats), NaN unless measured.
        status: (cases, repeats), one of the constants above.
        asks: a model was asked for it.
    """

    metric: str
    kind: MetricKind
    higher_is_better: bool
    values: NDArray[np.float64]
    status: NDArray[np.uint8]
    asks: bool

    def case_means(self) -> NDArray[np.float64]:
        """(cases,): the mean of the measured repeats; NaN where there is none."""
        counts = np.sum(self.status == MEASURED, axis=1)
        sums = np.nansum(self.values, axis=1)
        return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)


class Scores:
    """Everything that is known of one setup's answers to a suite.

    Args:
        store: has rows and marks.
        setup_hash: of the setup.
        cases: of the suite, in its order.
        evaluators: of the suite.
        repeats: of each case.
        baseline: what it is compared with, by `side_of`; "" for nothing.

    Attributes:
        setup_hash: of the setup.
        served_model: the one that serves now; rows of others are set aside.
        set_aside: how many of those there are.
    """

    def __init__(
        self,
        store: Experiments,
        setup_hash: str,
        cases: Sequence[Case],
        *,
        evaluators: Sequence[SuiteEvaluator],
        repeats: int,
        baseline: str = "",
    ) -> None:
        self._store = store
        self.setup_hash = setup_hash
        self._cases = cases
        self._evaluators = evaluators
        self._repeats = repeats
        self._baseline = baseline
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for place, case in enumerate(cases):
            self._places[case_hash(case)].append(place)
        self.served_model, self.set_aside = self._served()

    def rows(self) -> Iterator[tuple[int, Row]]:
        """The rows, each with the place of its case; one for each case that asks the same.

        An error is there only where there is no answer.
        """
        for (asked, repeat), rows in groupby(self._store.rows(self.setup_hash), _asked):
            if not self._wants(asked, repeat):
                continue
            row = _best(rows, self.served_model)
            if row is not None:
                for place in self._places[asked]:
                    yield place, row

    def marks(self, places: Collection[int] | None = None) -> Iterator[tuple[int, Mark]]:
        """The marks that count, each with the place of its case; of some places, or of all."""
        for _, place, mark in self._placed_marks(places):
            yield place, mark

    def mark_keys(self, place: int) -> list[tuple[str, str]]:
        """Hash of the case, and of the mark, for each evaluator of the case at a place."""
        case = self._cases[place]
        asked = case_hash(case)
        return [(asked, mark_hash(one, case, self._baseline)) for one in self._evaluators]

    def metrics(self) -> list[MetricScores]:
        """One of each metric that evaluators measure, in their order."""
        grouped: defaultdict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self._evaluators):
            grouped[one.metric].append(number)
        return [self._metric(metric, numbers) for metric, numbers in grouped.items()]

    def _served(self) -> tuple[str, int]:
        heads = self._store.row_heads(self.setup_hash)
        served = model_now(heads)
        aside = sum(
            head.ok and head.served_model != served and self._wants(head.case_hash, head.repeat)
            for head in heads
        )
        return served or "", aside

    def _wants(self, asked: str, repeat: int) -> bool:
        return repeat < self._repeats and asked in self._places

    def _shape(self) -> tuple[int, int]:
        return len(self._cases), self._repeats

    @cached_property
    def facts(self) -> Facts:
        """What rows say of themselves; read when first asked for, as marks are."""
        shape = self._shape()
        facts = Facts(
            np.zeros(shape, np.bool_),
            np.zeros(shape, np.bool_),
            *(np.full(shape, np.nan) for _ in range(3)),
        )
        for place, row in self.rows():
            at = (place, row.repeat)
            if row.status == "ok":
                facts.answered[at] = True
                facts.latency_ms[at] = row.latency_us / 1000
                facts.cost_nanousd[at] = row.cost_nanousd
                facts.at_s[at] = row.at_ns / NS_PER_S
            else:
                facts.failed[at] = True
        return facts

    @cached_property
    def _marked(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        shape = (len(self._evaluators), *self._shape())
        values, status = np.full(shape, np.nan), np.full(shape, ABSENT, np.uint8)
        for number, place, mark in self._placed_marks():
            status[number, place, mark.repeat] = _STATUSES[mark.status]
            if mark.status == "measured" and mark.value is not None:
                values[number, place, mark.repeat] = mark.value
        _take_in_errors(status, self.facts.failed)
        return values, status

    def _placed_marks(
        self, places: Collection[int] | None = None
    ) -> Iterator[tuple[int, int, Mark]]:
        """Marks of rows that count, by number of the evaluator and place of the case."""
        wanted: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for place in range(len(self._cases)) if places is None else places:
            for number, key in enumerate(self.mark_keys(place)):
                wanted[key].append((number, place))
        for mark in self._store.marks(self.setup_hash, {key[1] for key in wanted}):
            if mark.repeat >= self._repeats or mark.served_model != self.served_model:
                continue
            for number, place in wanted.get((mark.case_hash, mark.evaluator_hash), ()):
                yield number, place, mark

    def _metric(self, metric: str, numbers: Sequence[int]) -> MetricScores:
        members = [self._evaluators[number] for number in numbers]
        first, kinds = members[0], {one.kind for one in members}
        all_values, all_status = self._marked
        kind = first.kind if len(kinds) == 1 else "score"  # rates and scores together
        better = first.higher_is_better
        status, values = _together(
            all_status[list(numbers)],
            all_values[list(numbers)],
            worst=(np.fmin if better else np.fmax) if kind == "rate" else None,
        )
        asks = any(one.asks for one in members)
        return MetricScores(metric, kind, better, values, status, asks=asks)


def _take_in_errors(status: NDArray[np.uint8], failed: NDArray[np.bool_]) -> None:
    """Where there is an error in the place of an answer, nothing was measured of it.

    But what does not apply to the answers of a case does not apply to its other repeats either,
    and what applies to no answer of the suite, while most are there, applies to none of its errors.
    """
    told, without = status != ABSENT, status == NOT_APPLICABLE
    of_case = without.any(axis=2, keepdims=True) & (without == told).all(axis=2, keepdims=True)
    of_suite = (without == told).all(axis=(1, 2), keepdims=True)
    of_suite &= without.sum(axis=(1, 2), keepdims=True) > failed.sum()
    status[:, failed] = UNMEASURED
    status[of_case & (failed | ~told)] = NOT_APPLICABLE
    status[of_suite & failed] = NOT_APPLICABLE


def _asked(row: Row) -> tuple[str, int]:
    return row.case_hash, row.repeat


def _best(rows: Iterator[Row], served_model: str) -> Row | None:
    """The answer of a model, else the error."""
    error = None
    for row in rows:
        if row.status == "error":
            error = row
        elif row.served_model == served_model:
            return row
    return error


def _together(
    status: NDArray[np.uint8], values: NDArray[np.float64], *, worst: np.ufunc | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Several evaluators of one metric as one.

    Of a rate each must be content, so the worst counts; of other values the mean. One that could
    not tell leaves the whole untold; those that do not apply have no say.
    """
    measured = status == MEASURED
    masked = np.where(measured, values, np.nan)
    if worst is not None:
        joined = worst.reduce(masked, axis=0)
    else:
        counts = measured.sum(axis=0)
        sums = np.nansum(masked, axis=0)
        joined = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    told = np.full(joined.shape, ABSENT, np.uint8)
    told[(status == NOT_APPLICABLE).any(axis=0)] = NOT_APPLICABLE
    told[measured.any(axis=0)] = MEASURED
    told[(status == ABSENT).any(axis=0)] = ABSENT
    told[(status == UNMEASURED).any(axis=0)] = UNMEASURED
    return told, np.where(told == MEASURED, joined, np.nan)
