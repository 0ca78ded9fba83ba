"""Production -> case: through a real gateway and store, and from bytes of every kind."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Gateway, running_gateway, wait_until
from prompts.files import TRIAGE, library, parsed
from store.samples import pair, record
from trimtab.config.schema import Recording
from trimtab.datasets.from_inference import (
    MadeCase,
    RecordedInference,
    case_of_inference,
    read_inference,
)
from trimtab.errors import UsageError
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_reader
from trimtab.testing import Behaviour, Script, running_fault_provider
from trimtab.types.clock import SystemClock

FULL = Recording(bodies="full")
SAID = [{"role": "user", "content": "Ann asks: where is it?"}]


def same(text: str) -> str:
    return text


def without_ann(text: str) -> str:
    return text.replace("Ann", "[name]")


def inference(request: Any, response: bytes = b"", **more: str) -> RecordedInference:
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    return RecordedInference(id="inf_1", request=body, response=response, **more)


def made(request: Any, response: bytes = b"", **more: Any) -> MadeCase:
    values: dict[str, Any] = {"case_id": "a", "redact": same, "prompt": None}
    return case_of_inference(inference(request, response), **(values | more))


# ---------------------------------------------------------------- the whole way


def settled(gateway: Gateway, inference_id: str) -> Reader:
    def reader() -> Reader | None:
        opened = gateway.reader()
        known = opened.event(inference_id), opened.body(inference_id)
        return opened if None not in known else None

    return wait_until(reader)


@pytest.mark.parametrize("stream", [False, True])
def test_an_inference_of_a_prompt_becomes_a_case_of_its_variables(
    project_folder: Path, stream: bool
):
    prompts = library(project_folder, {"support/triage.prompt.md": TRIAGE})
    script = Script(calls=(Behaviour(text="Billing, says Ann.", tokens=4),))
    with running_fault_provider(script) as provider:
        text = f"""
