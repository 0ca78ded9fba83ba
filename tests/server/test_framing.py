"""What callers send, byte by byte: framing, its limits, and attempts to smuggle."""

import pytest

from server.wire import Stage, assert_error, body_of, chat, chunked, head, post

BODY = body_of()
CALL = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\ncontent-length: {len(BODY)}\r\n"


# ------------------------------------------------------------------ several requests


def test_pipelined_requests_are_answered_in_their_order(stage: Stage) -> None:
    models = ["fast", "nope-1", "fast", "nope-2", "S02", "fast"]
    with stage.caller() as caller:
        caller.send(b"".join(chat(model) for model in models))
        answers = [caller.read_answer() for _ in models]
    assert [answer.status for answer in answers] == [200, 404, 200, 404, 429, 200]
    assert "nope-1" in answers[1].json["error"]["message"]
    assert "nope-2" in answers[3].json["error"]["message"]
    assert len({answer.request_id for answer in answers}) == len(models)


def test_pipelined_streams_and_plain_routes(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(chat(stream=True) + head("GET /healthz HTTP/1.1") + chat(stream=True))
        first, middle, last = (caller.read_answer() for _ in range(3))
    assert first.events[-1] == last.events[-1] == "[DONE]"
    assert middle.json == {"status": "ok"}


def test_endless_pipelining_is_cut(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(chat("slow-whole") + chat() * 100)
        assert caller.is_closed()
    stage.assert_well()


def test_a_connection_serves_on_after_every_refusal(stage: Stage) -> None:
    with stage.caller() as caller:
        for request, status in (
            (chat(), 200),
            (post(b"{"), 400),
            (head("GET /v1/chat/completions HTTP/1.1"), 405),
            (chat("nope"), 404),
            (head("GET /nowhere HTTP/1.1"), 404),
            (head("DELETE /v1/models HTTP/1.1"), 405),
            (chat("S12"), 400),
            (chat(stream=True), 200),
            (chat(), 200),
        ):
            caller.send(request)
            assert caller.read_answer().status == status


def test_connection_close_is_obeyed(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(BODY, "Connection: close"))
        answer = caller.read_answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert caller.is_closed()


# ------------------------------------------------------------------ smuggling

HIDDEN = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SMUGGLED = {
    "length and chunks": CALL + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        "Content-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "two lengths": CALL + "Content-Length: 3\r\n\r\n" + HIDDEN,
    "the same length twice": CALL + f"Content-Length: {len(BODY)}\r\n\r\n" + HIDDEN,
    "list of lengths": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 5\r\n\r\n"
    + HIDDEN,
    "length with a sign": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\n"
    + HIDDEN,
    "length in hex": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x5\r\n\r\n" + HIDDEN,
    "negative length": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n" + HIDDEN,
    "empty length": "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length:\r\n\r\n" + HIDDEN,
    "length over 64 bits": (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**30}\r\n\r\n" + HIDDEN
    ),
    "xchunked": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
    + HIDDEN,
    "chunked is not last": (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "identity": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" + HIDDEN,
    "chunk size": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + HIDDEN,
    "chunk size with 0x": (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n"
        + HIDDEN
    ),
    "negative chunk size": (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n"
        + HIDDEN
    ),
    "huge chunk size": (
        f"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{'f' * 17}\r\na" + HIDDEN
    ),
    "chunk longer than said": (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"
        + HIDDEN
    ),
    "bare LF after a chunk size": (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n" + HIDDEN
    ),
    "bare LF": "GET /healthz HTTP/1.1\nHost: localhost\n\n" + HIDDEN,
    "bare LF between headers": "GET /healthz HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n" + HIDDEN,
    "bare CR": "GET /healthz HTTP/1.1\r\nHost: localhost\rA: b\r\n\r\n" + HIDDEN,
    "space before the colon": "GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n" + HIDDEN,
    "space before a length": (
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\n" + HIDDEN
    ),
    "folded header": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n" + HIDDEN,
    "folded transfer-encoding": (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" + HIDDEN
    ),
    "first header folded": "GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n" + HIDDEN,
    "NUL in a value": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nA: b\0c\r\n\r\n" + HIDDEN,
    "NUL in a name": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nA\0: b\r\n\r\n" + HIDDEN,
    "NUL in the target": "GET /health\0z HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "no colon": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nabc\r\n\r\n" + HIDDEN,
    "no name": "GET /healthz HTTP/1.1\r\nHost: localhost\r\n: b\r\n\r\n" + HIDDEN,
    "two hosts": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n" + HIDDEN,
    "two keys": (
        "GET /healthz HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\n"
        "Authorization: Bearer b\r\n\r\n" + HIDDEN
    ),
    "no version": "GET /healthz\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "unknown version": "GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "HTTP/2 in plain text": "GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "HTTP/0.9": "GET /healthz HTTP/0.9\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "unknown method": "GRAB /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "lower-case method": "get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN,
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "garbage": "\x01\x02\x03 this is not HTTP at all\r\n\r\n" + HIDDEN,
    "TLS hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "\xaa" * 100,
}


@pytest.mark.parametrize("case", SMUGGLED)
def test_ambiguous_framing_is_refused_and_never_read_on(stage: Stage, case: str) -> None:
    with stage.caller() as caller:
        caller.send(SMUGGLED[case].encode("latin-1"))
        answer = caller.read_answer()
        assert_error(answer, 400, "malformed_request")
        assert answer.headers["connection"] == "close"
        assert caller.is_closed()


@pytest.mark.parametrize("case", SMUGGLED)
def test_it_is_refused_byte_by_byte_as_well(stage: Stage, case: str) -> None:
    with stage.caller() as caller:
        for byte in SMUGGLED[case].encode("latin-1")[:400]:
            caller.send(bytes((byte,)))
        assert_error(caller.read_answer(), 400, "malformed_request")
        assert caller.is_closed()


def test_a_malformed_second_request_does_not_disturb_the_first(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(chat() + SMUGGLED["two lengths"].encode())
        assert caller.read_answer().status == 200
        assert caller.is_closed()


def test_a_body_is_never_a_request(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(HIDDEN.encode()))
        assert_error(caller.read_answer(), 400, "malformed_request")
        caller.send(head("GET /v1/models HTTP/1.1"))
        assert caller.read_answer().json["object"] == "list"


# ------------------------------------------------------------------ limits


def test_many_headers(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(BODY, *(f"a{n}: b" for n in range(150))))
        assert_error(caller.read_answer(), 431, "headers_too_large")
        assert caller.is_closed()


def test_large_headers(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(BODY, *(f"a{n}: {'b' * 1000}" for n in range(64))))
        assert_error(caller.read_answer(), 431, "headers_too_large")
        assert caller.is_closed()


def test_a_large_target(stage: Stage) -> None:
    answer = stage.ask(head(f"GET /{'a' * 40_000} HTTP/1.1"))
    assert_error(answer, 431, "headers_too_large")


@pytest.mark.parametrize("endless", [b"a", b"a: b\r\n"])
def test_endless_headers(stage: Stage, endless: bytes) -> None:
    with stage.caller() as caller:
        caller.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
        for _ in range(100):
            caller.send(endless * 1000)
        assert_error(caller.read_answer(), 431, "headers_too_large")
        caller.half_close()
        assert caller.is_closed()


def test_headers_below_the_limits_pass(stage: Stage) -> None:
    assert stage.ask(post(BODY, *(f"a{n}: {'b' * 300}" for n in range(95)))).status == 200


def test_a_head_whose_end_is_split_from_it_does_not_count_the_body(stage: Stage) -> None:
    request = post(body_of(pad="x" * 90_000))
    cut = request.index(b"\r\n\r\n") + 3
    with stage.caller() as caller:
        caller.send(request[:cut])
        assert not caller.has_something(0.05)
        caller.send(request[cut:])
        assert caller.read_answer().status == 200


@pytest.mark.parametrize("endless", [b"1;x=" + b"y" * 1000, b"0\r\n" + b"a: b\r\n" * 100])
def test_endless_chunk_extensions_and_trailers(stage: Stage, endless: bytes) -> None:
    with stage.caller() as caller:
        caller.send(head("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: chunked"))
        caller.send(endless)
        for _ in range(100):
            caller.send(endless[-6:] * 1000)
        assert_error(caller.read_answer(), 431, "headers_too_large")
        caller.half_close()
        assert caller.is_closed()


def test_a_trailer_is_not_a_header(stage: Stage) -> None:
    request = head("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: chunked")
    body = chunked(BODY, 1000)[:-2] + b"Host: evil\r\nX-Trimtab-User: mallory\r\n\r\n"
    answer = stage.ask(request + body)
    assert answer.status == 200
    assert stage.event(answer.request_id).user == ""


def test_a_body_over_the_limit_by_its_length(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(b"x" * 100_001)[:1000])
        assert_error(caller.read_answer(), 413, "request_too_large")
        caller.half_close()
        assert caller.is_closed()


def test_a_body_over_the_limit_by_chunks(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(head("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: chunked"))
        caller.send(chunked(b"x" * 200_000, 10_000)[:150_000])
        assert_error(caller.read_answer(), 413, "request_too_large")
        caller.half_close()
        assert caller.is_closed()


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_the_refusal_is_seen_by_a_caller_that_sends_everything_first(
    stage: Stage, framing: str
) -> None:
    body = b"x" * 30_000_000
    with stage.caller() as caller:
        if framing == "length":
            caller.send(post(body))
        else:
            caller.send(head("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: chunked"))
            caller.send(chunked(body, 1_000_000))
        answer = caller.read_answer()
        assert_error(answer, 413, "request_too_large")
        assert answer.headers["connection"] == "close"
        caller.half_close()
        assert caller.is_closed()


def test_a_body_of_the_limit_passes(stage: Stage) -> None:
    assert stage.ask(post(BODY + b" " * (100_000 - len(BODY)))).status == 200


# ------------------------------------------------------------------ other forms


def test_continue_is_said_before_the_body_is_sent(stage: Stage) -> None:
    request = post(BODY, "Expect: 100-continue")
    with stage.caller() as caller:
        caller.send(request[: -len(BODY)])
        assert caller.read_until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        caller.send(BODY)
        assert caller.read_answer().status == 200


def test_continue_is_not_said_to_a_body_over_the_limit(stage: Stage) -> None:
    headers = ("Expect: 100-continue", "Content-Length: 100001")
    with stage.caller() as caller:
        caller.send(head("POST /v1/chat/completions HTTP/1.1", *headers))
        assert_error(caller.read_answer(), 413, "request_too_large")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_chunked_body(stage: Stage, size: int) -> None:
    request = head("POST /v1/chat/completions HTTP/1.1", "Transfer-Encoding: chunked")
    answer = stage.ask(request + chunked(body_of(user="chunky"), size))
    assert answer.status == 200
    assert stage.event(answer.request_id).user == "chunky"


def test_one_byte_per_segment(stage: Stage) -> None:
    with stage.caller() as caller:
        for _ in range(2):
            for byte in chat(stream=True):
                caller.send(bytes((byte,)))
            assert caller.read_answer().events[-1] == "[DONE]"


@pytest.mark.parametrize("keep", [(), ("Connection: keep-alive",)])
def test_http_1_0(stage: Stage, keep: tuple[str, ...]) -> None:
    with stage.caller() as caller:
        caller.send(post(BODY, *keep, version="1.0"))
        answer = caller.read_answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert caller.is_closed()


def test_a_stream_over_http_1_0_ends_with_the_connection(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(body_of(stream=True), version="1.0"))
        answer = caller.read_answer()
    assert "transfer-encoding" not in answer.headers
    assert "content-length" not in answer.headers
    assert answer.body.startswith(b"data: ")
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_absolute_targets(stage: Stage) -> None:
    assert stage.ask(post(BODY, target="http://localhost/v1/chat/completions?a=b")).status == 200
    assert stage.ask(head("GET http://localhost:80/v1/models HTTP/1.1")).status == 200
    # The host of the target is the one that counts, so it is the one that is guarded.
    foreign = stage.ask(post(BODY, target="http://evil.example/v1/chat/completions"))
    assert_error(foreign, 403, "forbidden_origin")
    assert_error(stage.ask(head("GET http://localhost HTTP/1.1")), 404, "unknown_url")


def test_queries_do_not_change_the_route(stage: Stage) -> None:
    assert stage.ask(post(BODY, target="/v1/chat/completions?api-version=1&x=%20")).status == 200
    assert stage.ask(head("GET /v1/models?limit=1 HTTP/1.1")).status == 200


def test_other_spellings_of_a_path_are_other_paths(stage: Stage) -> None:
    for target in ("//v1/chat/completions", "/v1/../v1/chat/completions", "/V1/chat/completions"):
        assert_error(stage.ask(post(BODY, target=target)), 404, "unknown_url")


def test_head(stage: Stage) -> None:
    with stage.caller() as caller:
        for _ in range(2):
            caller.send(head("HEAD /v1/models HTTP/1.1"))
            answer = caller.read_answer(method="HEAD")
            assert answer.status == 200
            assert int(answer.headers["content-length"]) > 0
        caller.send(head("HEAD /nowhere HTTP/1.1"))
        assert caller.read_answer(method="HEAD").status == 404
        caller.send(head("HEAD /v1/chat/completions HTTP/1.1"))
        assert caller.read_answer(method="HEAD").status == 405
        caller.send(chat())
        assert caller.read_answer().status == 200


def test_options(stage: Stage) -> None:
    assert_error(
        stage.ask(head("OPTIONS /v1/chat/completions HTTP/1.1")), 405, "method_not_allowed"
    )
    assert stage.ask(head("OPTIONS * HTTP/1.1")).status == 404


def test_an_offer_of_http_2_is_passed_over(stage: Stage) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    with stage.caller() as caller:
        for _ in range(3):
            caller.send(post(BODY, *offer))
            assert caller.read_answer().status == 200
        chunks = head("POST /v1/chat/completions HTTP/1.1", *offer, "Transfer-Encoding: chunked")
        caller.send(chunks + chunked(BODY, 10) + chat())
        assert caller.read_answer().status == 200
        assert caller.read_answer().status == 200


def test_what_follows_an_offer_is_a_body_and_not_a_request(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(post(HIDDEN.encode(), "Connection: upgrade", "Upgrade: websocket"))
        assert_error(caller.read_answer(), 400, "malformed_request")
        caller.send(head("GET /v1/models HTTP/1.1"))
        assert caller.read_answer().json["object"] == "list"


def test_a_websocket_is_not_opened(stage: Stage) -> None:
    offer = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    with stage.caller() as caller:
        caller.send(head("GET /v1/models HTTP/1.1", *offer))
        assert caller.read_answer().status == 200
        caller.send(chat())
        assert caller.read_answer().status == 200


def test_many_offers_in_one_segment(stage: Stage) -> None:
    offer = head("GET /healthz HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c")
    with stage.caller() as caller:
        caller.send(offer * 3000)
        caller.read_rest_or_reset()
    stage.assert_well()


def test_connect_is_refused(stage: Stage) -> None:
    with stage.caller() as caller:
        caller.send(head("CONNECT example.com:443 HTTP/1.1") + HIDDEN.encode())
        assert_error(caller.read_answer(), 405, "method_not_allowed")
        assert caller.is_closed()


def test_empty_lines_before_a_request_are_passed_over(stage: Stage) -> None:
    assert stage.ask(b"\r\n\r\n" + chat()).status == 200
