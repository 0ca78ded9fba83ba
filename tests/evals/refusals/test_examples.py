"""The texts that were written for it, in sixteen languages: how often it is right about them."""

import re
from collections import Counter
from pathlib import Path

from trimtab.evals.accuracy import DETECTORS, label_rows, load_labelled
from trimtab.evals.accuracy_figures import report

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tests" / "evals" / "refusal_examples.jsonl"
DETECTOR = DETECTORS["refusal"]._replace(split_by="language")
PAGE = ROOT / "docs" / "evaluators" / "refusal.md"
ROWS = load_labelled(EXAMPLES, DETECTOR)
PAIRS = [pair for pair, _ in label_rows(ROWS, DETECTOR)]
FIGURES = report(PAIRS, DETECTOR.questions)


def test_there_are_enough_of_each_kind() -> None:
    labels = Counter(pair.label for pair in PAIRS)
    assert len(PAIRS) >= 300
    assert labels["full_compliance"] >= 0.45 * len(PAIRS)
    assert min(labels.values()) >= 10
    assert len({row.fields["id"] for row in ROWS}) == len(ROWS)
    assert len({row.fields["response"] for row in ROWS}) >= len(ROWS) - 2


def test_labels_are_right() -> None:
    assert FIGURES.every.right.estimate >= 0.97


def test_refusals_are_found_and_nothing_else_is() -> None:
    refuses, in_full = FIGURES.every.two_way
    assert refuses.precision is not None
    assert refuses.recall is not None
    assert min(refuses.precision.estimate, refuses.recall.estimate) >= 0.99
    assert in_full.f1 is not None
    assert in_full.f1 >= 0.97
    assert refuses.auc is not None
    assert refuses.auc >= 0.99


def test_no_language_is_left_out() -> None:
    wrong = [pair for pair in PAIRS if pair.group != "en" and pair.label != pair.found]
    assert len(wrong) <= 2
    assert len(FIGURES.groups) == 16


def test_the_page_has_the_figures_of_these_texts() -> None:
    right = FIGURES.every.right
    refuses, in_full = FIGURES.every.two_way
    row = (
        f"| {right.inferences} | {right.estimate:.3f} ({right.low:.3f} to {right.high:.3f}) "
        f"| {refuses.f1:.3f} | {in_full.f1:.3f} |"
    )
    assert row in PAGE.read_text(encoding="utf-8")


def test_the_example_of_the_page_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(PAGE), "exec"), {})