[server]
port = 0
[recording]
bodies = "full"
[providers.one]
kind = "openai"
base_url = "{provider.base_url}"
[models.fast]
ref = "one:m"
price = {{input_usd_per_mtok = 1, output_usd_per_mtok = 10}}
"""
        with running_gateway(project_folder, text) as gateway:
            call = {"id": "support/triage", "variables": {"ticket": "Ann </untrusted> <b>"}}
            body = {"prompt": call, "messages": SAID, "stream": stream}
            reply = gateway.request("/v1/chat/completions", json.dumps(body).encode())
            assert reply.status == 200
            inference_id = reply.headers["x-request-id"]
            found = read_inference(settled(gateway, inference_id), inference_id, FULL)
    assert found.prompt == "support/triage"
    version = prompts.version(found.prompt, found.prompt_hash)
    case, remarks = case_of_inference(
        found,
        case_id="late",
        redact=without_ann,
        prompt=version,
        tags=["live", "live"],
        cluster="k",
    )
    assert (case.id, case.tags, case.cluster) == ("late", ["live"], "k")
    assert case.expected == {}
    assert case.from_inference == inference_id
    assert case.note == "Production answered: Billing, says [name]."
    assert case.messages == [{"role": "user", "content": "[name] asks: where is it?"}]
    ticket = str(case.variables["ticket"])
    assert ticket.startswith("[name] <")
    assert version.render({**case.variables, "ticket": ticket.replace("[name]", "Ann")}) == (
        version.render({"ticket": "Ann </untrusted> <b>"})
    )
    assert remarks == ()


def test_where_bodies_are_off_the_error_says_so(tmp_path: Path):
    record(tmp_path, pair("inf_1"))
    reader = open_reader(tmp_path, SystemClock())
    with pytest.raises(UsageError, match=r'\[recording\] bodies = "off"'):
        read_inference(reader, "inf_1", Recording())
    with pytest.raises(UsageError, match=r"recording\.retention_days \(30\)"):
        read_inference(reader, "inf_1", FULL)
    with pytest.raises(UsageError, match="There is no inference 'inf_2'"):
        read_inference(reader, "inf_2", FULL)


# ---------------------------------------------------------------- requests


def test_a_conversation_becomes_a_case_with_messages():
    parts = [
        {"type": "text", "text": "Ann"},
        {"type": "image_url", "image_url": {"url": "Ann.png"}},
    ]
    request = {
        "model": "fast",
        "stream": True,
        "user": "Ann",
        "temperature": 0.2,
        "tools": [],
        "messages": [{"role": "user", "content": parts, "name": "Ann"}, *SAID],
    }
    case, remarks = made(request, redact=without_ann)
    first, second = case.messages
    assert first["role"] == "user"
    assert first["name"] == "[name]"
    assert first["content"][0] == {"type": "text", "text": "[name]"}
    assert first["content"][1]["image_url"]["url"] == "[name].png"
    assert second["content"] == "[name] asks: where is it?"
    assert "Ann" not in json.dumps(case.messages)
    (remark,) = remarks
    assert "temperature, tools" in remark
    assert "user" not in remark


def test_a_word_of_the_format_is_not_redacted():
    def shout(text: str) -> str:
        return text.upper()

    parts = [{"type": "text", "text": "hi"}]
    case, _ = made({"messages": [{"role": "user", "content": parts}]}, redact=shout)
    assert case.messages == [{"role": "user", "content": [{"type": "text", "text": "HI"}]}]


def test_what_the_caller_sent_has_its_variables():
    prompt = parsed(TRIAGE)
    call = {"id": "p", "variables": {"ticket": "Ann", "more": ["Ann", {"a": "Ann"}, 1]}}
    found = inference({"prompt": call, "messages": SAID}, prompt="p")
    case, _ = case_of_inference(found, case_id="a", redact=without_ann, prompt=prompt)
    assert case.variables == {"ticket": "[name]", "more": ["[name]", {"a": "[name]"}, 1]}


@pytest.mark.parametrize(
    ("request_body", "recorded", "for_prompt", "problem"),
    [
        (b"{", "", False, "is not JSON"),
        (b"[1]", "", False, "is not JSON"),
        ({"input": "x"}, "", False, "has no messages"),
        ({"messages": []}, "", False, "has no messages"),
        ({"messages": SAID}, "support", False, "the suite names no prompt"),
        ({"messages": SAID}, "", True, "was rendered from no prompt, and the suite is about 'p'"),
        ({"messages": SAID}, "other", True, "was rendered from the prompt 'other'"),
        ({"messages": SAID}, "p", True, "cannot be told from its messages"),
    ],
)
def test_what_cannot_become_a_case(
    request_body: Any, recorded: str, for_prompt: bool, problem: str
):
    prompt = parsed(TRIAGE) if for_prompt else None
    with pytest.raises(UsageError) as raised:
        case_of_inference(
            inference(request_body, prompt=recorded), case_id="a", redact=same, prompt=prompt
        )
    assert problem in str(raised.value)
    assert "Ann" not in str(raised.value)


# ---------------------------------------------------------------- answers


def frames(*texts: str) -> bytes:
    choices = [[{"index": 0, "delta": {"content": text}}] for text in texts]
    choices += [[{"index": 1, "delta": {"content": "other"}}], []]
    lines = [json.dumps({"choices": some}) for some in choices]
    return "".join(f"data: {line}\n\n" for line in (*lines, "[DONE]")).encode()


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (b'{"choices": [{"message": {"content": "Hi"}}]}', "Hi"),
        (b'{"choices": [{"message": {"content": "Hi"}}, {"message": {"content": "No"}}]}', "Hi"),
        (b'{"choices": [{"message": {"content": null, "tool_calls": []}}]}', ""),
        (b'{"error": {"message": "x"}}', ""),
        (frames("He", "llo"), "Hello"),
        (b": a comment\n\n" + frames("Hi"), "Hi"),
        (b"", ""),
        (b"\xff\x00", ""),
        (frames("He")[:40] + b"\n\n" + frames("llo"), "llo"),
    ],
)
def test_what_production_answered_is_a_note(response: bytes, answer: str):
    case, _ = made({"messages": SAID}, response)
    assert case.note == (f"Production answered: {answer}" if answer else "")


def test_a_long_answer_is_cut():
    whole = {"choices": [{"message": {"content": "x" * 5_000}}]}
    case, _ = made({"messages": SAID}, json.dumps(whole).encode())
    assert len(case.note) < 2_100
    assert case.note.endswith("x...")


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_become_a_case_or_are_told(request_body: bytes, response: bytes):
    try:
        case, _ = made(request_body, response)
    except UsageError as error:
        told = str(error)
    else:
        told = f"{case.from_inference} has {len(case.messages)} messages"
    assert "inf_1" in told
