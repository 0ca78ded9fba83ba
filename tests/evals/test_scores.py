"""From rows and marks to arrays: several evaluators of a metric, what applies, what lacks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.stage import cases, evaluator
from evals.test_run import ready, row
from trimtab.datasets.case import Case, case_hash
from trimtab.evals.marking import mark_hash
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.scores import (
    ABSENT,
    MEASURED,
    NOT_APPLICABLE,
    UNMEASURED,
    MetricScores,
    Scores,
)
from trimtab.store.protocol import Experiments
from trimtab.store.sqlite import open_experiments
from trimtab.types.clock import SystemClock
from trimtab.types.experiments import Mark, MarkStatus, Row

ONE = ready()
NAN = float("nan")
_WORDS: dict[str, MarkStatus] = {"u": "unmeasured", "n": "not_applicable"}

Said = float | str | None
"""A value; "u" for unmeasured, "n" for not applicable; None for no mark."""


@pytest.fixture
def store(tmp_path: Path) -> Experiments:
    return open_experiments(tmp_path, SystemClock())


def mark(of: Row, case: Case, by: SuiteEvaluator, said: float | str) -> Mark:
    return Mark(
        setup_hash=of.setup_hash,
        case_hash=of.case_hash,
        repeat=of.repeat,
        served_model=of.served_model,
        evaluator=by.name,
        evaluator_hash=mark_hash(by, case),
        metric=by.metric,
        status=_WORDS[said] if isinstance(said, str) else "measured",
        value=None if isinstance(said, str) else said,
    )


def error(case: Case, repeat: int = 0) -> Row:
    return row(ONE, case, repeat, status="error", served_model="")


def keep(
    store: Experiments,
    of: Sequence[Case],
    evaluators: Sequence[SuiteEvaluator],
    said: Sequence[Sequence[Sequence[Said] | None]],
) -> None:
    """Rows with marks: by case and repeat what each evaluator says; None for an error."""
    for case, repeats in zip(of, said, strict=True):
        for repeat, words in enumerate(repeats):
            if words is None:
                store.keep([error(case, repeat)], [])
                continue
            answer = row(ONE, case, repeat)
            marks = [
                mark(answer, case, by, word)
                for by, word in zip(evaluators, words, strict=True)
                if word is not None
            ]
            store.keep([answer], marks)


def read(
    store: Experiments, of: Sequence[Case], evaluators: Sequence[SuiteEvaluator], repeats: int = 1
) -> list[MetricScores]:
    return Scores(store, "one", of, evaluators=evaluators, repeats=repeats).metrics()


def only(found: Sequence[MetricScores]) -> MetricScores:
    (one,) = found
    return one


def test_values_by_case_and_repeat(store: Experiments):
    of, by = cases(3), [evaluator()]
    keep(store, of, by, [[[1.0], [0.0]], [[0.0], ["u"]], [[1.0], None]])
    found = only(read(store, of, by, 3))
    assert (found.metric, found.kind, found.higher_is_better) == ("accuracy", "rate", True)
    np.testing.assert_array_equal(
        found.status,
        [
            [MEASURED, MEASURED, ABSENT],
            [MEASURED, UNMEASURED, ABSENT],
            [MEASURED, UNMEASURED, ABSENT],
        ],
    )
    np.testing.assert_array_equal(found.values, [[1, 0, NAN], [0, NAN, NAN], [1, NAN, NAN]])
    np.testing.assert_array_equal(found.case_means(), [0.5, 0.0, 1.0])


def test_a_row_without_a_mark_yet_is_absent_and_never_zero(store: Experiments):
    of, by = cases(2), [evaluator()]
    keep(store, of, by, [[[None]], [[1.0]]])
    found = only(read(store, of, by))
    np.testing.assert_array_equal(found.status, [[ABSENT], [MEASURED]])
    np.testing.assert_array_equal(found.case_means(), [NAN, 1.0])


@pytest.mark.parametrize(
    ("said", "better", "joined"),
    [
        ((1.0, 1.0, 1.0), True, 1.0),
        ((1.0, 0.0, 1.0), True, 0.0),
        ((1.0, 0.0, 0.0), False, 1.0),
        ((0.0, 0.0, 0.0), False, 0.0),
        ((1.0, "n", 1.0), True, 1.0),
        (("n", "n", 0.0), True, 0.0),
        (("n", "n", "n"), True, "n"),
        ((1.0, "u", 1.0), True, "u"),
        (("n", "u", "n"), True, "u"),
        ((1.0, None, 1.0), True, None),
        ((None, "u", 1.0), True, "u"),
        (("n", None, "n"), True, None),
    ],
)
def test_several_evaluators_of_a_rate(
    store: Experiments, said: tuple[Said, ...], better: bool, joined: Said
):
    """Each must be content; one that cannot tell leaves the whole untold."""
    of = cases(1)
    by = [evaluator(name=f"e{at}", higher_is_better=better) for at in range(3)]
    keep(store, of, by, [[said]])
    found = only(read(store, of, by))
    expected: dict[object, int] = {None: ABSENT, "u": UNMEASURED, "n": NOT_APPLICABLE}
    if isinstance(joined, float):
        assert (found.status[0, 0], found.values[0, 0]) == (MEASURED, joined)
    else:
        assert found.status[0, 0] == expected[joined]
        assert np.isnan(found.values[0, 0])


def test_scores_of_a_metric_are_averaged_and_with_rates_too(store: Experiments):
    of = cases(2)
    by = [
        evaluator(metric="tone", kind="score", name="a"),
        evaluator(metric="tone", name="b"),
        evaluator(metric="size", kind="amount", name="c", higher_is_better=False),
    ]
    keep(store, of, by, [[[0.5, 1.0, 30.0]], [[0.2, "n", 50.0]]])
    tone, size = read(store, of, by)
    assert (tone.kind, size.kind, size.higher_is_better) == ("score", "amount", False)
    np.testing.assert_array_equal(tone.values, [[0.75], [0.2]])
    np.testing.assert_array_equal(size.values, [[30.0], [50.0]])


def test_what_does_not_apply_to_a_case_does_not_apply_to_its_errors(store: Experiments):
    of, by = cases(4), [evaluator(), evaluator(metric="refusal")]
    keep(
        store,
        of,
        by,
        [
            [[1.0, "n"], None],
            [[1.0, 1.0], None],
            [None, None],
            [[1.0, "n"], ["u", "u"]],
        ],
    )
    accuracy, refusal = read(store, of, by, 2)
    np.testing.assert_array_equal(accuracy.status[:, 1], [UNMEASURED] * 4)
    np.testing.assert_array_equal(
        refusal.status,
        [
            [NOT_APPLICABLE, NOT_APPLICABLE],
            [MEASURED, UNMEASURED],
            [UNMEASURED, UNMEASURED],
            # A mark that could not tell is a defect, whatever others say.
            [NOT_APPLICABLE, UNMEASURED],
        ],
    )


def test_what_applies_to_no_answer_applies_to_no_error(store: Experiments):
    """Else three errors would be a metric of their own, of which nothing is measured."""
    of, by = cases(10), [evaluator(), evaluator(metric="refusal")]
    keep(store, of, by, [[[1.0, "n"]]] * 7 + [[None]] * 3)
    accuracy, refusal = read(store, of, by)
    assert (refusal.status == NOT_APPLICABLE).all()
    np.testing.assert_array_equal(accuracy.status[7:], [[UNMEASURED]] * 3)


def test_a_candidate_that_breaks_has_nothing_that_does_not_apply(store: Experiments):
    of, by = cases(10), [evaluator()]
    keep(store, of, by, [[["n"]]] + [[None]] * 9)
    accuracy = only(read(store, of, by))
    np.testing.assert_array_equal(accuracy.status[1:], [[UNMEASURED]] * 9)


def test_only_the_model_that_serves_now_counts(store: Experiments):
    of, by = cases(3), [evaluator()]
    keep(store, of, by, [[[1.0]]] * 3)
    newer = row(ONE, of[1], served_model="m-2", at_ns=5)
    store.keep([newer], [mark(newer, of[1], by[0], 0.0)])
    scores = Scores(store, "one", of, evaluators=by, repeats=1)
    assert (scores.served_model, scores.set_aside) == ("m-2", 3)
    np.testing.assert_array_equal(only(scores.metrics()).values, [[NAN], [0.0], [NAN]])
    np.testing.assert_array_equal(scores.facts.answered, [[False], [True], [False]])
    # It may have answered another suite last; then nothing of this one is about it.
    other = row(ONE, Case(id="x", variables={"of": "another suite"}), served_model="m-3", at_ns=6)
    store.keep([other], [])
    scores = Scores(store, "one", of, evaluators=by, repeats=1)
    assert (scores.served_model, scores.set_aside) == ("m-3", 4)
    assert (only(scores.metrics()).status == ABSENT).all()


def test_an_answer_hides_an_error_of_the_same_row(store: Experiments):
    """Two runs at once may leave both."""
    of, by = cases(2), [evaluator()]
    keep(store, of, by, [[[1.0]], [[1.0]]])
    store.keep([error(of[0])], [])
    scores = Scores(store, "one", of, evaluators=by, repeats=1)
    assert [(place, one.status) for place, one in scores.rows()] in (
        [(0, "ok"), (1, "ok")],
        [(1, "ok"), (0, "ok")],
    )
    assert not scores.facts.failed.any()


def test_facts(store: Experiments):
    of = cases(2)
    store.keep([row(ONE, of[0], 1, latency_us=1_500, cost_nanousd=7, at_ns=2_000_000_000)], [])
    store.keep([error(of[1], 0)], [])
    facts = Scores(store, "one", of, evaluators=[], repeats=2).facts
    np.testing.assert_array_equal(facts.answered, [[False, True], [False, False]])
    np.testing.assert_array_equal(facts.failed, [[False, False], [True, False]])
    np.testing.assert_array_equal(facts.latency_ms, [[NAN, 1.5], [NAN, NAN]])
    np.testing.assert_array_equal(facts.cost_nanousd, [[NAN, 7], [NAN, NAN]])
    np.testing.assert_array_equal(facts.at_s, [[NAN, 2.0], [NAN, NAN]])


def test_cases_that_ask_the_same_share_rows_and_have_marks_of_their_own(store: Experiments):
    twins = [
        Case(id="a", messages=[{"role": "user", "content": "hi"}], expected={"answer": "x"}),
        Case(id="b", messages=[{"role": "user", "content": "hi"}], expected={"answer": "y"}),
        Case(id="c", messages=[{"role": "user", "content": "hi"}], expected={"answer": "x"}),
    ]
    assert len({case_hash(case) for case in twins}) == 1
    by = evaluator()
    answer = row(ONE, twins[0])
    store.keep([answer], [mark(answer, twins[0], by, 1.0), mark(answer, twins[1], by, 0.0)])
    found = only(read(store, twins, [by]))
    np.testing.assert_array_equal(found.values, [[1.0], [0.0], [1.0]])


def test_marks_of_other_expectations_do_not_count(store: Experiments):
    before = Case(id="a", messages=[{"role": "user", "content": "hi"}], expected={"answer": "x"})
    by = evaluator()
    answer = row(ONE, before)
    store.keep([answer], [mark(answer, before, by, 1.0)])
    after = Case(id="a", messages=before.messages, expected={"answer": "y"})
    scores = Scores(store, "one", [after], evaluators=[by], repeats=1)
    assert scores.facts.answered.all(), "the answer is kept"
    assert (only(scores.metrics()).status == ABSENT).all()


def test_repeats_beyond_the_plan_are_left_out(store: Experiments):
    of, by = cases(1), [evaluator()]
    keep(store, of, by, [[[1.0], [0.0], [0.0]]])
    np.testing.assert_array_equal(only(read(store, of, by, 2)).values, [[1.0, 0.0]])


def test_marks_of_some_places(store: Experiments):
    of, by = cases(5), [evaluator(), evaluator(metric="tone", kind="score")]
    keep(store, of, by, [[[1.0, 0.5]]] * 5)
    scores = Scores(store, "one", of, evaluators=by, repeats=1)
    found: list[tuple[int, Any]] = [(place, one.metric) for place, one in scores.marks([1, 3])]
    assert sorted(found) == [(1, "accuracy"), (1, "tone"), (3, "accuracy"), (3, "tone")]
    assert len(list(scores.marks())) == 10
