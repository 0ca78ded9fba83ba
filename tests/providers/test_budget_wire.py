"""What budgets need of the wire: bytes that were shown, an end in mid-stream, a limit put in."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.providers.wire.chat_request import limited_body, parse_request
from trimtab.providers.wire.chat_stream import DONE, ChatStream
from trimtab.types.usage import Usage

WORDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    min_size=1,
    max_size=30,
)


def frame(content: str | None, *, index: int = 0, finish: str | None = None, **more: Any) -> bytes:
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return b"data: " + msgspec.json.encode({"id": "c1", "choices": [choice]} | more) + b"\n\n"


@given(
    words=WORDS,
    padding=st.lists(st.text("abc", max_size=20), min_size=1, max_size=5),
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=5),
)
def test_bytes_of_content_are_never_too_few_however_frames_arrive(
    words: list[str], padding: list[str], sizes: list[int]
):
    """Some providers pad their frames, so that not all have the same length beside the content."""
    frames = [
        frame(word, obfuscation=padding[number % len(padding)]) for number, word in enumerate(words)
    ]
    stream = ChatStream(choices=1, keep_usage=False)
    at = turn = 0
    while at < len(frames):
        size = sizes[turn % len(sizes)]
        stream.feed(b"".join(frames[at : at + size]))
        at, turn = at + size, turn + 1
    assert stream.content_frames == len(words)
    assert stream.content_bytes >= sum(len(word.encode()) for word in words)
    assert stream.content_bytes <= sum(map(len, frames))


def test_frames_of_one_shape_count_their_content_only():
    stream = ChatStream(choices=1, keep_usage=False)
    for word in ("one", "two", "three"):
        stream.feed(frame(word))
    stream.feed(frame("four") + frame("five"))
    assert stream.content_bytes == len('"one"twothreefourfive')
    stream.feed(frame("\u654f\u6377"))
    assert stream.content_bytes == len('"one"twothreefourfive') + 6, "of any script"
    before = stream.content_bytes
    delta = {"content": "", "reasoning_content": "some thoughts"}
    chunk = {"id": "c1", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    stream.feed(b"data: " + msgspec.json.encode(chunk) + b"\n\n")
    assert stream.content_bytes >= before + len("some thoughts"), "of any kind"


def events(data: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in data.split(b"\n\n") if line.startswith(b"data: {")]


@pytest.mark.parametrize("keep_usage", [False, True])
def test_a_cut_stream_ends_as_at_a_limit(keep_usage: bool):
    stream = ChatStream(choices=3, keep_usage=keep_usage)
    opening = frame("a", model="m-1", created=7, object="chat.completion.chunk", extra=1)
    stream.feed(opening)
    stream.feed(frame("b", index=1) + frame(None, index=1, finish="stop"))
    stream.cut(Usage(input_tokens=9, output_tokens=2))
    assert stream.complete
    tail = stream.tail()
    assert tail.endswith(DONE)
    finish, *usage = events(tail)
    assert finish == {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 7,
        "model": "m-1",
        "choices": [{"index": index, "delta": {}, "finish_reason": "length"} for index in (0, 2)],
    }
    counts = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    assert [event["usage"] for event in usage] == ([counts] if keep_usage else [])
    assert all(event["choices"] == [] for event in usage)


def test_a_cut_stream_that_went_on_with_another_counts_what_both_have_shown():
    stream = ChatStream(choices=1, keep_usage=True, shown_tokens=40)
    stream.feed(frame("a") + frame("b"))
    stream.cut(Usage(input_tokens=9, output_tokens=2))
    assert events(stream.tail())[-1]["usage"] == {
        "prompt_tokens": 9,
        "completion_tokens": 42,
        "total_tokens": 51,
    }


def test_a_stream_may_be_cut_before_it_has_said_anything():
    stream = ChatStream(choices=1, keep_usage=False)
    stream.cut(Usage())
    (finish,) = events(stream.tail())
    assert finish["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 9}, 9),
        ({"max_tokens": 9, "max_completion_tokens": 5}, 9),
        ({"max_tokens": 5, "n": 4}, 20),
        ({"max_tokens": 0}, None),
        ({"max_tokens": -1}, None),
        ({"max_tokens": -1, "max_completion_tokens": 3}, 3),
    ],
)
def test_the_limit_that_a_request_sets_itself(fields: dict[str, int], own: int | None):
    request = parse_request(json.dumps({"model": "m", "messages": []} | fields).encode())
    assert request.own_output_limit == own
    assert request.output_limit(100) == (100 * request.choices if own is None else own)


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ('{"model":"m","messages":[]}', '{"model":"m","messages":[],"cap":10}'),
        ('{"model":"m","messages":[]} \n', '{"model":"m","messages":[],"cap":10}'),
        (
            '{"max_tokens":99,"model":"m","messages":[],"t":1.50}',
            '{"max_tokens":10,"model":"m","messages":[],"t":1.50}',
        ),
        (
            '{"max_tokens":99,"max_completion_tokens":70,"model":"m","messages":[]}',
            '{"max_tokens":10,"max_completion_tokens":10,"model":"m","messages":[]}',
        ),
        (
            '{"model":"m","messages":[{"content":"say \\"max_tokens\\" "}]}',
            '{"model":"m","messages":[{"content":"say \\"max_tokens\\" "}],"cap":10}',
        ),
        (
            '{"max_tokens":null,"model":"m","messages":[]}',
            '{"max_tokens":null,"model":"m","messages":[],"cap":10}',
        ),
        ('{"n":3,"model":"m","messages":[]}', '{"n":3,"model":"m","messages":[],"cap":3}'),
        ('{"n":30,"model":"m","messages":[]}', '{"n":30,"model":"m","messages":[],"cap":1}'),
    ],
)
def test_a_limit_is_put_in_and_all_else_stays(body: str, changed: str):
    sent = limited_body(body.encode(), parse_request(body.encode()), 10, field="cap")
    assert sent.decode() == changed


def test_a_limit_under_an_escaped_name_is_replaced_too():
    body = rb'{"max\u005ftokens":99,"model":"m","messages":[]}'
    sent = json.loads(limited_body(body, parse_request(body), 10, field="cap"))
    assert sent == {"max_tokens": 10, "model": "m", "messages": []}
