"""Providers, byte by byte: reuse of connections, framing of answers, and everything wrong."""

import gzip
import json
import threading
import zlib
from pathlib import Path

import pytest

from harness import project_text, running_gateway
from server.wire import (
    Answer,
    Caller,
    Peer,
    RawServer,
    Stage,
    assert_error,
    body_of,
    chat,
    post,
    stream_head,
)

WHOLE = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hello"},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
).encode()
TOKEN = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def length(body: bytes) -> bytes:
    return b"content-length: %d\r\n\r\n%b" % (len(body), body)


def chunks(body: bytes, *, end: bytes = b"\r\n") -> bytes:
    return b"%x\r\n%b\r\n0\r\n%b" % (len(body), body, end)


def playing(stage: Stage, *answers: bytes, close: bool = False) -> list[bytes]:
    """Let the raw provider answer its calls with `answers` and the last one again and again.

    Returns the list that the bodies of the requests go into.
    """
    requests: list[bytes] = []

    def play(peer: Peer) -> None:
        while body := peer.read_request():
            requests.append(body)
            peer.send(answers[min(len(requests), len(answers)) - 1])
            if close:
                return

    stage.raw.play(play)
    return requests


def ask_raw(stage: Stage, *, stream: bool = False) -> Answer:
    return stage.ask(post(body_of("raw", stream=stream)))


# ------------------------------------------------------------------ reuse


@pytest.mark.parametrize("stream", [False, True])
def test_one_connection_serves_many_calls(stage: Stage, stream: bool) -> None:
    answer = stream_head() + chunks(TOKEN + END) if stream else OK + length(WHOLE)
    playing(stage, answer)
    before = stage.raw.connections
    for _ in range(50):
        assert ask_raw(stage, stream=stream).status == 200
    assert stage.raw.connections == before + 1


def test_errors_do_not_cost_the_connection(stage: Stage) -> None:
    error = b'{"error":{"message":"m","code":"c"}}'
    playing(stage, b"HTTP/1.1 429 Too Many\r\ncontent-type: application/json\r\n" + length(error))
    before = stage.raw.connections
    for _ in range(5):
        assert ask_raw(stage).status == 429
    assert stage.raw.connections == before + 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_that_was_closed_unseen_is_tried_again_once(
    stage: Stage, stream: bool
) -> None:
    """The close comes with the next request, as with a provider that has just lost patience."""
    answer = stream_head() + chunks(TOKEN + END) if stream else OK + length(WHOLE)
    served: list[int] = []

    def play(peer: Peer) -> None:
        while peer.read_request():
            served.append(id(peer))
            if served.count(id(peer)) == 2:
                return
            peer.send(answer)

    stage.raw.play(play)
    before = stage.raw.connections
    assert ask_raw(stage, stream=stream).headers["x-trimtab-attempts"] == "1"
    again = ask_raw(stage, stream=stream)
    assert (again.status, again.headers["x-trimtab-attempts"]) == (200, "2")
    assert stage.raw.connections == before + 2
    event = stage.event(again.request_id)
    assert (event.outcome, event.attempts) == ("ok", 2)


def test_a_connection_that_ends_after_each_answer(stage: Stage) -> None:
    """Without a word: no header said so."""
    playing(stage, OK + length(WHOLE), close=True)
    assert [ask_raw(stage).status for _ in range(20)] == [200] * 20


def test_a_new_connection_that_is_closed_is_not_tried_again(stage: Stage) -> None:
    def play(peer: Peer) -> None:
        peer.read_request()

    stage.raw.play(play)
    before = stage.raw.connections
    answer = ask_raw(stage)
    assert_error(answer, 502, "provider_unreachable")
    assert stage.raw.connections == before + 1
    assert stage.event(answer.request_id).attempts == 1


def test_an_answer_that_has_begun_is_not_tried_again(stage: Stage) -> None:
    count = 0

    def play(peer: Peer) -> None:
        nonlocal count
        while peer.read_request():
            count += 1
            peer.send(OK + length(WHOLE) if count == 1 else b"H")
            if count > 1:
                return

    stage.raw.play(play)
    assert ask_raw(stage).status == 200
    assert_error(ask_raw(stage), 502, "provider_truncated")
    assert count == 2


@pytest.mark.parametrize(
    "header",
    [b"Keep-Alive: timeout=1\r\n", b"keep-alive: max=9, timeout=0\r\n", b"Connection: close\r\n"],
)
def test_a_provider_that_does_not_keep_connections_gets_new_ones(
    stage: Stage, header: bytes
) -> None:
    playing(stage, OK + header + length(WHOLE), close=header.startswith(b"Conn"))
    before = stage.raw.connections
    for _ in range(3):
        answer = ask_raw(stage)
        assert (answer.status, answer.headers["x-trimtab-attempts"]) == (200, "1")
    assert stage.raw.connections == before + 3


