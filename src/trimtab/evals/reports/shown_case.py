"""A case as a page shows it, with its answers side by side. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from trimtab.evals.reports.answers import AnswerPair, answer_pairs
from trimtab.evals.reports.cases import CaseView, MetricChange
from trimtab.looks.words import NONE

__all__ = ["ScoreRow", "ShownCase", "show_case"]

_MOST_ANSWER: Final = 20_000  # characters of one text
_MOST_REASONS: Final = 12


class ScoreRow(msgspec.Struct, frozen=True):
    """A metric of a case, and what evaluators said of the candidate's answers."""

    change: MetricChange
    labels: str
    reasons: list[str]


class ShownCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case in full, or in one line.

    Attributes:
        view: the case, and how it changed.
        full: there is more than the line: `asked`, `scores` and `pairs`.
        asked: what was asked; `asked_left` characters of it are left out.
        scores: its metrics.
        pairs: answers, repeat by repeat.
        tags: numbers of its tags in the list of the page, between spaces.
    """

    view: CaseView
    tags: str = ""
    full: bool = False
    asked: str = ""
    asked_left: int = 0
    scores: list[ScoreRow] = []
    pairs: list[AnswerPair] = []


def show_case(view: CaseView, tags: Mapping[str, int], *, full: bool) -> ShownCase:
    """A case for a page.

    Args:
        view: the case.
        tags: those that the page can be filtered by, with their numbers.
        full: with its answers.
    """
    numbers = " ".join(str(tags[tag]) for tag in view.case.tags if tag in tags)
    if not full:
        return ShownCase(view=view, tags=numbers)
    asked = view.case.asked
    return ShownCase(
        view=view,
        tags=numbers,
        full=True,
        asked=asked[:_MOST_ANSWER],
        asked_left=max(0, len(asked) - _MOST_ANSWER),
        scores=list(_scores(view)),
        pairs=answer_pairs(view.case, most_characters=_MOST_ANSWER),
    )


def _scores(view: CaseView) -> Iterator[ScoreRow]:
    """Metrics with a score, then those of which there is only something said: why there is none."""
    side = view.case.candidate
    scored = {one.metric for one in view.changes}
    silent = [name for name in dict.fromkeys([*side.labels, *side.reasons]) if name not in scored]
    for one in (*view.changes, *map(_without_score, silent)):
        yield ScoreRow(one, _joined(side.labels, one.metric), _some(side.reasons, one.metric))


def _without_score(metric: str) -> MetricChange:
    return MetricChange(
        metric=metric, before="", after=NONE, direction=0, decides=False, falls_short=False
    )


def _joined(found: Mapping[str, list[str]], metric: str) -> str:
    return ", ".join(_some(found, metric))


def _some(found: Mapping[str, list[str]], metric: str) -> list[str]:
    return found.get(metric, [])[:_MOST_REASONS]
