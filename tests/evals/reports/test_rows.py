"""What every report shows: a row for each metric, what became of each case, what it took."""

from typing import Any

import msgspec

from evals.reports.results import experiment, first_release, gate, run_of_one, setup
from trimtab.datasets.suite import HEADLINE_METRICS
from trimtab.evals.reports.cases import CaseState, case_views, count_states
from trimtab.evals.reports.heading import facts_of, setup_words, title_of, verdict_sentence
from trimtab.evals.reports.metrics import MetricRow, metric_rows
from trimtab.evals.result import CaseResult, Figure, Result, Side
from trimtab.types.experiments import MetricKind

replace = msgspec.structs.replace


def row(result: Result, name: str) -> MetricRow:
    (found,) = [one for one in metric_rows(result) if one.name == name]
    return found


# ------------------------------------------------------------------ metrics


def test_headline_metrics_come_first_and_others_that_decide_before_the_rest():
    names = [one.name for one in metric_rows(gate())]
    assert names == [*HEADLINE_METRICS, "latency", "cost", "tone"]


def test_a_headline_metric_that_is_not_measured_says_why():
    found = row(gate(), "refusal")
    assert found.state == "not measured"
    assert found.why_not == "No case says whether it is to be refused (`expected.refuse`)."
    nothing = replace(gate(), figures=[], comparisons=[])
    assert [one.name for one in metric_rows(nothing)] == list(HEADLINE_METRICS)
    assert {one.state for one in metric_rows(nothing)} == {"not measured"}
    assert all(one.why_not and one.headline for one in metric_rows(nothing))


def test_a_metric_of_which_nothing_could_be_measured_is_not_measured():
    made = run_of_one()
    estimate = made.figures[0].estimate
    assert estimate is not None
    empty = replace(estimate, value=None, unmeasured=12)
    figures = [replace(made.figures[0], estimate=empty), *made.figures[1:]]
    found = row(replace(made, figures=figures), "accuracy")
    assert found.state == "not measured"
    assert found.why_not == "none of 12 answers could be measured"
    figures[0] = replace(figures[0], estimate=replace(empty, unmeasured=0))
    found = row(replace(made, figures=figures), "accuracy")
    assert found.why_not == "it applies to no case of the suite"


def test_a_comparison_in_words():
    found = row(gate(), "accuracy")
    assert (found.baseline, found.candidate, found.difference) == ("93.3%", "91.1%", "-2.2 pp")
    assert (found.interval, found.margin, found.detects) == ("-6.1 to +1.7 pp", "5.0 pp", "6.2 pp")
    assert found.state == "inconclusive"
    assert "paired t on case means; 60 cases in both" in found.proof
    assert row(gate(), "tone").why_not == "The judge has no calibration file."


def test_a_preference_has_no_baseline_of_its_own():
    made = gate()
    one = replace(made.comparisons[0], kind="preference", metric="preferred", difference=0.12)
    found = row(replace(made, comparisons=[one]), "preferred")
    assert (found.baseline, found.difference) == ("\N{EN DASH}", "+12.0 pp")


def test_a_run_of_one_has_figures_and_no_verdicts():
    states = {one.name: one.state for one in metric_rows(run_of_one())}
    assert states["accuracy"] == "measured"
    assert states["refusal"] == "not measured"
    assert not any(one.margin for one in metric_rows(run_of_one()))


# ------------------------------------------------------------------ cases


def side(**scores: float) -> Side:
    return Side(texts=["a"], scores=scores)


def result_of(*cases: CaseResult, kinds: dict[str, tuple[MetricKind, bool]]) -> Result:
    made = gate()
    comparisons = [
        replace(made.comparisons[0], metric=name, kind=kind, higher_is_better=higher, margin=0.05)
        for name, (kind, higher) in kinds.items()
    ]
    return replace(made, cases=list(cases), comparisons=comparisons, figures=[])


KINDS: dict[str, tuple[MetricKind, bool]] = {
    "right": ("rate", True), "invented": ("rate", False), "tone": ("score", True),
    "preferred": ("preference", True), "cost": ("amount", False),
}  # fmt: skip


def state_of(before: Side | None, after: Side) -> CaseState:
    case = CaseResult(
        case_id="c", cluster="", tags=[], critical=False, asked="?", candidate=after,
        baseline=before,
    )  # fmt: skip
    (view,) = case_views(result_of(case, kinds=KINDS))
    return view.state


