"""Answers to prompts with an output schema: judged, recorded, and asked for once more."""

import json
from pathlib import Path

import pytest

from gateway.test_prompted import Stage, stage, write_prompt
from harness import Reply
from trimtab.gateway.form import Form, judge_frames, judge_whole
from trimtab.testing import Behaviour, ToolCall

SCHEMA = {"type": "object", "properties": {"team": {"type": "string"}}, "required": ["team"]}
PROMPT = """\
---
model: main
output: {schema: {team: string}, repair: %s}
---
Which team?
"""
GOOD = '{"team": "billing"}'
CALL = {"id": "team"}


def play(on: Stage, *behaviours: Behaviour) -> None:
    for name in ("main", "third"):  # either may begin
        on.provider.play(f"fault:{name}", *behaviours)


def answers(on: Stage, *texts: str) -> None:
    """What the provider answers from now on; the last one for ever."""
    play(on, *(Behaviour(text=text, tokens=4) for text in texts))


def prompt(folder: Path, *, repair: bool) -> None:
    write_prompt(folder, PROMPT.replace("%s", str(repair).lower()), "team")


def causes(on: Stage, reply: Reply) -> list[tuple[str, str]]:
    on.event(reply)
    attempts = on.gateway.reader().attempts(reply.headers["x-request-id"])
    return [(attempt.cause, attempt.error_code) for attempt in attempts]


def test_the_form_of_an_answer_is_told_and_recorded(project_folder: Path):
    prompt(project_folder, repair=False)
    with stage(project_folder) as on:
        for text, form in ((GOOD, "ok"), ("billing", "invalid"), ('{"team": 3}', "invalid")):
            answers(on, text)
            reply = on.ask(prompt=CALL)
            assert reply.status == 200
            assert reply.headers["x-trimtab-form"] == form
            assert reply.json["choices"][0]["message"]["content"] == text, "as it came"
            assert on.event(reply).form == form


def test_a_stream_is_judged_at_its_end(project_folder: Path):
    prompt(project_folder, repair=True)
    with stage(project_folder) as on:
        for text, form in ((GOOD, "ok"), ("billing, I think", "invalid")):
            answers(on, text)
            reply = on.ask(prompt=CALL, stream=True)
            assert reply.body.endswith(b"data: [DONE]\n\n")
            assert on.event(reply).form == form
        assert len(on.provider.calls) == 2, "what was shown is not asked for again"


def test_an_answer_is_asked_for_once_more(project_folder: Path):
    prompt(project_folder, repair=True)
    with stage(project_folder) as on:
        answers(on, "billing", GOOD)
        reply = on.ask(prompt=CALL)
        assert reply.json["choices"][0]["message"]["content"] == GOOD
        assert reply.headers["x-trimtab-form"] == "ok"
        assert reply.headers["x-trimtab-attempts"] == "2"
        messages = json.loads(on.provider.calls[-1].body)["messages"]
        assert messages[-2] == {"role": "assistant", "content": "billing"}
        assert "is not JSON" in messages[-1]["content"]
        assert causes(on, reply) == [("first", "answer_unfit"), ("retry", "")]
        event = on.event(reply)
        costs = [a.cost_nanousd for a in on.gateway.reader().attempts(event.inference_id)]
        assert event.cost_nanousd == sum(costs)
        assert all(costs), "both were paid for"


def test_the_second_answer_is_given_whatever_it_is(project_folder: Path):
    prompt(project_folder, repair=True)
    with stage(project_folder) as on:
        answers(on, "billing", "shipping", GOOD)
        reply = on.ask(prompt=CALL)
        assert reply.status == 200
        assert reply.json["choices"][0]["message"]["content"] == "shipping"
        assert reply.headers["x-trimtab-form"] == "invalid"
        assert len(on.provider.calls) == 2


def test_a_client_that_tries_again_by_itself_gets_the_first_answer(project_folder: Path):
    prompt(project_folder, repair=True)
    with stage(project_folder) as on:
        answers(on, "billing", GOOD)
        body = json.dumps({"prompt": CALL}).encode()
        headers = {"x-stainless-retry-count": "1"}
        reply = on.gateway.request("/v1/chat/completions", body, headers=headers)
        assert reply.json["choices"][0]["message"]["content"] == "billing"


def test_tool_calls_have_no_form(project_folder: Path):
    prompt(project_folder, repair=True)
    with stage(project_folder) as on:
        call = ToolCall(name="look", arguments="{}")
        play(on, Behaviour(tool_calls=(call,)))
        reply = on.ask(prompt=CALL)
        assert "x-trimtab-form" not in reply.headers
        assert on.event(reply).form == ""


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        ('{"team": "a"}', "ok"),
        (' {"team": "a"}\n', "ok"),
        ('```json\n{"team": "a"}\n```', "invalid"),
        ("[" * 100_000, "invalid"),
        ("", "invalid"),
        ("null", "invalid"),
        ('{"team": "\ud800"}'.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), "ok"),
    ],
)
def test_what_fits(content: str, verdict: str):
    body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
    assert judge_whole(body, Form(SCHEMA, repairs=False)).verdict == verdict
    frame = b"data: " + json.dumps({"choices": [{"delta": {"content": content}}]}).encode()
    frames = frame + b"\n\ndata: [DONE]\n\n"
    assert judge_frames(frames, Form(SCHEMA, repairs=False)).verdict == verdict


def test_one_bad_choice_makes_an_answer_bad():
    choices = [{"message": {"content": GOOD}}, {"message": {"content": "no"}}]
    formed = judge_whole(json.dumps({"choices": choices}).encode(), Form(SCHEMA, repairs=False))
    assert (formed.verdict, formed.text) == ("invalid", "no")


@pytest.mark.parametrize(
    "body", [b"", b"null", b'{"choices": []}', b'{"choices": [{"message": {"refusal": "no"}}]}']
)
def test_what_cannot_be_judged_is_not(body: bytes):
    assert judge_whole(body, Form(SCHEMA, repairs=False)).verdict == ""
