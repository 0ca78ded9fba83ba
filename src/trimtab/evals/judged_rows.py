"""The answers that a judge of a suite has judged so far, for people to label."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trimtab.datasets.suite import Suite
from trimtab.evals.judges.calibration import Judge
from trimtab.evals.judges.desk import items_of
from trimtab.evals.judges.labelling import Item
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.scores import Scores
from trimtab.evals.serving import side_of
from trimtab.evals.tried import scores_of_setups, tried_pairs
from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Mark, Row

__all__ = ["JudgedRows", "judged_rows"]


class JudgedRows(NamedTuple):
    """What there is to label.

    Attributes:
        judge: the evaluator as it is now, with the model that has judged most of the rows.
        items: rows that this model has judged.
        others: rows that other models have judged, by model; they are left out.
        labels: what the judge calls its verdicts, such as `first both times`.
    """

    judge: Judge
    items: list[Item]
    others: dict[str, int]
    labels: list[str]


class _Part(NamedTuple):
    """The answers of one setup, their marks, and what they were compared with."""

    rows: list[Row]
    marks: list[Mark]
    baselines: list[Row]


def judged_rows(
    store: Experiments, suite: Suite, evaluator: SuiteEvaluator, *, asked: Mapping[str, str]
) -> JudgedRows:
    """Everything that an evaluator has said of answers to a suite, in any experiment.

    Args:
        store: has answers and marks.
        suite: with its cases.
        evaluator: one that asks a model.
        asked: by id of the case, what the user's side says.
    """
    parts = list(_parts(store, suite, evaluator))
    models = Counter(
        mark.judge_model for part in parts for mark in part.marks if mark.status == "measured"
    )
    model = models.most_common(1)[0][0] if models else ""
    items: list[Item] = []
    labels: list[str] = []
    for part in parts:
        own = [mark for mark in part.marks if mark.judge_model == model]
        labels += [mark.label for mark in own]
        items += items_of(
            suite.cases,
            part.rows,
            own,
            evaluator=evaluator.name,
            asked=asked,
            baselines=part.baselines,
        )
    judge = Judge(
        evaluator=evaluator.name,
        use=evaluator.use,
        kind=evaluator.kind,
        higher_is_better=evaluator.higher_is_better,
        hash=evaluator.hash,
        served_model=model,
    )
    others = {name: count for name, count in models.items() if name != model}
    return JudgedRows(judge, items, others, labels)


def _parts(store: Experiments, suite: Suite, evaluator: SuiteEvaluator) -> Iterator[_Part]:
    if evaluator.kind != "preference":
        for _, scores in scores_of_setups(store, suite, [evaluator]):
            yield _Part(_answers(scores), _marks(scores), [])
        return
    for candidate, baseline, repeats in tried_pairs(store, suite):
        new, old = (
            Scores(
                store,
                setup,
                suite.cases,
                evaluators=[evaluator],
                repeats=repeats,
                baseline=side_of(store, against),
            )
            for setup, against in ((candidate.hash, baseline.hash), (baseline.hash, ""))
        )
        yield _Part(_answers(new), _marks(new), _answers(old))


def _answers(scores: Scores) -> list[Row]:
    return [row for _, row in scores.rows() if row.status == "ok"]


def _marks(scores: Scores) -> list[Mark]:
    return _once(mark for _, mark in scores.marks())


def _once(marks: Iterable[Mark]) -> list[Mark]:
    """Without those that cases which ask the same share."""
    found = {(mark.case_hash, mark.repeat, mark.evaluator_hash): mark for mark in marks}
    return list(found.values())
