"""Connections to providers, on a loop of their own: what may go back to the pool."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from typing_extensions import override

from server.test_upstream import OK, WHOLE, length
from trimtab.errors import ConfigError, ProviderError, ProviderUnreachable
from trimtab.gateway.pool import Origin, Pool
from trimtab.gateway.upstream import AnswerSink

ANSWER = OK + length(WHOLE)
REQUEST = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"


class Sink(AnswerSink):
    """Collects one answer; `ended` holds None or the error once it is over."""

    def __init__(self) -> None:
        self.data = b""
        self.ended: asyncio.Future[ProviderError | None] = (
            asyncio.get_running_loop().create_future()
        )

    @override
    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        assert status == 200

    @override
    def on_data(self, data: bytes) -> None:
        self.data += data

    @override
    def on_end(self) -> None:
        self.ended.set_result(None)

    @override
    def on_broken(self, error: ProviderError) -> None:
        self.ended.set_result(error)


@asynccontextmanager
async def pool_of(*, reads: bool = True) -> AsyncGenerator[Pool]:
    """A pool of connections to a provider that answers whatever comes, having read it or not."""
    over = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await (reader.readuntil(b"\r\n\r\n") if reads else reader.read(10)):
                writer.write(ANSWER)
                if not reads:
                    await over.wait()
        except asyncio.IncompleteReadError:
            pass  # the pool closed it
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(group.create_task(answer(reader, writer)))

    tasks: list[asyncio.Task[None]] = []
    async with asyncio.TaskGroup() as group:
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        pool = Pool(Origin.parse(f"http://127.0.0.1:{port}/v1"))
        try:
            yield pool
        finally:
            pool.close()
            server.close()
            for task in tasks:
                task.cancel()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(10):
            await test()

    asyncio.run(limited())


def test_a_connection_is_used_again() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            connection = await pool.connect()
            for _ in range(3):
                sink = Sink()
                connection.send(REQUEST, sink)
                assert await sink.ended is None
                assert sink.data == WHOLE
                pool.release(connection)
                assert pool.take_free() is connection

    run(test)


def test_a_pause_does_not_outlast_its_call() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            connection = await pool.connect()
            for _ in range(2):
                sink = Sink()
                connection.send(REQUEST, sink)
                assert await sink.ended is None
                connection.pause()  # the caller is slow with the last bytes
                pool.release(connection)
                assert pool.take_free() is connection

    run(test)


def test_an_answer_before_the_request_has_left_ends_the_connection() -> None:
    async def test() -> None:
        async with pool_of(reads=False) as pool:
            connection = await pool.connect()
            sink = Sink()
            connection.send(REQUEST + b"x" * 20_000_000, sink)
            assert await sink.ended is None
            assert not connection.is_open
            pool.release(connection)
            assert pool.take_free() is None

    run(test)


def test_a_closed_pool_keeps_nothing() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            connection = await pool.connect()
            pool.close()
            pool.release(connection)
            assert not connection.is_open

    run(test)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://a:99999", "http://a:b", "http://", "ftp://a", "http:///v1", ""]
)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ConfigError, match="not an http or https address"):
        Origin.parse(url)


def test_a_host_name_that_cannot_be_one() -> None:
    async def test() -> None:
        with pytest.raises(ProviderUnreachable, match="host name is not valid"):
            await Pool(Origin.parse(f"http://{'a' * 80}.example/v1")).connect()

    run(test)


def test_what_nobody_has_used_for_long_is_closed() -> None:
    async def test() -> None:
        async with pool_of() as pool:
            old, new = [await pool.connect() for _ in range(2)]
            for connection in (old, new):
                sink = Sink()
                connection.send(REQUEST, sink)
                assert await sink.ended is None
                pool.release(connection)
            old.free_since_s -= old.keep_alive_s
            pool.close_stale()
            assert not old.is_open
            assert pool.take_free() is new
            assert pool.take_free() is None

    run(test)
