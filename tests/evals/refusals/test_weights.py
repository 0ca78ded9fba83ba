"""Weights: the fit finds what made the rows, and stays where no row says anything."""

from math import exp
from pathlib import Path
from random import Random

import pytest

from trimtab.evals.refusal_fit import BY_HAND, main
from trimtab.evals.refusals.features import FEATURES, read_evidence
from trimtab.evals.refusals.weights import Weights, chance, fit, load_weights

EXAMPLES = Path(__file__).parents[1] / "refusal_examples.jsonl"


def test_the_weights_that_made_the_rows_are_found() -> None:
    random = Random(1)
    truth = Weights(-1.0, {"a": 3.0, "b": -2.0, "c": 0.0})
    rows = [{name: random.random() for name in truth.features} for _ in range(6000)]
    yes = [random.random() < chance(row, truth) for row in rows]
    found = fit(rows, yes, Weights(0.0, dict.fromkeys(truth.features, 0.0)))
    assert found.bias == pytest.approx(-1.0, abs=0.25)
    for name, weight in truth.features.items():
        assert found.features[name] == pytest.approx(weight, abs=0.3)


def test_a_feature_that_no_row_has_keeps_its_weight() -> None:
    start = Weights(0.0, {"seen": 0.0, "unseen": 2.5})
    rows = [{"seen": float(i % 2), "unseen": 0.0} for i in range(40)]
    found = fit(rows, [i % 2 == 1 for i in range(40)], start)
    assert found.features["unseen"] == pytest.approx(2.5)
    assert found.features["seen"] > 1


def test_the_fit_is_where_the_penalised_likelihood_is_flat() -> None:
    start = Weights(0.5, {"a": 1.0})
    rows, yes = [{"a": 0.0}, {"a": 1.0}, {"a": 0.5}], [False, True, False]
    found = fit(rows, yes, start)
    weight = found.features["a"]
    shares = [1 / (1 + exp(-found.bias - weight * row["a"])) for row in rows]
    slope = sum((truth - share) for truth, share in zip(yes, shares, strict=True))
    assert slope == pytest.approx(2.0 * (found.bias - start.bias))


def test_chances_of_sure_answers_do_not_overflow() -> None:
    assert chance({"a": 1.0}, Weights(0.0, {"a": 1e6})) == pytest.approx(1.0)
    assert chance({"a": 1.0}, Weights(0.0, {"a": -1e6})) == pytest.approx(0.0, abs=1e-12)


def test_the_file_has_the_features_that_there_are() -> None:
    both = load_weights()
    assert both.refuses.features.keys() == BY_HAND.refuses.features.keys() <= set(FEATURES)
    assert both.in_full.features.keys() == BY_HAND.in_full.features.keys() <= set(FEATURES)
    assert set(FEATURES) == both.refuses.features.keys() | both.in_full.features.keys()


def test_features_lie_between_0_and_1() -> None:
    values = read_evidence("I can't help. " * 50 + "Use a key. " * 500, "How do I open it?").values
    assert values.keys() == set(FEATURES)
    assert all(0 <= value <= 1 for value in values.values())


def test_figures_of_rows_left_out_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = EXAMPLES.read_text().splitlines()[::8]
    models = [line[:-1] + f', "model": "m{i % 2}"}}' for i, line in enumerate(lines)]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(models))
    assert main([str(file)]) == 0
    printed = capsys.readouterr().out
    assert "weights by hand:" in printed
    assert "one model left out:" in printed
    assert "| m1 |" in printed
