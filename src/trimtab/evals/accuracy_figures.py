"""How often a detector is right about labelled rows: shares, precision, recall, F1, AUC. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trimtab.stats.sequential import Arm, wilson

__all__ = ["Accuracy", "Pair", "Question", "Report", "TwoWay", "area_under_curve", "report"]


class Question(NamedTuple):
    """A question with yes or no, asked of labels that may be more than two.

    Attributes:
        name: for people.
        yes: the labels that mean yes; every other one means no.
    """

    name: str
    yes: frozenset[str]


class Pair(NamedTuple):
    """One labelled row, and what the detector said.

    Attributes:
        group: by which figures are split, as the model that wrote the answer.
        label: what people said.
        found: the label that the detector gave.
        score: from 0 to 1, more where the detector is surer of `yes`.
    """

    group: str
    label: str
    found: str
    score: float


class TwoWay(NamedTuple):
    """Figures of one question; each is None where nothing could show it.

    Attributes:
        precision: of the rows found, those labelled so; with Wilson's interval at 95 %.
        recall: of the rows labelled so, those found; likewise.
        f1: harmonic mean of the two.
        auc: chance that a row labelled yes has a higher score than one labelled no.
    """

    question: str
    precision: Arm | None
    recall: Arm | None
    f1: float | None
    auc: float | None


class Accuracy(NamedTuple):
    """Figures of one group of rows.

    Attributes:
        group: its name.
        right: share of rows with the same label, with Wilson's interval at 95 %.
        two_way: figures of each question.
    """

    group: str
    right: Arm
    two_way: list[TwoWay]


class Report(NamedTuple):
    """Figures of all rows.

    Attributes:
        every: all rows.
        groups: the same by group, in the order of names.
        confusion: rows by (label, found).
    """

    every: Accuracy
    groups: list[Accuracy]
    confusion: dict[tuple[str, str], int]


def report(pairs: Sequence[Pair], questions: Iterable[Question]) -> Report:
    """Figures of labelled rows; at least one."""
    asked = list(questions)
    names = sorted({pair.group for pair in pairs})
    groups = [[pair for pair in pairs if pair.group == name] for name in names]
    return Report(
        every=_accuracy("all", pairs, asked),
        groups=[_accuracy(name, group, asked) for name, group in zip(names, groups, strict=True)],
        confusion=dict(Counter((pair.label, pair.found) for pair in pairs)),
    )


def area_under_curve(yes: Sequence[float], no: Sequence[float]) -> float | None:
    """Chance that a score of `yes` is above one of `no`, equal ones counted half.

    Mann and Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other" (Annals of Mathematical Statistics 18, 1947). None if either is empty.
    """
    if not yes or not no:
        return None
    counts = Counter(no)
    yes_counts = Counter(yes)
    below, wins = 0, 0.0
    for score in sorted(counts | yes_counts):
        wins += yes_counts[score] * (below + counts[score] / 2)
        below += counts[score]
    return wins / (len(yes) * len(no))


def _accuracy(group: str, pairs: Sequence[Pair], questions: list[Question]) -> Accuracy:
    right = sum(pair.label == pair.found for pair in pairs)
    return Accuracy(
        group=group,
        right=wilson(right, len(pairs)),
        two_way=[_two_way(question, pairs) for question in questions],
    )


def _two_way(question: Question, pairs: Sequence[Pair]) -> TwoWay:
    yes = [pair for pair in pairs if pair.label in question.yes]
    found = [pair for pair in pairs if pair.found in question.yes]
    hits = sum(pair.found in question.yes for pair in yes)
    return TwoWay(
        question=question.name,
        precision=wilson(hits, len(found)) if found else None,
        recall=wilson(hits, len(yes)) if yes else None,
        f1=2 * hits / (len(yes) + len(found)) if yes or found else None,
        auc=area_under_curve(
            [pair.score for pair in yes],
            [pair.score for pair in pairs if pair.label not in question.yes],
        ),
    )
