"""latency and cost: amounts of the row."""

from evals.evaluators.samples import sample, score
from trimtab.evals.evaluators import cost, latency


def test_latency_is_that_of_the_row() -> None:
    said = score(latency.EVALUATOR, sample("x", latency_ms=812.5))
    assert (said.status, said.value) == ("measured", 812.5)
    assert score(latency.EVALUATOR, "x").status == "unmeasured"


def test_cost_is_that_of_the_row_and_nothing_where_there_is_none_to_compare() -> None:
    said = score(cost.EVALUATOR, sample("x", cost_nanousd=4_200))
    assert (said.status, said.value) == ("measured", 4_200)
    assert score(cost.EVALUATOR, "x").status == "not_applicable"


def test_both_are_amounts_of_which_less_is_better() -> None:
    for kind in (cost.EVALUATOR, latency.EVALUATOR):
        assert (kind.kind, kind.higher_is_better) == ("amount", False)
