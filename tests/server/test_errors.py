"""Whatever goes wrong, the caller reads OpenAI's shape, an id, and nothing of what it said."""

import json
from pathlib import Path

import pytest

from harness import project_text, running_gateway
from server.wire import Caller, Peer, Stage, assert_error, body_of, chat, head, post, stream_head

SECRET = "zebra-crossing-at-midnight"

CASES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (post(SECRET.encode()), 400, "malformed_request"),
    "JSON of another kind": (post(b'["' + SECRET.encode() + b'"]'), 400, "malformed_request"),
    "empty": (post(b""), 400, "malformed_request"),
    "no model": (post(b'{"messages":["%b"]}' % SECRET.encode()), 400, "malformed_request"),
    "a wrong type": (
        post(json.dumps({"model": "fast", "stream": SECRET}).encode()), 400, "malformed_request",
    ),
    "not UTF-8": (post(b'{"model":"fast\xff"}'), 400, "malformed_request"),
    "unknown model": (chat("nope", prompt=SECRET), 404, "model_not_found"),
    "unknown path": (head(f"GET /{SECRET} HTTP/1.1"), 404, "unknown_url"),
    "odd path": (head("GET /%00%ff%zz/..%2f HTTP/1.1"), 404, "unknown_url"),
    "wrong method": (head("PUT /v1/models HTTP/1.1"), 405, "method_not_allowed"),
    "too large": (post(SECRET.encode() * 5000), 413, "request_too_large"),
    "refused by the provider's host": (chat("refused", x=SECRET), 502, "provider_unreachable"),
    "unknown host": (chat("nowhere", x=SECRET), 502, "provider_unreachable"),
    "our key is refused": (chat("leaky", x=SECRET), 502, "provider_rejected_key"),
    "redirect": (chat("X08-host", x=SECRET), 502, "provider_garbage"),
    "truncated": (chat("X03-longer", x=SECRET), 502, "provider_truncated"),
    "a stream that breaks before its first token": (
        chat("S05", x=SECRET, stream=True), 502, "provider_unreachable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_shape(stage: Stage, case: str) -> None:
    request, status, code = CASES[case]
    answer = stage.ask(request)
    assert_error(answer, status, code)
    assert SECRET.encode() not in answer.body
    assert b"sk-secret" not in answer.body


def test_a_deep_request(project_folder: Path) -> None:
    """On a gateway of its own: the defect is in its log."""
    with running_gateway(project_folder, project_text("http://127.0.0.1:1/v1")) as gateway:
        for body in (b'{"model":"fast","x":' + b"[" * 40_000, b"[" * 90_000):
            with Caller(gateway.port) as caller:
                caller.send(post(body))
                assert_error(caller.read_answer(), 400, "malformed_request")


def test_nothing_of_a_request_reaches_the_log(stage: Stage) -> None:
    for case in CASES:
        stage.ask(CASES[case][0])
    stage.assert_well()
    assert SECRET not in "".join(stage.gateway.output)
    assert "sk-secret" not in "".join(stage.gateway.output)


def test_an_error_after_the_first_token_is_an_event(stage: Stage) -> None:
    answer = stage.ask(chat("mid-error", stream=True, x=SECRET))
    assert answer.status == 200
    assert json.loads(answer.events[-1])["error"]["code"] == "c"
    assert "[DONE]" not in answer.events
    cut = stage.ask(chat("S08", stream=True, x=SECRET))
    error = json.loads(cut.events[-1])["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "provider_truncated"
    assert stage.event(cut.request_id).outcome == "error"


def test_what_a_provider_writes_never_becomes_a_header(stage: Stage) -> None:
    def play(peer: Peer) -> None:
        peer.read_request()
        chunk = rb'{"model":"a\r\nx-evil: 1","choices":[{"index":0,"delta":{"content":"b"}}]}'
        end = b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
        data = b"data: %b\n\ndata: %b\n\ndata: [DONE]\n\n" % (chunk, end)
        peer.send(stream_head("x-request-id: a b\tc") + b"%x\r\n%b\r\n" % (len(data), data))
        peer.send(b"0\r\n\r\n")

    stage.raw.play(play)
    answer = stage.ask(post(body_of("raw", stream=True)))
    assert answer.status == 200
    assert "x-evil" not in answer.headers
