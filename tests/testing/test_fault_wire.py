"""The fault provider seen through a bare socket: exact bytes, cuts and closes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from trimtab.testing import Behaviour, FaultProvider

_ENDS_SOON = 10.0
_Scenario = Callable[[FaultProvider, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _run(script: Behaviour | list[Behaviour] | None, scenario: _Scenario) -> None:
    async def main() -> None:
        async with asyncio.timeout(_ENDS_SOON), FaultProvider(script) as provider:
            reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
            await scenario(provider, reader, writer)
            writer.close()

    asyncio.run(main())


def _request(*, path: str = "/v1/chat/completions", **fields: Any) -> bytes:
    body = msgspec.json.encode({"model": "m", "messages": [], **fields})
    return b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (
        path.encode(),
        len(body),
        body,
    )


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head, await reader.readexactly(length)


async def _read_all(reader: asyncio.StreamReader, into: bytearray) -> None:
    while piece := await reader.read(65536):
        into += piece


def test_pipelined_requests_are_answered_in_order() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(model="a") + _request(model="b") + _request(path="/v1/nothing"))
        assert (await _answer(reader))[0].startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        head, body = await _answer(reader)
        assert b"x-request-id: req_00000001\r\n" in head
        assert msgspec.json.decode(body)["id"] == "chatcmpl-00000001"
        assert (await _answer(reader))[0].startswith(b"HTTP/1.1 404 ")
        assert [call.model for call in provider.calls] == ["a", "b"]

    _run([Behaviour(status=503, headers_after_s=0.001), Behaviour()], scenario)


def test_raw_bytes_are_exact() -> None:
    raw = "HTTP/1.1 200 OK\r\n\r\ndata: \xff\xc3\n"

    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request())
        assert await reader.read() == raw.encode("latin-1")

    _run(Behaviour(raw=raw), scenario)


@pytest.mark.parametrize(("error", "body"), [(5, b"{}"), (-1, b"{")])
def test_a_wrong_content_length_is_told(error: int, body: bytes) -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request())
        everything = await reader.read()
        assert f"content-length: {2 + error}\r\n".encode() in everything
        assert everything.endswith(b"\r\n\r\n{}")

    _run(Behaviour(body="{}", content_length_error=error), scenario)


@pytest.mark.parametrize("after", [None, 0, 5])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_reset_is_a_reset_and_comes_after_the_bytes_before_it(
    after: int | None, streamed: bool
) -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(stream=streamed))
        got = bytearray()
        with pytest.raises(ConnectionResetError):
            await _read_all(reader, got)
        assert (not got) == (after is None)
        assert provider.calls[0].ended_by == "cut"
        assert got.count(b'"delta":{"content":"') == (after or 0 if streamed else 0)
        await provider.wait_for(lambda: provider.open_connections == 0)

    _run(Behaviour(cut="reset", cut_after_tokens=after), scenario)


def test_a_close_is_orderly_and_in_the_middle() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(stream=True))
        got = await reader.read()
        assert got.count(b"data: ") == 1 + 4  # the role and four tokens
        assert not got.endswith(b"0\r\n\r\n")
        assert provider.calls[0].tokens_sent == 4

    _run(Behaviour(cut="close", cut_after_tokens=4), scenario)


def test_a_stop_is_silence_on_an_open_connection() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(stream=True))
        await provider.wait_for(lambda: bool(provider.calls and provider.calls[0].ended_by))
        assert provider.calls[0].ended_by == "cut"
        assert provider.open_connections == 1
        writer.close()
        await provider.wait_for(lambda: provider.open_connections == 0)
        assert provider.calls[0].ended_by == "cut"

    _run(Behaviour(cut="stop", cut_after_tokens=4), scenario)


def test_a_caller_that_closes_before_any_byte_is_seen() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request())
        await provider.wait_for(lambda: len(provider.calls) == 1)
        writer.close()
        await provider.wait_for(lambda: provider.calls[0].ended_by == "caller closed")
        assert provider.calls[0].first_byte_s is None

    _run(Behaviour(headers_after_s=60), scenario)


def test_bytes_come_one_by_one() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request())
        # Both sides take turns in one loop, so a read meets what one write has sent.
        sizes = [len(await reader.read(65536)) for _ in range(20)]
        assert max(sizes) < 5

    _run(Behaviour(segment_bytes=1), scenario)


def test_framing_of_a_stream_is_as_scripted() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(stream=True))
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert b"chunked" not in head
        events = body.split(b"\r\r")
        assert events[0] == b": ping"
        assert events[1].startswith(b"data: {\rdata:  ")
        assert b"[DONE]" not in body
        assert b'"stop"' not in body

    script = Behaviour(
        until_close=True,
        line_ending="\r",
        comment="ping",
        multiline_data=True,
        omit_done=True,
        omit_finish=True,
    )
    _run(script, scenario)


def test_an_endless_header_stops_when_the_caller_leaves() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request())
        assert b"\r\n\r\n" not in await reader.readexactly(100_000)
        writer.close()
        await provider.wait_for(lambda: provider.calls[0].ended_by == "caller closed")

    _run(Behaviour(header_padding_bytes=1 << 40), scenario)


def test_what_is_not_a_request_is_refused() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(model=3))
        assert (await _answer(reader))[0].startswith(b"HTTP/1.1 400 ")
        writer.write(b"not HTTP\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        assert provider.calls == []

    _run(None, scenario)


def test_the_first_event_may_come_before_the_first_token() -> None:
    async def scenario(
        provider: FaultProvider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(_request(stream=True))
        await reader.readuntil(b'"role":"assistant"')
        assert provider.calls[0].tokens_sent == 0

    _run(Behaviour(role_first=True, first_token_after_s=60), scenario)
