"""Closed connections are gone at once, and not when the garbage collector finds them some day."""

import asyncio
import gc
import weakref
from collections.abc import Generator

import pytest

from server.test_limits import eventually, serving
from server.wire import chat
from trimtab.gateway.upstream import UpstreamConnection


@pytest.fixture(autouse=True)
def without_collector() -> Generator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def leave(sent: bytes) -> None:
    async with serving() as (served, (reader, writer)):
        await eventually(lambda: served.connections)
        found = weakref.ref(served.connections[0])
        if sent:
            writer.write(sent)
            await reader.read(1)
        writer.close()
        await eventually(lambda: not served.connections)
        served.exchanges.clear()
        await eventually(lambda: found() is None)


@pytest.mark.parametrize("sent", [b"", chat(), b"nonsense\r\n\r\n"])
def test_a_callers_connection(sent: bytes):
    asyncio.run(leave(sent))


def test_a_connection_to_a_provider():
    async def run() -> None:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        _, connection = await asyncio.get_running_loop().create_connection(
            UpstreamConnection, "127.0.0.1", port
        )
        found = weakref.ref(connection)
        del connection, _
        await eventually(lambda: found() is None)
        server.close()
        await server.wait_closed()

    asyncio.run(run())
