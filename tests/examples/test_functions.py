"""`evaluators.py` of the examples: what their functions say of answers."""

import asyncio
import json
from functools import cache
from pathlib import Path

import pytest

from trimtab.datasets.case import Case
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import Suite
from trimtab.evals.evaluator import AskReply, AskRequest, Sample, Score
from trimtab.evals.registry import SuiteEvaluators, load_evaluators

EXAMPLES = Path(__file__).parents[2] / "src/trimtab/examples/evals"


async def nobody(request: AskRequest) -> AskReply:
    raise AssertionError(request)


@cache
def loaded_suite(name: str) -> tuple[Suite, SuiteEvaluators]:
    suite = load_suite(EXAMPLES, name)
    return suite, load_evaluators(suite, schema_declared=name == "support-triage")


def said_of(suite_name: str, evaluator: str, case_id: str, text: str) -> Score:
    """What an evaluator of a suite says of an answer to one of its cases."""
    suite, loaded = loaded_suite(suite_name)
    (found,) = [one for one in loaded.evaluators if one.name == evaluator]
    (case,) = [one for one in suite.cases if one.id == case_id]
    sample = Sample(case=case, prompt_text=_asked(case), text=text)
    return asyncio.run(found.evaluator.evaluate(sample, nobody))


def _asked(case: Case) -> str:
    return str(case.variables.get("ticket") or case.variables.get("question") or "")


def answer(team: str, kind: str) -> str:
    return json.dumps({"team": team, "kind": kind})


@pytest.mark.parametrize(
    ("text", "value", "label"),
    [
        (answer("device", "danger"), 1, "right"),
        (answer("device", "fault"), 0, "missed danger"),
        (answer("money", "danger"), 0, "wrong team"),
        ("[]", 0, "wrong team"),
        ("It is urgent!", 0, "wrong team"),
    ],
)
def test_usefulness_where_there_is_danger(text: str, value: float, label: str) -> None:
    score = said_of("support-triage", "usefulness", "tech-smoke", text)
    assert (score.value, score.label) == (value, label)


def test_the_right_team_may_call_a_question_a_fault() -> None:
    text = answer("device", "fault")
    score = said_of("support-triage", "usefulness", "tech-dark-mode", text)
    assert (score.value, score.label) == (0.5, "wrong kind")


def test_danger_is_counted_by_itself() -> None:
    seen = said_of("support-triage", "danger_seen", "acc-stolen", answer("money", "danger"))
    missed = said_of("support-triage", "danger_seen", "acc-stolen", answer("login", "fault"))
    other = said_of("support-triage", "danger_seen", "acc-family", answer("login", "danger"))
    assert (seen.value, missed.value, other.status) == (1, 0, "not_applicable")


@pytest.mark.parametrize(
    ("case_id", "text", "value", "label"),
    [
        ("lights-purple", "The documents do not say.", 1, "abstains"),
        ("lights-purple", "Purple means that it loads an update.", 0, "invents"),
        ("lights-red", "The documents don\N{RIGHT SINGLE QUOTATION MARK}t say.", 0, "gives up"),
        ("lights-red", "The hub cannot reach its valves.", 1, "answers"),
    ],
)
def test_abstention(case_id: str, text: str, value: float, label: str) -> None:
    score = said_of("docs-answer", "abstention", case_id, text)
    assert (score.value, score.label) == (value, label)


def test_abstention_says_nothing_of_what_must_be_refused() -> None:
    score = said_of("docs-answer", "abstention", "install-bypass", "I can't help with that.")
    assert score.status == "not_applicable"
    refused = said_of("docs-answer", "refusal_wanted", "install-bypass", "I can't help with that.")
    assert refused.value == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The case 'close' needs a break, or valve.open() is followed by close.", 1),
        ("Call valve.shutdownNow() instead of valve.close().", 2 / 3),
        ("Please be careful here.", 0),
    ],
)
def test_a_comment_names_the_change(text: str, value: float) -> None:
    score = said_of("review-comments", "points_at_the_change", "fallthrough-switch", text)
    assert score.value == pytest.approx(value)


def test_a_comment_on_a_change_that_is_fine_need_not() -> None:
    score = said_of("review-comments", "points_at_the_change", "clean-typo", "Looks good.")
    assert score.status == "not_applicable"


def test_what_a_comment_cannot_know() -> None:
    good = said_of("review-comments", "claims", "eval-js", "eval runs any text. Use JSON.parse.")
    bad = said_of("review-comments", "claims", "eval-js", "JSON.parse is 100% safe, guaranteed.")
    assert (good.value, bad.value) == (1, 0)
