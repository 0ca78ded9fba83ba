"""The load generator against the provider, for a moment; and what a contender may do wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvloop
from bench.load import REQUEST_BYTES, Tally, Target, run_load
from bench.loads import Load
from bench.provider import FRAMES, WHOLE_BYTES, Provider
from bench.spin import Spin

WHOLE = Load("whole", "", 4, 0.2, 0.2)
STREAMS = Load("streams", "", 4, 0.05, 0.05, streamed=True, stagger_s=0.002)


def under_load(load: Load, *, think_s: float = 0.0) -> Tally:
    async def run() -> Tally:
        async with Spin() as spin:
            provider = Provider(spin)
            port = await provider.open()
            provider.think_s = think_s
            tally = await run_load(spin, Target(port), load, seconds=load.seconds)
            provider.close()
            return tally

    return uvloop.run(run())


def against(answer: Callable[[asyncio.StreamWriter], Awaitable[None]], load: Load) -> Tally:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
            await writer.drain()
        writer.close()

    async def run() -> Tally:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Spin() as spin, server:
            return await run_load(spin, Target(port), load, seconds=0.2)

    return uvloop.run(run())


def test_sizes_are_those_of_the_design():
    assert 1_000 <= REQUEST_BYTES <= 1_200
    assert 2_200 <= WHOLE_BYTES <= 2_400


def test_whole_answers():
    tally = under_load(WHOLE)
    assert tally.problem is None
    assert len(tally.total_s) > 500


def test_streams_bring_every_frame_and_the_first_token_after_a_gap():
    tally = under_load(STREAMS)
    assert tally.problem is None
    assert tally.frames == FRAMES * len(tally.total_s) == FRAMES * 4
    assert min(tally.first_s) >= 0.01
    assert min(tally.total_s) >= 0.01 * (FRAMES - 1)


def test_the_provider_thinks_exactly_as_long_as_told():
    tally = under_load(WHOLE._replace(connections=1, seconds=0.1), think_s=0.02)
    assert 0.02 <= min(tally.total_s) < 0.021


def test_a_refusal_is_told_with_its_message():
    async def refuse(writer: asyncio.StreamWriter) -> None:
        body = b'{"error": {"message": "no such model"}}'
        writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    tally = against(refuse, WHOLE)
    assert tally.problem == "answered 404: no such model"
    assert not tally.total_s


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"", "closed a connection that waited for its answer"),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\ndata: {\r\n0\r\n\r\n",
            "ended a stream that had not brought its first token",
        ),
    ],
)
def test_a_broken_stream_is_a_problem(said: bytes, problem: str):
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    assert against(answer, STREAMS).problem == problem


def test_an_answer_in_small_pieces_is_one_answer():
    async def answer(writer: asyncio.StreamWriter) -> None:
        text = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        text += b"e\r\ndata: { word00\r\n0\r\n\r\n"
        for place in range(len(text)):
            writer.write(text[place : place + 1])
            await writer.drain()
            await asyncio.sleep(0)

    tally = against(answer, STREAMS._replace(connections=1))
    assert len(tally.first_s) == 1
    assert len(tally.total_s) == 1


def test_nobody_listens():
    async def run() -> None:
        async with Spin() as spin:
            await run_load(spin, Target(1), WHOLE, seconds=0.1)

    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        uvloop.run(run())
