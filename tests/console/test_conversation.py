"""Requests and answers of every shape become plain text, and never an exception."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from trimtab.insights.conversation import Conversation, Turn, read_conversation

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["messages", "role", "content", "type", "text", "tool_calls", "function", "name",
                 "arguments", "choices", "delta", "message", "index", "error", "tools", "refusal",
                 "finish_reason", "model", "n", "function_call", "custom", "reasoning"]
            ) | st.text(max_size=3),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)  # fmt: skip


def read(request: object = None, response: object = None) -> Conversation:
    return read_conversation(json.dumps(request or {}).encode(), json.dumps(response).encode())


def stream(*events: object, end: str = "\n\n") -> bytes:
    return "".join(f"data: {json.dumps(event)}{end}" for event in events).encode()


def delta(index: int = 0, finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": fields, "finish_reason": finish}]}


def test_messages_parts_tools_and_settings():
    found = read(
        {
            "model": "fast",
            "temperature": 0.5,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ]},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "c1", "function": {"name": "find", "arguments": '{"q": 1}'}}
                ]},
                {"role": "tool", "tool_call_id": "c1", "content": "42"},
            ],
            "tools": [{"type": "function", "function": {"name": "find"}}],
        },
        {"choices": [{"message": {"role": "assistant", "content": "Done."},
                      "finish_reason": "stop"}]},
    )  # fmt: skip
    assert found.settings == (("model", "fast"), ("temperature", "0.5"))
    assert found.tools == ("find",)
    assert found.request == (
        Turn(role="system", text="Be brief."),
        Turn(role="user", text="Look:"),
        Turn(role="user", part="attachment", text="image_url"),
        Turn(role="assistant", part="tool_call", text='{"q": 1}', name="find"),
        Turn(role="tool", part="tool_result", text="42", name="c1"),
    )
    assert found.answer == (Turn(role="assistant", text="Done."),)
    assert found.finish_reasons == ("stop",)
    assert not found.notes


def test_a_stream_is_put_together():
    body = stream(
        delta(role="assistant", content=""),
        delta(content="Hel"),
        delta(1, content="other"),
        delta(content="lo"),
        delta(tool_calls=[{"index": 0, "function": {"name": "find", "arguments": ""}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": '{"q"'}}]),
        delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
        delta(finish="tool_calls"),
        {"choices": [], "usage": {}},
    )
    found = read_conversation(b"{}", body + b"data: [DONE]\n\n")
    assert found.answer == (
        Turn(role="assistant", text="Hello"),
        Turn(role="assistant", part="tool_call", text='{"q": 1}', name="find"),
        Turn(role="assistant", text="other", choice=1),
    )
    assert found.finish_reasons == ("tool_calls", "")


def test_a_stream_in_other_framings():
    value = json.dumps(delta(content="hi"), indent=1)
    lines = "".join(f"data: {line}\r\n" for line in value.split("\n"))
    for body in (lines + "\r\n", ": comment\r\n" + lines, lines.replace("\r\n", "\r")):
        assert read_conversation(b"{}", body.encode()).answer[0].text == "hi"


def test_errors_in_both_forms():
    assert read({}, {"error": {"message": "no"}}).error == "no"
    assert read({}, {"error": "plain"}).error == "plain"
    assert read({}, {"error": {"code": 7}}).error == '{"code":7}'
    body = stream(delta(content="half"), {"error": {"message": "broke"}})
    found = read_conversation(b"{}", body)
    assert (found.answer[0].text, found.error) == ("half", "broke")


def test_what_cannot_be_read_is_said():
    found = read_conversation(b"\xff\xfe", b"<html>")
    assert "request is not a JSON object" in found.notes[0]
    assert "neither JSON nor a stream" in found.notes[1]
    assert read_conversation(b"{}", b"").notes == ("No answer was recorded.",)


def test_a_stream_that_is_cut_in_a_character():
    cut = 'data: {"choices":[{"delta":{"content":"é'.encode()[:-1]
    body = stream(delta(content="whole ")) + cut
    assert read_conversation(b"{}", body).answer[0].text == "whole "


@given(ANY_JSON, ANY_JSON)
def test_any_json_on_both_sides(request: object, response: object):
    found = read_conversation(msgspec.json.encode(request), msgspec.json.encode(response))
    assert all(type(turn.text) is str for turn in (*found.request, *found.answer))


@given(st.lists(ANY_JSON, max_size=5), st.sampled_from(["\n\n", "\r\n\r\n", "\n", "\r\r"]))
def test_any_events(events: list[object], end: str):
    body = "".join(f"data: {msgspec.json.encode(event).decode()}{end}" for event in events)
    assert isinstance(read_conversation(b"{}", body.encode()), Conversation)


@given(st.binary(), st.binary() | st.binary().map(lambda data: b"data:" + data))
def test_any_bytes(request: bytes, response: bytes):
    assert isinstance(read_conversation(request, response), Conversation)


@given(st.text(), st.integers(min_value=1, max_value=7))
def test_nothing_is_lost_in_a_stream(text: str, size: int):
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    body = stream(*(delta(content=piece) for piece in pieces), delta(finish="stop"))
    found = read_conversation(b"{}", body)
    assert "".join(turn.text for turn in found.answer) == text.encode(
        "utf-8", "surrogatepass"
    ).decode("utf-8", "replace")


def test_depth_and_length_are_bounded():
    deep = b"[" * 100_000 + b"]" * 100_000
    assert read_conversation(deep, deep).notes
    many = {"messages": [{"role": "user", "content": "x"}] * 3_000}
    found = read(many, {"choices": []})
    assert len(found.request) == 1_000
    assert "first 1000 turns" in found.notes[0]
