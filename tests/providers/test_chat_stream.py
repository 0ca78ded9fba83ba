"""Framing, hold-back and learning of streamed answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.errors import ProviderGarbage
from trimtab.providers.wire.chat_stream import DONE, MAX_EVENT_BYTES, ChatStream

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def chunk(
    delta: dict[str, Any] | None = None,
    *,
    finish: str | None = None,
    index: int = 0,
    usage: Any = "absent",
    choices: list[Any] | None = None,
) -> dict[str, Any]:
    body: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "model": "m-2026"}
    body["choices"] = (
        [{"index": index, "delta": delta or {}, "finish_reason": finish}]
        if choices is None
        else choices
    )
    if usage != "absent":
        body["usage"] = usage
    return body


def frames(*bodies: dict[str, Any], done: bool = True, compact: bool = True) -> bytes:
    separators = (",", ":") if compact else None
    events = [b"data: " + json.dumps(b, separators=separators).encode() + b"\n\n" for b in bodies]
    return b"".join(events) + (DONE if done else b"")


ANSWER = (
    chunk({"role": "assistant", "content": ""}, usage=None),
    chunk({"content": 'Say "usage":{1} '}, usage=None),
    chunk({"content": 'data: [DONE] "finish_reason":"stop" ö'}, usage=None),
    chunk({"content": "!"}, usage=None),
    chunk(finish="stop", usage=None),
    chunk(usage=USAGE, choices=[]),
)


def run(
    data: bytes, pieces: list[bytes] | None = None, *, keep_usage: bool = False
) -> tuple[ChatStream, bytes]:
    stream = ChatStream(choices=1, keep_usage=keep_usage)
    out = b"".join(stream.feed(piece) for piece in (pieces or [data]))
    return stream, out


def contents(data: bytes) -> str:
    events = [e for e in data.split(b"\n\n") if e.startswith(b"data: {")]
    choices = [c for e in events for c in json.loads(e[6:])["choices"]]
    return "".join(c["delta"].get("content") or "" for c in choices)


TEXT = contents(frames(*ANSWER))


@pytest.mark.parametrize("compact", [True, False])
def test_t04_usage_chunk_is_read_and_stripped_unless_asked_for(compact: bool):
    data = frames(*ANSWER, compact=compact)
    stream, out = run(data)
    whole = out + stream.tail()
    assert stream.usage is not None
    assert (stream.usage.input_tokens, stream.usage.output_tokens) == (7, 3)
    assert b"prompt_tokens" not in whole
    assert whole.endswith(DONE)
    assert contents(whole) == TEXT

    stream, out = run(data, keep_usage=True)
    assert out + stream.tail() == data


def test_nothing_passes_before_the_first_token_and_nothing_after_the_finish():
    stream = ChatStream(choices=1, keep_usage=False)
    assert stream.feed(frames(ANSWER[0], done=False)) == b""
    assert not stream.started
    passed = stream.feed(frames(ANSWER[1], done=False))
    assert passed == frames(ANSWER[0], ANSWER[1], done=False)
    assert stream.started
    assert stream.feed(frames(ANSWER[4], done=False)) == b""
    assert stream.finished
    assert not stream.complete
    assert stream.tail() == frames(ANSWER[4])


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=200), st.sampled_from(["\n", "\r\n", "\r"])
)
def test_t01_frames_may_split_anywhere_with_any_line_end(sizes: list[int], line_end: str):
    plain = b": hello\n\n" + frames(*ANSWER)
    data = b"\xef\xbb\xbf" + plain.replace(b"\n", line_end.encode())
    pieces: list[bytes] = []
    at = 0
    for size in sizes * (len(data) // sum(sizes) + 1):
        pieces.append(data[at : at + size])
        at += size
    stream, out = run(data, pieces)
    assert contents(out + stream.tail()) == TEXT
    assert stream.usage is not None
    assert stream.done


def test_t01_multi_line_data_and_comments_are_understood_and_never_become_data():
    comment = b": OPENROUTER PROCESSING\n\n"
    data = comment + b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"}}]}\n\n'
    stream, out = run(data)
    assert stream.content_frames == 1
    assert out == data


def test_t02_end_without_finish_is_not_finished():
    stream, _ = run(frames(*ANSWER[:3], done=False))
    assert not stream.finished
    assert not stream.complete
    unterminated, _ = run(frames(*ANSWER[:3], done=False) + b'data: {"choices":[]')
    assert not unterminated.finished


def test_t02_finish_and_usage_complete_a_stream_without_terminator():
    stream, out = run(frames(*ANSWER, done=False))
    assert stream.complete
    assert not stream.done
    assert (out + stream.tail()).endswith(DONE)


def test_t03_error_events_are_seen_before_and_after_the_first_token():
    error = b'data: {"error":{"message":"busy","type":"overloaded_error"}}\n\n'
    first, out = run(error)
    assert (first.error is not None, out) == (True, b"")
    late, out = run(frames(*ANSWER[:3], done=False) + error)
    assert late.error is not None
    assert b"overloaded" not in out


@pytest.mark.parametrize("place", ["finish chunk", "every chunk", "own chunk with a choice"])
def test_t04_usage_is_read_wherever_it_comes(place: str):
    bodies = {
        "finish chunk": (ANSWER[1], chunk(finish="stop", usage=USAGE)),
        "every chunk": (
            chunk({"content": "a"}, usage=USAGE | {"completion_tokens": 1}),
            chunk({"content": "b"}, usage=USAGE | {"completion_tokens": 2}),
            chunk(finish="stop", usage=USAGE),
        ),
        "own chunk with a choice": (ANSWER[1], chunk(finish="stop"), chunk(usage=USAGE)),
    }[place]
    stream, _ = run(frames(*bodies))
    assert stream.usage is not None
    assert stream.usage.output_tokens == 3


def test_t07_several_choices_finish_each_for_itself():
    stream = ChatStream(choices=2, keep_usage=False)
    stream.feed(frames(chunk({"content": "a"}), chunk({"content": "b"}, index=1), done=False))
    assert stream.feed(frames(chunk(finish="stop"), done=False)) != b""
    assert not stream.finished
    stream.feed(frames(chunk(finish="length", index=1), done=False))
    assert stream.finished


def test_tool_calls_and_reasoning_are_content_and_a_role_is_not():
    deltas: tuple[tuple[dict[str, Any], bool], ...] = (
        ({"role": "assistant", "content": None}, False),
        ({"role": "assistant", "tool_calls": []}, False),
        ({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}, True),
        ({"reasoning_content": "hm"}, True),
        ({"refusal": "no"}, True),
    )
    for delta, is_content in deltas:
        stream, _ = run(frames(chunk(delta), done=False))
        assert stream.started is is_content, delta


def test_an_event_that_is_not_json_is_left_out():
    stream, out = run(frames(ANSWER[1], done=False) + b"data: {oops\n\n" + frames(*ANSWER[2:]))
    assert stream.skipped_frames == 1
    assert b"oops" not in out
    assert stream.complete


def test_an_answer_without_content_is_complete_and_kept():
    stream, out = run(frames(ANSWER[0], ANSWER[4], ANSWER[5]))
    assert (out, stream.complete) == (b"", True)
    assert stream.tail() == frames(ANSWER[0], ANSWER[4])


def test_an_endless_event_is_refused_in_bounded_memory():
    stream = ChatStream(choices=1, keep_usage=False)
    piece = b"data: " + b"x" * 1_000_000
    for _ in range(MAX_EVENT_BYTES // 1_000_000 - 1):
        assert stream.feed(piece) == b""
    with pytest.raises(ProviderGarbage, match="single event"):
        stream.feed(piece + piece)


def test_frames_passed_are_counted_for_estimates():
    stream, _ = run(frames(*ANSWER))
    assert stream.content_frames == 3
    pieces = [frames(b, done=False) for b in ANSWER]
    stream, _ = run(b"", pieces)
    assert stream.content_frames == 3


@pytest.mark.parametrize("begin", [b"", frames(ANSWER[1], ANSWER[4], done=False)])
def test_endless_comments_before_the_token_or_after_the_finish_are_refused(begin: bytes):
    stream = ChatStream(choices=1, keep_usage=False)
    stream.feed(begin)
    comment = b": " + b"x" * 1_000_000 + b"\n\n"
    for _ in range(MAX_EVENT_BYTES // 1_000_000 - 1):
        assert stream.feed(comment) == b""
    with pytest.raises(ProviderGarbage, match="before its first token"):
        stream.feed(comment + comment)


_PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            '"},"finish_reason":"stop"}],"x":[{"delta":{"content":"',  # once escaped, only text
            "\\",
            '\\"',
            "\n\n",
            "[DONE]",
            '"usage":{}',
        ]
    ),
)


@given(st.lists(_PIECES, max_size=12), st.booleans())
def test_frames_of_one_shape_are_read_as_if_each_were_parsed(texts: list[str], escape: bool):
    """The shortcut for a frame like the one before changes nothing but the time it takes."""
    parts = [
        b"data: " + json.dumps(body, separators=(",", ":"), ensure_ascii=escape).encode() + b"\n\n"
        for body in (
            *(chunk({"content": text}, usage=None) for text in ("Once", *texts)),
            chunk(finish="stop", usage=None),
            chunk(usage=USAGE, choices=[]),
        )
    ]
    stream, out = run(b"", [*parts, DONE], keep_usage=True)
    slow, expected = run(b"", [*(b":\n" + part for part in parts), DONE], keep_usage=True)
    assert out + stream.tail() == (expected + slow.tail()).replace(b":\n", b"")
    assert stream.usage == slow.usage
    assert stream.reading == slow.reading
    assert stream.reading is not None
    assert stream.reading.finish_reason == "stop"
    assert (stream.done, stream.complete) == (slow.done, slow.complete) == (True, True)


def test_a_frame_that_only_looks_like_the_one_before_is_read():
    """Head and tail of the plain frames, with a finish written between them."""
    plain = frames(chunk({"content": "a"}), done=False)
    odd = plain.replace(b'"a"', b'"b"},"finish_reason":"stop"},{"index":1,"delta":{"content":"c"')
    stream, _ = run(b"", [plain, plain, odd])
    assert stream.reading is not None
    assert stream.reading.finish_reason == "stop"
    assert stream.finished


@pytest.mark.parametrize("text", ["\x1f", "\\u12"])
def test_a_frame_with_broken_text_is_left_out(text: str):
    plain = frames(chunk({"content": "a"}), done=False)
    broken = plain.replace(b'"a"', b'"' + text.encode() + b'"')
    stream, out = run(b"", [plain, plain, broken, plain])
    assert stream.skipped_frames == 1
    assert out == plain * 3


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@given(st.lists(_PIECES, max_size=12), st.booleans())
def test_a_chunk_that_passes_is_what_it_would_be_unchunked(texts: list[str], escape: bool):
    parts = [
        b"data: " + json.dumps(body, separators=(",", ":"), ensure_ascii=escape).encode() + b"\n\n"
        for body in (
            *(chunk({"content": text}, usage=None) for text in ("Once", "upon", *texts)),
            chunk(finish="stop", usage=None),
            chunk(usage=USAGE, choices=[]),
        )
    ]
    stream, slow = (ChatStream(choices=1, keep_usage=True) for _ in range(2))
    out = expected = b""
    for part in [*parts, DONE]:
        expected += slow.feed(part)
        out += part if stream.passes(chunked(part)) else stream.feed(part)
    assert out + stream.tail() == expected + slow.tail()
    assert stream.reading == slow.reading
    assert (stream.content_frames, stream.content_bytes) == (
        slow.content_frames,
        slow.content_bytes,
    )


@pytest.mark.parametrize(
    "odd",
    [
        b"%(size)b;ext=1\r\n%(event)b\r\n",
        b"0%(size)b\r\n%(event)b\r\n",
        b"+%(size)b\r\n%(event)b\r\n",
        b"0x%(size)b\r\n%(event)b\r\n",
        b"%(size)b\n%(event)b\r\n",
        b"%(less)b\r\n%(event)b\r\n",
        b"%(size)b\r\n%(event)b",
        b"%(size)b\r\n%(event)b\n\n",
        b"%(size)b\r\n%(event)b\r\n0\r\n\r\n",
        b"%(event)b",
        b"\r\n%(size)b\r\n%(event)b\r\n",
        b"",
    ],
)
def test_what_is_not_one_whole_chunk_does_not_pass(odd: bytes):
    event = frames(chunk({"content": "word"}), done=False)
    stream, _ = run(b"", [event, event])
    assert stream.passes(chunked(event))
    size = len(event)
    parts = {b"event": event, b"size": b"%x" % size, b"less": b"%x" % (size - 1)}
    assert not stream.passes(odd % parts)
    assert stream.content_frames == 3


def test_nothing_passes_after_the_finish_or_within_an_event():
    event = frames(chunk({"content": "word"}), done=False)
    stream, _ = run(b"", [event, event, event[:9]])
    assert not stream.passes(chunked(event))
    stream.feed(event[9:])
    assert stream.passes(chunked(event))
    stream.feed(frames(chunk(finish="stop"), done=False))
    assert not stream.passes(chunked(event))
