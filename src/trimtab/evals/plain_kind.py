"""A kind of evaluator that needs no model: its options, what it reads of a case, its judgement."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from typing_extensions import override

from trimtab.datasets.case import Case
from trimtab.evals.evaluator import Ask, Evaluator, Sample, Score, unmeasured
from trimtab.evals.options import WrongExpectation, parse_options, read_expected, words_of
from trimtab.types.experiments import MetricKind

__all__ = ["Judge", "Particulars", "PlainKind"]

O = TypeVar("O", bound=msgspec.Struct)  # noqa: E741 - options
E = TypeVar("E", bound=msgspec.Struct)

Judge = Callable[[Sample, E], Awaitable[Score]]
"""From a sample, and what its case expects, to a score."""


class Particulars(NamedTuple):
    """What the options decide beside the judgement; None leaves what the kind says."""

    metric: str | None = None
    kind: MetricKind | None = None
    higher_is_better: bool | None = None
    fingerprint: str = ""


class PlainKind(msgspec.Struct, Generic[O, E], kw_only=True, eq=False):
    """An `EvaluatorKind` made of parts.

    Attributes:
        name, version, metric, kind, higher_is_better, asks, summary: as in `EvaluatorKind`.
        options: a strict struct; its fields are the options, described by `Meta`.
        expected: a struct; its fields are the keys of a case's `expected` that it reads.
        make: from options and the suite's folder to the judgement.
        reads_all: it may read any key of `expected`.
        particulars: what options decide beside it; None where they do not.
    """

    name: str
    version: int = 1
    metric: str
    kind: MetricKind = "rate"
    higher_is_better: bool = True
    asks: bool = False
    summary: str
    options: type[O]
    expected: type[E]
    make: Callable[[O, Path], Judge[E]]
    reads_all: bool = False
    particulars: Callable[[O, Path], Particulars] | None = None

    def build(self, options: Mapping[str, Any], folder: Path) -> Evaluator:
        """One with these options, of a suite in this folder.

        Raises:
            UsageError: an option is unknown, missing or wrong; the message names it.
        """
        read = parse_options(self.name, options, self.options)
        own = self.particulars(read, folder) if self.particulars else Particulars()
        return _Plain(self, own, self.make(read, folder))

    def expected_keys(self) -> frozenset[str] | None:
        """The keys of a case's `expected` that it reads; None where it may read any."""
        return None if self.reads_all else frozenset(words_of(self.expected))

    def problem_of(self, case: Case) -> str:
        """What is wrong with the expectations of a case; "" for nothing."""
        try:
            read_expected(case, self.expected)
        except WrongExpectation as error:
            return str(error)
        return ""


class _Plain(Evaluator, Generic[E]):
    """One evaluator; says itself what it measures."""

    def __init__(self, kind: PlainKind[Any, E], own: Particulars, judge: Judge[E]) -> None:
        self.metric = kind.metric if own.metric is None else own.metric
        self.kind: MetricKind = kind.kind if own.kind is None else own.kind
        better = own.higher_is_better
        self.higher_is_better = kind.higher_is_better if better is None else better
        self.fingerprint = own.fingerprint
        self._expected = kind.expected
        self._judge = judge

    @override
    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        try:
            expected = read_expected(sample.case, self._expected)
        except WrongExpectation as error:
            return unmeasured(str(error))
        return await self._judge(sample, expected)