def test_bytes_that_nobody_asked_for_end_the_connection(stage: Stage) -> None:
    second = WHOLE.replace(b"hello", b"stolen")
    playing(stage, OK + length(WHOLE) + OK + length(second))
    for _ in range(3):
        assert ask_raw(stage).body == WHOLE


def test_an_early_answer_leaves_no_rest_of_a_request_behind(project_folder: Path) -> None:
    """The provider answers before it has read the request, and never reads the rest.

    The request is larger than what two sockets can hold between them.
    """
    refused = b'{"error":{"message":"too long","code":"too_long"}}'
    done = threading.Event()

    def play(peer: Peer) -> None:
        peer.socket.recv(10)
        peer.send(b"HTTP/1.1 413 Large\r\ncontent-type: application/json\r\n" + length(refused))
        done.wait(10)

    raw = RawServer()
    raw.play(play)
    text = project_text(f"http://127.0.0.1:{raw.port}/v1")
    try:
        with running_gateway(project_folder, text) as gateway, Caller(gateway.port) as caller:
            for _ in range(2):
                caller.send(post(body_of("fast", pad="x" * 19_000_000)))
                answer = caller.read_answer()
                assert (answer.status, answer.json["error"]["code"]) == (413, "too_long")
    finally:
        done.set()
        raw.close()


# ------------------------------------------------------------------ framing of answers

