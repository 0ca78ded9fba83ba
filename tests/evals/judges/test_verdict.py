"""Verdicts are read strictly, and asked for twice."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.judges.scripted import MODEL, Script, mark_of, says
from trimtab.errors import ProviderUnreachable
from trimtab.evals.evaluator import AskReply, AskRequest
from trimtab.evals.judges.question import Part, Question
from trimtab.evals.judges.verdict import Unreadable, Verdict, ask_verdict, models_of, parse_verdict

MARK = "0123456789abcdef0123"
WORDS = ("pass", "fail")
FIVE = (1, 2, 3, 4, 5)
QUESTION = Question(
    model="judge",
    config={},
    purpose="judge:rubric",
    task="Judge.",
    parts=(Part("answer", "Yes."),),
    choices=WORDS,
)


def written(**fields: Any) -> str:
    return json.dumps({"mark": MARK, "reasoning": "It does.", "verdict": "pass", **fields})


def read(text: str, choices: tuple[str | int, ...] = WORDS) -> Verdict | Unreadable:
    return parse_verdict(text, mark=MARK, choices=choices)


@pytest.mark.parametrize(
    "text",
    [
        written(),
        f"\n  {written()}\n",
        f"```json\n{written()}\n```",
        f"```\r\n{written()}\r\n```\n",
        written(borderline=False),
    ],
)
def test_a_verdict_is_one_object_alone_or_in_one_fence(text: str):
    assert read(text) == Verdict("pass", "It does.", borderline=False)


def test_it_may_be_borderline_or_a_number():
    assert read(written(borderline=True)) == Verdict("pass", "It does.", borderline=True)
    assert read(written(verdict=4), FIVE) == Verdict(4, "It does.", borderline=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not one JSON object"),
        ("pass", "not one JSON object"),
        (f"Here it is: {written()}", "not one JSON object"),
        (f"{written()} {written(verdict='fail')}", "not one JSON object"),
        (f"```json\n{written()}\n```\nand ```json\n{written()}\n```", "not one JSON object"),
        (written()[:-1] + ', "verdict": "fail"}', "each key once"),
        (written()[:-1] + ', "borderline": NaN}', "not one JSON object"),
        ("[" * 100_000, "too long"),
        ("[" * 40_000, "not one JSON object"),
        ("[1]", "not a JSON object"),
        ('"pass"', "not a JSON object"),
        (written(score=1), "its keys"),
        ('{"reasoning": "It does.", "verdict": "pass"}', "its keys"),
        (json.dumps({"mark": MARK, "verdict": "pass", "reasoning": "So."}), "after the verdict"),
        (written(mark="0" * 20), "its mark"),
        (written(mark=None), "its mark"),
        (written(reasoning=""), "no reasoning"),
        (written(reasoning=["It does."]), "no reasoning"),
        (written(borderline="no"), "borderline"),
        (written(verdict="PASS"), "not one of those"),
        (written(verdict="pass "), "not one of those"),
        (written(verdict=True), "not one of those"),
        (written(verdict=None), "not one of those"),
        (written(verdict=["pass"]), "not one of those"),
    ],
)
def test_what_is_not_exactly_a_verdict_is_none(text: str, problem: str):
    found = read(text)
    assert isinstance(found, Unreadable)
    assert problem in found.problem


@pytest.mark.parametrize("verdict", [True, 4.0, "4", 0, 6])
def test_a_number_is_a_whole_one_of_the_scale(verdict: object):
    assert isinstance(read(written(verdict=verdict), FIVE), Unreadable)


@given(st.text())
def test_any_text_is_read_or_not_without_a_failure(text: str):
    assert isinstance(read(text), Unreadable)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_any_value_is_read_or_not_without_a_failure(value: object):
    for field in ("mark", "reasoning", "verdict", "borderline"):
        read(written(**{field: value}))


def test_a_reply_that_cannot_be_read_is_asked_for_once_more():
    script = Script(lambda _: "Surely a pass!", says("fail"))
    judged = asyncio.run(ask_verdict(script, QUESTION))
    assert judged.said == Verdict("fail", "It does.", borderline=False)
    assert judged.cost_nanousd == 200
    assert judged.model == MODEL
    first, second = script.requests
    assert mark_of(first) != mark_of(second)
    assert "not one JSON object" in second.messages[1]["content"]
    assert "Surely" not in second.messages[1]["content"]


def test_after_two_attempts_there_is_no_verdict():
    script = Script(lambda _: "Surely a pass!")
    judged = asyncio.run(ask_verdict(script, QUESTION))
    assert isinstance(judged.said, Unreadable)
    assert len(script.requests) == 2
    assert judged.cost_nanousd == 200


def test_a_verdict_of_the_first_attempt_is_none_of_the_second():
    marks: list[str] = []

    async def late(request: AskRequest) -> AskReply:
        marks.append(mark_of(request))
        said = {"mark": marks[0], "reasoning": "It does.", "verdict": "pass"}
        return AskReply(text=json.dumps(said) if len(marks) == 2 else "")

    assert isinstance(asyncio.run(ask_verdict(late, QUESTION)).said, Unreadable)


def test_a_model_that_cannot_be_asked_is_told():
    async def dead(request: AskRequest) -> AskReply:
        raise ProviderUnreachable("The provider cannot be reached.")

    with pytest.raises(ProviderUnreachable):
        asyncio.run(ask_verdict(dead, QUESTION))


def test_votes_have_fences_of_their_own():
    script = Script(says("pass"))
    for vote in (0, 1):
        asyncio.run(ask_verdict(script, QUESTION, vote=vote))
    assert len(set(map(mark_of, script.requests))) == 2


def test_models_are_named_once_each():
    async def ask(request: AskRequest) -> AskReply:
        model = "b" if "answer" in request.purpose else "a"
        return AskReply(text=says("pass")(request), served_model=model)

    other = msgspec.structs.replace(QUESTION, purpose="judge:answer")
    asked = [asyncio.run(ask_verdict(ask, one)) for one in (QUESTION, other, QUESTION)]
    assert models_of(asked) == "a, b"
