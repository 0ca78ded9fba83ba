"""Which of what production sees a suite tries, by tag. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from trimtab.datasets.case import Case
from trimtab.errors import UsageError

__all__ = ["Coverage", "TagCoverage", "measure_coverage"]


class TagCoverage(NamedTuple):
    """One tag.

    Attributes:
        tag: its name.
        inferences: of production that have it.
        traffic_share: of all inferences; 0 without traffic.
        cases: of the suite that have it.
        case_share: of all cases; 0 without cases.
    """

    tag: str
    inferences: int
    traffic_share: float
    cases: int
    case_share: float

    @property
    def difference(self) -> float:
        """Share of cases - share of traffic: below 0 where the suite tries too little of it."""
        return self.case_share - self.traffic_share


class Coverage(NamedTuple):
    """A suite against production.

    Attributes:
        tags: all of either side, the most frequent in production first.
        inferences: of production, in all.
        cases: of the suite, in all.
        untagged_cases: without any tag, so that nobody can say what they stand for.
    """

    tags: list[TagCoverage]
    inferences: int
    cases: int
    untagged_cases: int

    @property
    def missing(self) -> list[TagCoverage]:
        """Tags that production has and no case has, the most frequent first."""
        return [tag for tag in self.tags if tag.inferences and not tag.cases]

    @property
    def unseen(self) -> list[TagCoverage]:
        """Tags that cases have and production has not: rare and feared, or out of date."""
        return [tag for tag in self.tags if tag.cases and not tag.inferences]


def measure_coverage(
    cases: Iterable[Case], traffic: Mapping[str, int], inferences: int | None = None
) -> Coverage:
    """Compare the tags of cases with those of inferences.

    An inference or a case may have several tags, so shares need not add up to 1.

    Args:
        cases: of the suite.
        traffic: inferences by tag.
        inferences: in all, those without a tag included. The sum of `traffic` by default, which
            is right where each inference has exactly one tag.

    Raises:
        UsageError: a count is negative, or more inferences have a tag than there are.
    """
    all_inferences = sum(traffic.values()) if inferences is None else inferences
    for tag, count in traffic.items():
        if not 0 <= count <= all_inferences:
            raise UsageError(
                f"{count} of {all_inferences} inferences cannot have the tag {tag[:80]!r}. Count "
                "each inference once for each of its tags."
            )
    counts: Counter[str] = Counter()
    all_cases = untagged = 0
    for case in cases:
        all_cases += 1
        untagged += not case.tags
        counts.update(set(case.tags))
    names = sorted(counts.keys() | traffic.keys(), key=lambda tag: (-traffic.get(tag, 0), tag))
    tags = [
        TagCoverage(
            tag=tag,
            inferences=traffic.get(tag, 0),
            traffic_share=_share(traffic.get(tag, 0), all_inferences),
            cases=counts[tag],
            case_share=_share(counts[tag], all_cases),
        )
        for tag in names
    ]
    return Coverage(tags, all_inferences, all_cases, untagged)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
