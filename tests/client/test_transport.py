"""The wire: framing of every kind, connections that are used again, TLS."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import wait_until
from server.test_tls import certificate
from server.wire import Peer, RawServer, head
from trimtab import AnswerTimeout, Client, GatewayGarbage, GatewayUnreachable
from trimtab.client import transport
from trimtab.client.address import parse_base_url
from trimtab.client.events import Chunks, EventReader
from trimtab.client.transport import Broken, Transport
from trimtab.errors import ProviderGarbage, ProviderTruncated, TrimtabError
from trimtab.testing import FAULTS, Behaviour, Script, running_fault_provider

HI = [{"role": "user", "content": "hi"}]
OK = b"HTTP/1.1 200 OK\r\n"
WELL = ("X04-bytes", "X04-crlf", "X04-cr", "X04-comments", "X04-multiline", "healthy")
BAD: dict[str, type[TrimtabError]] = {
    "X03-chunk-cut": ProviderTruncated,
    "X03-clean-end": ProviderTruncated,
    "X05-header": GatewayGarbage,
    "X05-event": ProviderGarbage,
    "X08-host": GatewayGarbage,
    "S05": GatewayUnreachable,
    "S08": ProviderTruncated,
    "S11": ProviderTruncated,
}


@pytest.mark.parametrize("fault", WELL)
def test_streams_of_every_framing(fault: str):
    with running_fault_provider() as server, Client(server.base_url) as client:
        stream = client.chat(messages=HI, model=f"fault:{fault}", stream=True)
        pieces = list(stream)
        assert "".join(pieces) == stream.answer.text
        assert len(pieces) == FAULTS[fault][0].tokens
        assert stream.answer.usage is not None


@pytest.mark.parametrize("fault", BAD)
def test_what_is_broken_is_an_error(fault: str):
    with running_fault_provider() as server, Client(server.base_url) as client:
        with pytest.raises(BAD[fault]):
            list(client.chat(messages=HI, model=f"fault:{fault}", stream=True))
        assert client.chat(messages=HI, model="m").text, "the next call is well"


def test_what_comes_after_the_terminator_does_not_matter():
    with running_fault_provider() as server, Client(server.base_url) as client:
        assert list(client.chat(messages=HI, model="fault:X03-longer", stream=True))
        assert not client._client._gateway._transport._free, "its connection is not used again"
        assert client.chat(messages=HI, model="m").text


def test_a_stream_that_falls_silent():
    stalls = Behaviour(stall_after_tokens=3, stall_s=60)
    with (
        running_fault_provider(stalls) as server,
        Client(server.base_url, timeout_s=0.3) as client,
    ):
        stream = client.chat(messages=HI, model="m", stream=True)
        with pytest.raises(AnswerTimeout):
            list(stream)
        server.wait_for(lambda provider: provider.calls[0].ended_by == "caller closed")


def test_bodies_without_a_length_end_with_the_connection():
    ends = Behaviour(until_close=True)
    with running_fault_provider(ends) as server, Client(server.base_url) as client:
        assert client.chat(messages=HI, model="m").text
        assert list(client.chat(messages=HI, model="m", stream=True))
        assert not client._client._gateway._transport._free


def test_a_connection_that_was_closed_in_between_is_replaced():
    closing = Script(calls=(Behaviour(close_after=True),))
    with running_fault_provider(closing) as server, Client(server.base_url) as client:
        for _ in range(10):
            client.chat(messages=HI, model="m")
        assert len(server.calls) == 10


def test_a_call_that_is_cut_off_later_is_not_made_twice(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(transport, "_STALE_S", 0.0)  # any moment is later
    server = RawServer()
    calls: list[bytes] = []

    def play(peer: Peer) -> None:
        while body := peer.read_request():
            calls.append(body)
            if len(calls) == 2:
                return
            peer.send(whole(b'{"choices": []}'))

    server.play(play)
    with Client(f"http://127.0.0.1:{server.port}/v1") as client:
        client.chat(messages=HI, model="m")
        with pytest.raises(GatewayUnreachable, match="closed the connection"):
            client.chat(messages=HI, model="m")
    assert len(calls) == 2
    server.close()


# ------------------------------------------------------------------ a server that is scripted


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def whole(body: bytes) -> bytes:
    return OK + b"content-length: %d\r\n\r\n%b" % (len(body), body)


async def ask(link: Transport, body: bytes = b"{}") -> bytes:
    reply = await link.send("POST", "/x", headers={}, body=body)
    return await reply.read()


def test_bytes_that_nobody_asked_for_are_no_answer():
    server = RawServer()

    late = threading.Event()
    connections: list[Peer] = []

    def play(peer: Peer) -> None:
        connections.append(peer)
        while peer.read_request():
            peer.send(whole(b"%d" % len(connections)))
            if len(connections) == 1:
                late.wait(10)
                peer.send(head("HTTP/1.1 408 x", "content-length: 4") + b"late")
                late.clear()

    server.play(play)

    async def work() -> None:
        link = Transport(parse_base_url(f"http://127.0.0.1:{server.port}"), silence_s=5)
        assert await ask(link) == b"1"
        assert len(link._free) == 1
        late.set()
        await asyncio.to_thread(wait_until, lambda: not late.is_set())
        for _ in range(3):
            assert await ask(link) == b"2"
        assert len(link._all) == 1
        await link.aclose()

    run(work())
    server.close()


def test_an_interim_answer_and_trailers_are_passed_over():
    server = RawServer()

    def play(peer: Peer) -> None:
        while peer.read_request():
            peer.send(head("HTTP/1.1 103 Early Hints", "etag: early"))
            peer.send(OK + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\netag: late\r\n\r\n")

    server.play(play)

    async def work() -> None:
        link = Transport(parse_base_url(f"http://127.0.0.1:{server.port}"), silence_s=5)
        for _ in range(2):
            reply = await link.send("POST", "/x", headers={}, body=b"{}")
            assert await reply.read() == b"abc"
            assert "etag" not in reply.headers
        assert len(link._all) == 1
        await link.aclose()

    run(work())
    server.close()


def test_a_refusal_that_comes_before_the_body_is_read_is_seen():
    server, seen = RawServer(), threading.Event()

    def play(peer: Peer) -> None:
        peer.socket.recv(100)
        peer.send(head("HTTP/1.1 413 x", "content-length: 0"))
        seen.wait(10)  # whoever reads the rest may be asked again

    server.play(play)

    async def work() -> None:
        link = Transport(parse_base_url(f"http://127.0.0.1:{server.port}"), silence_s=5)
        reply = await link.send("POST", "/x", headers={}, body=b"x" * 30_000_000)
        assert reply.status == 413
        assert await reply.read() == b""
        assert not link._free, "what is still to be sent would pass for a request"
        seen.set()
        await link.aclose()

    run(work())
    server.close()


def test_an_answer_that_is_too_long_is_not_read_to_its_end():
    server = RawServer()

    def play(peer: Peer) -> None:
        peer.read_request()
        peer.send(whole(b"x" * 5_000))

    server.play(play)

    async def work() -> None:
        link = Transport(parse_base_url(f"http://127.0.0.1:{server.port}"), silence_s=5)
        reply = await link.send("POST", "/x", headers={}, body=b"{}")
        with pytest.raises(Broken, match="longer than"):
            await reply.read(1_000)
        await link.aclose()

    run(work())
    server.close()


def test_tls_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cert, key = certificate(tmp_path, "good", "DNS:localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = RawServer(context)

    def play(peer: Peer) -> None:
        while peer.read_request():
            peer.send(whole(b"secret"))

    server.play(play)

    async def work(host: str) -> None:
        link = Transport(parse_base_url(f"https://{host}:{server.port}"), silence_s=5)
        try:
            assert await ask(link) == b"secret"
            assert await ask(link) == b"secret"
            assert len(link._all) == 1
        finally:
            await link.aclose()

    with pytest.raises(Broken, match="not trusted"):
        run(work("localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    run(work("localhost"))
    with pytest.raises(Broken, match="not trusted"):
        run(work("127.0.0.1"))
    server.close()


# ------------------------------------------------------------------ events


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(1, 9), min_size=1),
    st.booleans(),
)
def test_events_are_the_same_however_they_are_cut(
    texts: list[str], ending: str, sizes: list[int], bom: bool
):
    lines = [f": comment{ending}event: x{ending}data: {text}{ending}{ending}" for text in texts]
    wire = (b"\xef\xbb\xbf" if bom else b"") + "".join(lines).encode()
    reader, seen, at, turn = EventReader(), list[bytes](), 0, 0
    while at < len(wire):
        size = sizes[turn % len(sizes)]
        seen += reader.feed(wire[at : at + size])
        at, turn = at + size, turn + 1
    assert [data.decode() for data in seen] == texts


def test_an_event_of_several_lines():
    reader = EventReader()
    assert list(reader.feed(b"data: a\ndata:b\nid: 3\n\ndata: not ended\n")) == [b"a\nb"]


@pytest.mark.parametrize(
    "chunk",
    [
        {},
        {"choices": None},
        {"choices": [None, 3, {"index": "x"}, {"delta": None}, {"delta": {"content": 3}}]},
        {"choices": [{"delta": {"tool_calls": None}}]},
        {"choices": [{"delta": {"tool_calls": [1, {"id": 3, "function": "x"}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"function": {"name": 3, "arguments": 4}}]}}]},
    ],
)
def test_odd_chunks_say_nothing(chunk: dict[str, Any]):
    assert Chunks().add(chunk) == ""


def test_a_tool_call_out_of_order_is_garbage():
    with pytest.raises(ProviderGarbage):
        Chunks().add({"choices": [{"delta": {"tool_calls": [{"index": 10**9}]}}]})


def test_other_choices_are_kept_and_not_shown():
    chunks = Chunks()
    for index in (1, 0, 1):
        text = chunks.add({"choices": [{"index": index, "delta": {"content": str(index)}}]})
        assert text == ("0" if index == 0 else "")
    assert [choice["message"]["content"] for choice in chunks.whole["choices"]] == ["0", "11"]
