"""HTTP/1.1 to one server: asyncio streams, httptools (llhttp) for the parsing, reused connections.

Strict and small: no redirects, no proxies, no compression, and nothing sent twice but where a kept
connection turns out to be closed.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Literal

import httptools

from trimtab.client.address import Address, request_bytes
from trimtab.types.clock import SystemClock

__all__ = ["MOST_BYTES", "Broken", "Reply", "Transport"]

MOST_BYTES: Final = 64_000_000  # of an answer that is read whole
_MOST_FRAMING: Final = 64_000  # of head, and of what frames a body between two pieces of it
_AT_ONCE: Final = 65_536
_CONNECT_S: Final = 5.0
_IDLE_S: Final = 30.0  # less than what servers keep a free connection for
_STALE_S: Final = 1.0  # in which a server says that it has closed a connection
_MOST_FREE: Final = 64
_TAIL_S: Final = 1.0

_now_s = SystemClock.monotonic_s


class Broken(Exception):
    """An answer did not come, or not whole.

    Attributes:
        kind: "unreachable" only if not one byte of an answer has come and none will; "timeout" says
            nothing of what the server does.
        problem: in a few words, as the end of a sentence.
    """

    Kind = Literal["unreachable", "timeout", "garbage", "truncated"]

    def __init__(self, kind: Kind, problem: str) -> None:
        super().__init__(problem)
        self.kind: Broken.Kind = kind
        self.problem = problem


class _Connection:
    """One connection, for one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self.free_since_s = 0.0

    @property
    def is_idle(self) -> bool:
        """Open as far as one can tell, with all sent."""
        transport = self._writer.transport
        return (
            not transport.is_closing()
            and self.reader.exception() is None
            and transport.get_write_buffer_size() == 0
        )

    async def is_silent(self) -> bool:
        """Idle, without bytes that nobody asked for: they would pass for the next answer."""
        try:
            async with asyncio.timeout(0):
                await self.reader.read(1)
        except TimeoutError:
            return self.is_idle
        except OSError:
            return False
        return False

    def send(self, request: bytes) -> None:
        # Not drained: a server that refuses a large body answers before it has read it.
        self._writer.write(request)

    def abort(self) -> None:
        self._writer.transport.abort()

    async def closed(self) -> None:
        with suppress(OSError):
            await self._writer.wait_closed()


class Transport:
    """Connections to one server, the most recently used first.

    Args:
        address: the server.
        silence_s: how long nothing may arrive while an answer is waited for.
    """

    def __init__(self, address: Address, *, silence_s: float) -> None:
        self.address = address
        self.silence_s = silence_s
        self._tls = ssl.create_default_context() if address.secure else None
        self._free: list[_Connection] = []
        self._all: set[_Connection] = set()
        self._closed = False

    async def send(
        self, method: str, target: str, *, headers: Mapping[str, str], body: bytes = b""
    ) -> "Reply":
        """Send a request; returns when the head of the answer is there.

        Whoever gets the reply closes it. Where this is cancelled the connection is closed.

        Raises:
            Broken: there is no answer.
            UsageError: a header cannot be sent.
        """
        request = request_bytes(method, self.address, target, headers=headers, body=body)
        connection = await self._take_free()
        if connection is not None:
            sent_s = _now_s()
            try:
                return await self._exchange(connection, request)
            except Broken as error:
                # The server had closed it before the request came: another one, once. Later it
                # is somebody in between who lost patience, and the call is under way.
                if error.kind != "unreachable" or _now_s() - sent_s >= _STALE_S:
                    raise
        return await self._exchange(await self._connect(), request)

    async def aclose(self) -> None:
        """Close all connections, also those of calls under way."""
        self._closed = True
        self._free.clear()
        for connection in list(self._all):
            connection.abort()
        for connection in list(self._all):
            await connection.closed()
        self._all.clear()

    def give_back(self, connection: _Connection) -> None:
        """Keep a connection whose answer is complete for another call."""
        if connection in self._all and connection.is_idle and len(self._free) < _MOST_FREE:
            connection.free_since_s = _now_s()
            self._free.append(connection)
        else:
            self.drop(connection)

    def drop(self, connection: _Connection) -> None:
        """Close a connection at once."""
        connection.abort()
        self._all.discard(connection)

    async def _take_free(self) -> _Connection | None:
        while self._free:
            connection = self._free.pop()
            try:
                if _now_s() - connection.free_since_s < _IDLE_S and await connection.is_silent():
                    return connection
            except BaseException:
                self.drop(connection)
                raise
            self.drop(connection)
        return None

    async def _connect(self) -> _Connection:
        address = self.address
        limit_s = min(_CONNECT_S, self.silence_s)
        try:
            async with asyncio.timeout(limit_s):
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, ssl=self._tls
                )
        except TimeoutError:
            raise Broken("unreachable", f"no connection within {limit_s:g} s") from None
        except (OSError, UnicodeError) as error:  # ssl.SSLError, gaierror are OSErrors
            raise Broken("unreachable", _cause(error)) from error
        connection = _Connection(reader, writer)
        self._all.add(connection)
        if self._closed:
            self.drop(connection)
            raise Broken("unreachable", "this client was closed")
        return connection

    async def _exchange(self, connection: _Connection, request: bytes) -> "Reply":
        reply = Reply(self, connection)
        try:
            connection.send(request)
            await reply.read_head()
        except BaseException:
            self.drop(connection)
            raise
        return reply


