"""Limits of time, on a connection with small ones in a loop of its own."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from server.wire import chat, head
from trimtab.server.exchange import Exchange
from trimtab.server.http import HttpConnection, Limits

LIMITS = Limits(
    body_bytes=1000, head_bytes=500, read_s=0.15, idle_s=0.3, stall_s=0.15, linger_s=0.15
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Served:
    """A server of `HttpConnection` with small limits; it answers with `answer`."""

    def __init__(self, answer: bytes, limits: Limits) -> None:
        self.answer = answer
        self.limits = limits
        self.exchanges: list[Exchange] = []
        self.closed = 0
        self.connections: list[HttpConnection] = []

    def connection(self) -> HttpConnection:
        connection = HttpConnection(
            self.limits, serve=self._serve, fail=self._reject, closed=self._closed
        )
        self.connections.append(connection)
        return connection

    def _serve(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if self.answer:
            exchange.send(200, b"", self.answer)

    def _reject(self, exchange: Exchange, error: Exception) -> None:
        exchange.send(400, b"", str(error).encode())

    def _closed(self, connection: HttpConnection) -> None:
        self.connections.remove(connection)
        self.closed += 1

    async def sweep(self) -> None:
        while True:
            await asyncio.sleep(0.01)
            for connection in list(self.connections):
                connection.check_time()


@asynccontextmanager
async def serving(
    answer: bytes = b"ok", limits: Limits = LIMITS
) -> AsyncGenerator[tuple[Served, Streams]]:
    served = Served(answer, limits)
    listener = socket.create_server(("127.0.0.1", 0))
    # Small buffers: what the caller takes is seen at once.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    caller.connect(listener.getsockname())
    server = await asyncio.get_running_loop().create_server(served.connection, sock=listener)
    async with asyncio.TaskGroup() as group:
        sweeping = group.create_task(served.sweep())
        reader, writer = await asyncio.open_connection(sock=caller)
        try:
            yield served, (reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            server.close()
            for connection in list(served.connections):
                connection.abort()
            sweeping.cancel()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(limited())


async def drip(streams: Streams, data: bytes) -> float:
    """Send byte by byte, slowly, until the connection is closed; the seconds that it took."""
    reader, writer = streams
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    with suppress(ConnectionError):
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            if reader.at_eof():
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(0.02):
                    await reader.read(1)
    return loop.time() - begun_s


async def eventually(condition: Callable[[], object]) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("the condition did not come to hold")


async def send_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x" * 1000)
        await writer.drain()
        await asyncio.sleep(0.005)


REQUEST = chat()


@pytest.mark.parametrize("start", [0, len(REQUEST) - 40])
def test_a_request_that_drips_in_is_cut(start: int) -> None:
    """Slow headers, and a slow body: each byte comes in time, the request does not."""

    async def test() -> None:
        async with serving() as (served, streams):
            streams[1].write(REQUEST[:start])
            assert LIMITS.read_s <= await drip(streams, REQUEST[start:]) < 0.5
            assert not served.exchanges

    run(test)


@pytest.mark.parametrize("before", [b"", REQUEST])
def test_an_idle_connection_is_closed(before: bytes) -> None:
    async def test() -> None:
        async with serving() as (_, (reader, writer)):
            begun_s = asyncio.get_running_loop().time()
            writer.write(before)
            with suppress(ConnectionError):
                await reader.read()
            assert LIMITS.idle_s <= asyncio.get_running_loop().time() - begun_s < 0.6

    run(test)


def test_a_caller_is_not_cut_while_its_answer_is_being_made() -> None:
    async def test() -> None:
        async with serving(b"") as (served, (reader, writer)):
            writer.write(REQUEST)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.read(1)
            served.exchanges[0].send(200, b"", b"late")
            assert (await reader.read(1000)).endswith(b"late")

    run(test)


def test_a_caller_that_takes_nothing_is_cut() -> None:
    async def test() -> None:
        async with serving(b"x" * 3_000_000) as (served, (_, writer)):
            writer.write(REQUEST)
            await eventually(lambda: served.closed)
            assert not served.connections

    run(test)


def test_a_caller_that_takes_little_is_not_cut() -> None:
    async def test() -> None:
        size = 10_000_000
        limits = LIMITS._replace(stall_s=0.3)
        async with serving(b"x" * size, limits) as (_, (reader, writer)):
            writer.write(head("GET / HTTP/1.1", "Connection: close"))
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(size // 100_000):
                await reader.readexactly(100_000)
                await asyncio.sleep(0.01)
            assert await reader.read() == b""

    run(test)


def test_a_refused_caller_that_sends_on_for_ever_is_cut() -> None:
    async def test() -> None:
        async with serving() as (served, (reader, writer)):
            begun_s = asyncio.get_running_loop().time()
            writer.write(head("POST / HTTP/1.1", "Content-Length: 1000000"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
            with pytest.raises(ConnectionError):
                await send_for_ever(writer)
            assert LIMITS.linger_s <= asyncio.get_running_loop().time() - begun_s < 1
            assert not served.exchanges

    run(test)


def test_waiting_requests_hold_no_more_than_one_body() -> None:
    async def test() -> None:
        async with serving(b"") as (served, (reader, writer)):
            writer.write(head("POST / HTTP/1.1", "Content-Length: 900") + b"x" * 900)
            writer.write((head("POST / HTTP/1.1", "Content-Length: 600") + b"x" * 600) * 2)
            with suppress(ConnectionError):
                assert await reader.read() == b""
            assert served.exchanges[0].gone

    run(test)


def test_a_drain_closes_what_is_idle_and_ends_what_is_busy_after_its_answer() -> None:
    async def test() -> None:
        async with serving(b"") as (served, (reader, writer)):
            writer.write(REQUEST + REQUEST)
            await eventually(lambda: served.exchanges)
            served.connections[0].begin_drain()
            served.exchanges[0].send(200, b"", b"last")
            answer = await reader.read()
            assert b"connection: close" in answer
            assert answer.endswith(b"last")
            assert len(served.exchanges) == 1
        async with serving() as (served, (reader, _)):
            await eventually(lambda: served.connections)
            served.connections[0].begin_drain()
            assert await reader.read() == b""

    run(test)