def test_what_became_of_a_case():
    assert state_of(side(right=1.0), side(right=0.5)) == "worse"
    assert state_of(side(right=0.0), side(right=1.0)) == "better"
    assert state_of(side(invented=0.0), side(invented=1.0)) == "worse"
    assert state_of(side(right=1.0, invented=1.0), side(right=0.0, invented=0.0)) == "mixed"
    assert state_of(side(right=1.0), side(right=1.0)) == "same"
    other = Side(texts=["b"], scores={"right": 1.0})
    assert state_of(side(right=1.0), other) == "reworded"
    assert state_of(side(right=0.3), side(right=0.1 + 0.2)) == "same", "but for noise"


def test_a_score_must_move_by_its_margin_and_costs_never_decide_a_case():
    assert state_of(side(tone=0.80), side(tone=0.76)) == "same"
    assert state_of(side(tone=0.80), side(tone=0.74)) == "worse"
    assert state_of(side(cost=1.0), side(cost=9.0)) == "same"


def test_a_preference_compares_by_itself():
    assert state_of(side(), side(preferred=1.0)) == "better"
    assert state_of(side(), side(preferred=-1.0)) == "worse"
    assert state_of(side(), side(preferred=0.0)) == "same"


def test_a_missing_answer_is_no_score():
    lost = Side(texts=[""], scores={}, errors=["provider_timeout"])
    assert state_of(side(right=1.0), lost) == "unanswered"
    assert state_of(lost, side(right=1.0)) == "unanswered"
    assert state_of(None, lost) == "unanswered"
    found = Side(texts=["", "b"], scores={"right": 0.0}, errors=["provider_timeout"])
    assert state_of(side(right=1.0), found) == "worse"


def test_without_a_baseline_a_case_is_as_it_should_be_or_not():
    assert state_of(None, side(right=1.0, invented=0.0)) == "passed"
    assert state_of(None, side(right=0.5)) == "failed"
    assert state_of(None, side(invented=0.5)) == "failed"
    assert state_of(None, side(tone=0.2)) == "passed", "a score has no value that it should have"


def test_an_advisory_metric_decides_no_case():
    made = run_of_one()
    figures = [Figure(metric="right", kind="rate", higher_is_better=True, estimate=None)]
    bad = [replace(made.cases[0], candidate=side(right=0.0))]
    (view,) = case_views(replace(made, figures=figures, cases=bad))
    assert view.state == "failed"
    figures = [replace(figures[0], advisory="no calibration")]
    (view,) = case_views(replace(made, figures=figures, cases=bad))
    assert view.state == "passed"
    assert [one.falls_short for one in view.moved] == [True], "though it is shown"


def test_what_matters_comes_first():
    views = case_views(gate("fail", count=60, drop=0.2))
    assert views[0].broken
    states = [view.state for view in views[1:]]
    order = ["worse", "mixed", "unanswered", "better", "reworded", "same"]
    assert states == sorted(states, key=order.index)
    counts = dict(count_states(views))
    assert sum(counts.values()) == 60
    assert list(counts) == [state for state in order if state in counts]


# ------------------------------------------------------------------ heading


def facts(result: Result) -> dict[str, tuple[str, str]]:
    return {fact.name: (fact.text, fact.small) for fact in facts_of(result)}


def test_what_it_took():
    found = facts(gate())
    assert found["Spent"] == ("$1.23", "of it judges $0.234")
    assert found["Took"][0] == "3 min 12 s"
    assert found["Answers"] == ("358 of 360", "2 errors, 180 of earlier experiments")
    assert found["Not in both"][0] == "0.6%"
    assert found["Suite"][1].startswith("60 cases, 3 repeats; 5f5f")
    assert "openai:gpt-5.2-2026-08-01" in found["Baseline"][1]
    alone = facts(run_of_one())
    assert "Baseline" not in alone
    assert "Not in both" not in alone


def test_setups_are_told_apart():
    assert title_of(gate()) == "support-triage: v13-draft against v12"
    assert title_of(first_release()) == "support-triage: v13-draft"
    old, new = setup("v12"), setup("v12", "openai:gpt-6")
    assert setup_words(new, old) == "v12 at openai:gpt-6"
    warm = setup("v12", temperature=0.7)
    assert setup_words(warm, old) == 'v12 with {"temperature":0.7}'
    assert setup_words(old, warm) == "v12"
    bare = replace(old, label="", prompt_hash="", prompt="")
    assert setup_words(bare) == "openai:gpt-5.2-2026-08-01"


def test_a_verdict_says_what_it_means():
    sentences: set[Any] = {verdict_sentence(gate(word)) for word in ("pass", "fail")}
    sentences |= {verdict_sentence(one) for one in (gate(), first_release(), run_of_one())}
    assert len(sentences) == 5
    twins = replace(gate("pass"), experiment=experiment("pass", kind="aa"))
    assert verdict_sentence(twins).startswith("A and A")