class Reply:
    """One answer: its head, and its body as it comes.

    Attributes:
        status: HTTP status.
        headers: names in lower case; of repeated ones the last.
        complete: the body is whole.
    """

    def __init__(self, transport: Transport, connection: _Connection) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.complete = False
        self._transport = transport
        self._connection: _Connection | None = connection
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._framing_bytes = 0
        self._answered = False
        self._reusable = False
        self._out_of_step = False
        self._loop = asyncio.get_running_loop()

    def __del__(self) -> None:
        # Whoever forgot to close it may do so in another thread.
        if self._connection is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._transport.drop, self._connection)

    # ------------------------------------------------------------ what callers do

    async def read_head(self) -> None:
        """Wait for status and headers.

        Raises:
            Broken: they do not come.
        """
        while not self.status:
            await self._receive()
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise Broken("garbage", "it uses an encoding that nobody asked for")

    async def piece(self) -> bytes:
        """Some of the body; b"" when it is complete.

        Raises:
            Broken: the rest does not come.
        """
        while not self._pieces and not self.complete:
            await self._receive()
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    async def read(self, most: int = MOST_BYTES) -> bytes:
        """The whole body; the reply is closed.

        Raises:
            Broken: it does not come, or is longer than `most`.
        """
        body = bytearray()
        try:
            while piece := await self.piece():
                body += piece
                if len(body) > most:
                    raise Broken("garbage", f"its answer is longer than {most:,} bytes")
        finally:
            self.close()
        return bytes(body)

    async def finish(self) -> None:
        """Read the few bytes that may be left of an answer that is known, and close the reply."""
        try:
            async with asyncio.timeout(_TAIL_S):
                while await self.piece():
                    pass
        except (Broken, TimeoutError):
            pass  # the connection is not used again, and that is all
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection back if the answer is complete, else close it; again does nothing."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self.complete and self._reusable and not self._out_of_step:
            self._transport.give_back(connection)
        else:
            self._transport.drop(connection)

    # ------------------------------------------------------------ httptools

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._out_of_step = self.complete  # a second answer to one request

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if not self.status:  # a trailer is no header
            self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Called by the parser."""
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue and its kin
            self.headers.clear()
        elif not self.complete:
            self.status = status

    def on_body(self, data: bytes) -> None:
        """Called by the parser."""
        self._framing_bytes = 0
        if not self.complete:
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        if self.status:
            self.complete = True
            self._reusable = self._parser.should_keep_alive()

    # ------------------------------------------------------------ inside

    async def _receive(self) -> None:
        if self._connection is None:
            raise Broken("truncated", "it was closed")
        limit_s = self._transport.silence_s
        try:
            async with asyncio.timeout(limit_s):
                data = await self._connection.reader.read(_AT_ONCE)
        except TimeoutError:
            raise Broken("timeout", f"nothing arrived for {limit_s:g} s") from None
        except OSError as error:
            raise self._ended(_cause(error)) from error
        if not data:
            self._closed_by_peer()
            return
        self._answered = True
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if self.complete:  # what comes after an answer is no part of it
                self._out_of_step = True
                return
            raise Broken("garbage", "what it answers is not HTTP/1.1") from None
        if self._framing_bytes > _MOST_FRAMING + _AT_ONCE:
            raise Broken("garbage", "its headers never end")

    def _closed_by_peer(self) -> None:
        framed = {"content-length", "transfer-encoding"} & self.headers.keys()
        if not self.status or framed:
            raise self._ended("it closed the connection")
        self.complete = True  # the end of the connection is the end of the body

    def _ended(self, problem: str) -> Broken:
        return Broken("truncated" if self._answered else "unreachable", problem)


def _cause(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "its host name is not valid"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it: {error.reason or 'the handshake failed'}"
    if isinstance(error, socket.gaierror):
        return "its host name is not known"
    # What asyncio writes itself repeats the address.
    return os.strerror(error.errno).lower() if error.errno else "no connection to any address of it"