GOOD: dict[str, bytes] = {
    "length": OK + length(WHOLE),
    "chunks": OK + b"transfer-encoding: chunked\r\n\r\n" + chunks(WHOLE),
    "chunk extensions": OK
    + b"Transfer-Encoding: Chunked\r\n\r\n"
    + chunks(WHOLE).replace(b"\r\n", b";a=b\r\n", 1),
    "trailers": OK
    + b"transfer-encoding: chunked\r\n\r\n"
    + chunks(WHOLE, end=b"x-request-id: trailer\r\ncontent-type: text/html\r\n\r\n"),
    "until the end": OK + b"\r\n" + WHOLE,
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + WHOLE,
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + OK + length(WHOLE),
    "103 twice": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK + length(WHOLE),
    "gzip": OK + b"content-encoding: gzip\r\n" + length(gzip.compress(WHOLE)),
    "x-gzip": OK + b"Content-Encoding: X-GZIP\r\n" + length(gzip.compress(WHOLE)),
    "deflate": OK + b"content-encoding: deflate\r\n" + length(zlib.compress(WHOLE)),
    "identity": OK + b"content-encoding: identity\r\n" + length(WHOLE),
    "no reason phrase": OK.replace(b" OK", b"") + length(WHOLE),
    "spaces around values": OK + b"content-length:   %d  \r\n\r\n%b" % (len(WHOLE), WHOLE),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_good_answer_passes_unchanged(stage: Stage, case: str) -> None:
    playing(stage, GOOD[case], close=True)
    answer = ask_raw(stage)
    assert (answer.status, answer.body) == (200, WHOLE)
    assert "x-trimtab-provider-request-id" not in answer.headers
    event = stage.event(answer.request_id)
    assert (event.input_tokens, event.output_tokens) == (3, 2)


@pytest.mark.parametrize("case", GOOD)
def test_the_same_byte_by_byte(stage: Stage, case: str) -> None:
    def play(peer: Peer) -> None:
        peer.read_request()
        for byte in GOOD[case]:
            peer.send(bytes((byte,)))

    stage.raw.play(play)
    answer = ask_raw(stage)
    assert (answer.status, answer.body) == (200, WHOLE)


GARBAGE = "provider_garbage"
TRUNCATED = "provider_truncated"
BAD: dict[str, tuple[bytes, str]] = {
    "garbage": (b"220 smtp.example ESMTP\r\n", GARBAGE),
    "TLS alert": (b"\x15\x03\x01\x00\x02\x02\x46", GARBAGE),
    "a page": (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n" + length(b"<html>"), GARBAGE),
    "nothing in it": (OK + length(b""), GARBAGE),
    "JSON of another kind": (OK + length(b'{"a":1}'), GARBAGE),
    "cut by length": (OK + b"content-length: 5000\r\n\r\n" + WHOLE, TRUNCATED),
    "cut in a chunk": (OK + b"transfer-encoding: chunked\r\n\r\nfff\r\n" + WHOLE, TRUNCATED),
    "no last chunk": (
        OK + b"transfer-encoding: chunked\r\n\r\n" + chunks(WHOLE)[:-5], TRUNCATED,
    ),
    "cut in the headers": (OK, TRUNCATED),
    "cut without length": (OK + b"\r\n" + WHOLE[:-20], GARBAGE),
    "cut in gzip": (OK + b"content-encoding: gzip\r\n\r\n" + gzip.compress(WHOLE)[:-30], GARBAGE),
    "not gzip": (OK + b"content-encoding: gzip\r\n" + length(WHOLE), GARBAGE),
    "unknown encoding": (OK + b"content-encoding: br\r\n" + length(WHOLE), GARBAGE),
    "two encodings": (OK + b"content-encoding: gzip, br\r\n" + length(WHOLE), GARBAGE),
    "length and chunks": (
        OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n" + chunks(WHOLE), GARBAGE,
    ),
    "two lengths": (OK + b"content-length: 3\r\n" + length(WHOLE), GARBAGE),
    "negative length": (OK + b"content-length: -3\r\n\r\n" + WHOLE, GARBAGE),
    "chunk size": (OK + b"transfer-encoding: chunked\r\n\r\nxyz\r\n" + WHOLE, GARBAGE),
    "bare LF": (OK.replace(b"\r\n", b"\n") + b"\n" + WHOLE, GARBAGE),
    "folded header": (OK + b"a: b\r\n c\r\n" + length(WHOLE), GARBAGE),
    "NUL in a header": (OK + b"a: b\0\r\n" + length(WHOLE), GARBAGE),
    "another protocol": (
        b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", GARBAGE,
    ),
    "only 100": (b"HTTP/1.1 100 Continue\r\n\r\n", TRUNCATED),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", GARBAGE),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", GARBAGE),
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", BAD)
def test_a_bad_answer_is_a_502_and_never_a_200(stage: Stage, case: str, stream: bool) -> None:
    data, code = BAD[case]
    playing(stage, data, close=True)
    answer = ask_raw(stage, stream=stream)
    if stream and case == "a page":  # read as a stream, it ends before it has begun
        code = TRUNCATED
    assert_error(answer, 502, code)
    event = stage.event(answer.request_id)
    assert event.outcome == "error"
    assert event.error_code == code.removeprefix("provider_")


# ------------------------------------------------------------------ what never ends


@pytest.mark.parametrize(
    ("start", "endless"),
    [
        (OK, b"a: b\r\n"),
        (OK + b"a: ", b"b"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"transfer-encoding: chunked\r\n\r\n1;", b"x"),
        (OK + b"transfer-encoding: chunked\r\n\r\n" + chunks(WHOLE, end=b""), b"a: b\r\n"),
    ],
)
def test_endless_framing_is_cut(stage: Stage, start: bytes, endless: bytes) -> None:
    sent = 0

    def play(peer: Peer) -> None:
        nonlocal sent
        peer.read_request()
        peer.send(start)
        while sent < 100_000_000:
            peer.send(endless * 1000)
            sent = peer.sent

    stage.raw.play(play)
    assert_error(ask_raw(stage), 502, GARBAGE)
    assert sent < 20_000_000  # the buffers of the kernel


def test_endless_headers_of_the_fault_provider(stage: Stage) -> None:
    assert_error(stage.ask(chat("X05-header")), 502, GARBAGE)
    assert_error(stage.ask(chat("X05-header", stream=True)), 502, GARBAGE)


def test_an_event_of_40_mb(stage: Stage) -> None:
    answer = stage.ask(chat("X05-event", stream=True))
    assert_error(answer, 502, GARBAGE)
    assert stage.event(answer.request_id).outcome == "error"


def test_a_head_whose_end_is_split_from_it_does_not_count_the_body(stage: Stage) -> None:
    body = WHOLE.replace(b"hello", b"h" * 200_000)

    def play(peer: Peer) -> None:
        peer.read_request()
        whole = OK + length(body)
        cut = whole.index(b"\r\n\r\n") + 3
        peer.send(whole[:cut])
        threading.Event().wait(0.05)  # so that the gateway reads it in two
        peer.send(whole[cut:])

    stage.raw.play(play)
    assert ask_raw(stage).body == body


def test_a_compressed_bomb(stage: Stage) -> None:
    bomb = gzip.compress(b" " * 100_000_000, 1)
    playing(stage, OK + b"content-encoding: gzip\r\n" + length(bomb), close=True)
    assert_error(ask_raw(stage), 502, GARBAGE)


# ------------------------------------------------------------------ streams


def test_streams_in_every_framing(stage: Stage) -> None:
    kind = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    data = TOKEN * 3 + END
    compressed = gzip.compress(data)
    for answer in (
        stream_head() + chunks(data),
        kind + length(data),
        kind + b"\r\n" + data,
        kind + b"content-encoding: gzip\r\n" + length(compressed),
        kind + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n" + chunks(compressed),
    ):
        playing(stage, answer, close=True)
        got = ask_raw(stage, stream=True)
        assert (got.status, got.text, got.events[-1]) == (200, "aaa", "[DONE]")


def comparable(answer: Answer) -> list[str]:
    """The events of a stream without what differs from call to call."""
    return [event.replace(call_number(event), "N") for event in answer.events]


def call_number(event: str) -> str:
    return str(json.loads(event)["id"]) if event != "[DONE]" else "-"


@pytest.mark.parametrize("fault", ["X04-bytes", "X04-crlf", "X04-cr", "X04-multiline"])
def test_other_spellings_of_a_stream_say_the_same(stage: Stage, fault: str) -> None:
    usual = stage.ask(chat(stream=True))
    odd = stage.ask(chat(fault, stream=True))
    assert odd.status == 200
    if fault != "X04-multiline":
        assert [event.replace(f"fault:{fault}", "healthy") for event in comparable(odd)] == [
            event.replace("fault:healthy", "healthy") for event in comparable(usual)
        ]
    assert odd.body.endswith(b"data: [DONE]\n\n")
    event = stage.event(odd.request_id)
    assert (event.outcome, event.usage_source, event.output_tokens) == ("ok", "reported", 12)


def test_whole_answers_byte_by_byte(stage: Stage) -> None:
    usual, odd = stage.ask(chat()), stage.ask(chat("X04-bytes"))
    assert usual.json["choices"] == odd.json["choices"]


@pytest.mark.parametrize(
    ("fault", "stream"),
    [
        ("X03-longer", False),
        ("X03-longer", True),
        ("X03-chunk-cut", False),
        ("X03-chunk-cut", True),
        ("X03-clean-end", True),
    ],
)
def test_truncated_answers(stage: Stage, fault: str, stream: bool) -> None:
    answer = stage.ask(chat(fault, stream=stream))
    if stream and fault == "X03-longer":  # the stream is whole; only its length was wrong
        assert answer.events[-1] == "[DONE]"
    elif stream:
        assert json.loads(answer.events[-1])["error"]["code"] == TRUNCATED
        assert stage.event(answer.request_id).outcome == "error"
    else:
        assert answer.status == 502
        assert stage.event(answer.request_id).outcome == "error"


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_longer_than_said(stage: Stage, stream: bool) -> None:
    answer = stage.ask(chat("X03-shorter", stream=stream))
    if stream:  # what is missing came after the finish
        assert answer.text == stage.ask(chat(stream=True)).text
    else:
        assert_error(answer, 502, GARBAGE)
    stage.assert_well()


@pytest.mark.parametrize("fault", ["X08-host", "X08-link-local"])
@pytest.mark.parametrize("stream", [False, True])
def test_redirects_are_not_followed(stage: Stage, fault: str, stream: bool) -> None:
    assert_error(stage.ask(chat(fault, stream=stream)), 502, GARBAGE)


@pytest.mark.parametrize(("fault", "stream"), [("X01", True), ("X02", False), ("X02", True)])
def test_errors_inside_a_200(stage: Stage, fault: str, stream: bool) -> None:
    answer = stage.ask(chat(fault, stream=stream))
    assert answer.status == 502
    assert answer.json["error"]["type"] == "overloaded_error"
    assert stage.event(answer.request_id).outcome == "error"


def test_an_event_that_is_not_json_is_left_out(stage: Stage) -> None:
    answer = stage.ask(chat("S10", stream=True))
    assert "{not json" not in answer.events
    assert answer.events[-1] == "[DONE]"
    assert all(json.loads(event) for event in answer.events[:-1])


def test_a_stream_without_terminator_ends_at_once(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(chat("S11", stream=True))
        answer = caller.read_answer()
    assert answer.events[-1] == "[DONE]"
    event = stage.event(answer.request_id)
    assert event.outcome == "ok"
    assert event.latency_us < 1_000_000


def test_a_provider_that_answers_before_it_was_asked_is_not_believed(stage: Stage) -> None:
    spoken = threading.Event()

    def play(peer: Peer) -> None:
        if not spoken.is_set():
            peer.read_request()
            peer.send(OK + length(WHOLE))
            threading.Event().wait(0.05)  # the gateway has taken the answer
            peer.send(OK + length(WHOLE.replace(b"hello", b"early")))
            spoken.set()
            peer.wait_closed()
            return
        while peer.read_request():
            peer.send(OK + length(WHOLE))

    stage.raw.play(play)
    assert ask_raw(stage).body == WHOLE
    assert spoken.wait(10)
    assert ask_raw(stage).body == WHOLE
