"""Critical cases and slices in words, for every report. Pure."""

from collections.abc import Iterator

import msgspec

from trimtab.evals.reports.wording import change, probability
from trimtab.evals.result import CriticalFinding, Result
from trimtab.types.experiments import MetricKind

__all__ = ["SliceRow", "counted", "slice_rows"]


class SliceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A metric on the cases with a tag, in words; `found` if it is told from no difference."""

    tag: str
    metric: str
    cases: int
    difference: str
    p: str
    found: bool


def counted(found: CriticalFinding) -> str:
    """How often a critical case passed, and how likely that is by chance."""
    words = f"{found.candidate_passed} of {found.repeats} now, {found.baseline_passed} before"
    return words if found.p is None else f"{words}, {probability(found.p)}"


def slice_rows(result: Result) -> Iterator[SliceRow]:
    """All slices: those that were found first, the surest before others."""
    kinds: dict[str, MetricKind] = {one.metric: one.kind for one in result.comparisons}
    for one in sorted(result.slices, key=lambda one: (not one.found, one.p)):
        yield SliceRow(
            tag=one.tag,
            metric=one.metric,
            cases=one.cases,
            difference=change(kinds.get(one.metric, "score"), one.difference),
            p=probability(one.p),
            found=one.found,
        )
