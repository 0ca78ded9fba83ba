"""Going on with a stream that broke."""

import json
from typing import Any

import pytest

from trimtab.providers.wire.chat_continue import continuation_body, joined_usage, shown_text
from trimtab.providers.wire.chat_request import parse_request
from trimtab.providers.wire.chat_stream import ChatStream


def event(delta: dict[str, Any], **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None} | fields
    return b"data: " + json.dumps({"choices": [choice], "model": "m"}).encode() + b"\n\n"


ROLE = event({"role": "assistant", "content": ""})


def test_text_is_put_together():
    frames = ROLE + event({"content": "Grü"}) + b": ping\n\n" + event({"content": "ße"})
    assert shown_text(frames) == "Grüße"


@pytest.mark.parametrize(
    "frame",
    [
        event({"tool_calls": [{"index": 0}]}),
        event({"reasoning_content": "hm"}),
        event({"content": "a"}, index=1),
        event({"content": "a"}, logprobs={"content": []}),
        event({"content": ["a"]}),
        b"data: {not json\n\n",
        b"event: odd\ndata: {}\n\n",
    ],
)
def test_t16_what_cannot_be_resumed_is_not_continued(frame: bytes):
    assert shown_text(ROLE + event({"content": "a"}) + frame) is None


def body_of(**fields: Any) -> bytes:
    messages = [{"role": "user", "content": "x"}]
    return json.dumps({"model": "a", "messages": messages} | fields).encode()


def test_the_answer_so_far_is_the_last_message_and_counts_against_the_limit():
    body = body_of(max_tokens=10, seed=12345678901234567890)
    made = continuation_body(body, parse_request(body), text='say "hi"', shown_tokens=4)
    assert made is not None
    assert json.loads(made) == json.loads(body) | {
        "messages": [
            {"role": "user", "content": "x"},
            {"role": "assistant", "content": 'say "hi"'},
        ],
        "max_tokens": 6,
    }


def test_t16_a_request_that_ends_in_an_assistant_message_is_not_given_a_second():
    body = body_of(messages=[{"role": "assistant", "content": "I"}])
    assert continuation_body(body, parse_request(body), text="a", shown_tokens=1) is None


def test_the_second_stream_joins_without_its_opening_and_with_usage_of_both():
    stream = ChatStream(choices=1, keep_usage=True, shown_tokens=3)
    usage = {"prompt_tokens": 13, "completion_tokens": 2, "total_tokens": 15}
    last = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    finish = event({}, finish_reason="stop")
    shown = stream.feed(ROLE + event({"content": "b"}) + finish + last + b"data: [DONE]\n\n")
    assert shown == event({"content": "b"})
    tail = stream.tail()
    assert tail.startswith(finish)
    assert json.loads(tail.split(b"\n\n")[1].removeprefix(b"data: "))["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
    }
    assert stream.usage is not None
    assert stream.usage.output_tokens == 2


def test_a_second_stream_that_has_nothing_to_add_still_finishes():
    stream = ChatStream(choices=1, keep_usage=False, shown_tokens=3)
    finish = event({}, finish_reason="stop")
    assert stream.feed(ROLE + finish + b"data: [DONE]\n\n") == b""
    assert stream.tail() == finish + b"data: [DONE]\n\n"


def test_usage_never_becomes_negative():
    data = json.dumps({"choices": [], "usage": {"prompt_tokens": 1}}).encode()
    assert json.loads(joined_usage(data, 5).removeprefix(b"data: "))["usage"]["prompt_tokens"] == 0
