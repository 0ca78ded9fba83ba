"""Chunks that go past the parser: whatever the cuts between reads, the same arrives."""

import asyncio
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from trimtab.errors import ProviderError
from trimtab.gateway.upstream import AnswerSink, UpstreamConnection

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
EVENT = b'data: {"n": "%d"}\n\n'


class Transport(asyncio.Transport):
    """Open until it is aborted; what is written goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open = True

    @override
    def write(self, data: Any) -> None:
        pass

    @override
    def is_closing(self) -> bool:
        return not self.open

    @override
    def get_write_buffer_size(self) -> int:
        return 0

    @override
    def abort(self) -> None:
        self.open = False


class Sink(AnswerSink):
    """Takes the body from the parser, and whole chunks of one event past it."""

    def __init__(self) -> None:
        self.body = b""
        self.past = 0
        self.ended = False
        self.error: ProviderError | None = None

    def take(self, chunk: bytes) -> bool:
        """As an attempt does: only what is one whole chunk with one event."""
        size, _, rest = chunk.partition(b"\r\n")
        event = rest[:-2]
        if rest[-2:] != b"\r\n" or size != b"%x" % len(event) or not event.startswith(b"data: "):
            return False
        self.past += 1
        self.body += event
        return True

    @override
    def on_head(self, status: int, headers: dict[bytes, bytes]) -> None:
        pass

    @override
    def on_data(self, data: bytes) -> None:
        self.body += data

    @override
    def on_end(self) -> None:
        self.ended = True

    @override
    def on_broken(self, error: ProviderError) -> None:
        self.error = error


def answer(count: int, size_line: bytes = b"%x\r\n") -> tuple[bytes, bytes]:
    """The bytes of an answer, and its body."""
    events = [EVENT % (7**number) for number in range(count)]
    wire = b"".join(size_line % len(event) + event + b"\r\n" for event in events)
    return HEAD + wire + b"0\r\n\r\n", b"".join(events)


def received(wire: bytes, cuts: list[int]) -> tuple[Sink, UpstreamConnection]:
    connection, sink = UpstreamConnection(), Sink()
    connection.connection_made(Transport())
    connection.send(b"", sink)
    connection.chunks_to(sink.take)
    edges = sorted({0, *(cut for cut in cuts if cut < len(wire)), len(wire)})
    for begin, end in pairwise(edges):
        connection.data_received(wire[begin:end])
    return sink, connection


def ends_of_chunks(wire: bytes) -> list[int]:
    return [at + 4 for at in range(len(wire)) if wire[at : at + 4] == b"\n\n\r\n"]


@given(st.integers(1, 12), st.data())
def test_any_cuts_give_the_same_body(count: int, data: st.DataObject):
    wire, body = answer(count)
    usual = st.sampled_from([len(HEAD), *ends_of_chunks(wire)])
    cuts = data.draw(st.lists(usual | st.integers(1, len(wire) - 1), max_size=30))
    sink, connection = received(wire, cuts)
    assert (sink.body, sink.ended, sink.error) == (body, True, None)
    assert connection.is_open


def test_whole_chunks_go_past_the_parser():
    wire, body = answer(10)
    sink, _ = received(wire, [len(HEAD), *ends_of_chunks(wire)])
    assert sink.body == body
    assert sink.past == 9, "the first one tells where chunks begin"


@given(st.integers(2, 6), st.data())
def test_sizes_with_zeros_before_them_may_be_cut_anywhere(count: int, data: st.DataObject):
    """What is left of a size after a cut looks like a whole one."""
    wire, body = answer(count, b"00%x\r\n")
    begins = [at + extra for at in ends_of_chunks(wire) for extra in (0, 1, 2)]
    cuts = data.draw(st.lists(st.sampled_from([len(HEAD), *begins]), max_size=20))
    sink, _ = received(wire, cuts)
    assert (sink.body, sink.ended, sink.error) == (body, True, None)


@given(st.data())
def test_what_looks_like_a_chunk_within_another_is_body(data: st.DataObject):
    first, second = EVENT % 1, EVENT % 2
    nested = b"%x\r\n%b\r\n" % (len(second), second)
    parts = (first, nested, first)
    wire = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    wire += b"0\r\n\r\n"
    at = wire.index(nested)
    usual = st.sampled_from([len(HEAD), *ends_of_chunks(wire), at, at + len(nested)])
    cuts = data.draw(st.lists(usual | st.integers(1, len(wire) - 1), max_size=12))
    sink, _ = received(wire, cuts)
    assert (sink.body, sink.ended, sink.error) == (b"".join(parts), True, None)


def test_a_second_answer_begins_anew():
    wire, body = answer(3)
    sink, connection = received(wire, [len(HEAD), *ends_of_chunks(wire)])
    other = Sink()
    connection.send(b"", other)
    connection.data_received(wire)
    assert (sink.body, other.body, other.past) == (body, body, 0)
