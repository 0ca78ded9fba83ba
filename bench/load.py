"""The load generator: `python -m bench.load URL`; one JSON line of figures on standard output.

Closed loop on keep-alive connections. Bytes are not parsed beyond what tells the end of an answer,
so that the generator costs a fraction of what it measures.
"""

import argparse
import asyncio
import json
import time
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop
from typing_extensions import override

__all__ = ["main"]

_QUESTION = "hello " * 170  # 1 kB, as in the measurements of the design


class _Caller(asyncio.Protocol):
    """One connection that asks again as soon as it has its answer."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._tail = b""
        self._left = -1
        self._begun_s = 0.0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def _ask(self) -> None:
        if time.monotonic() >= self._run.until_s:
            self._transport.close()
            return
        self._first = True
        self._left = -1
        self._begun_s = time.monotonic()
        self._transport.write(self._run.request)

    @override
    def data_received(self, data: bytes) -> None:
        run = self._run
        if self._first:
            self._first = False
            if not data.startswith(b"HTTP/1.1 200"):
                run.failed += 1
                self._transport.close()
                return
            run.first_s.append(time.monotonic() - self._begun_s)
        if run.streamed:
            run.frames += data.count(b"data: ")
            ended = (self._tail + data).endswith(b"0\r\n\r\n")
            self._tail = data[-8:]
        else:
            if self._left < 0:
                head, _, body = data.partition(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self._left = int(length) - len(body)
            else:
                self._left -= len(data)
            ended = self._left <= 0
        if ended:
            run.total_s.append(time.monotonic() - self._begun_s)
            self._ask()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._run.open -= 1
        if not self._run.open:
            self._run.over.set()


class _Run:
    def __init__(self, request: bytes, *, streamed: bool, seconds: float, connections: int) -> None:
        self.request = request
        self.streamed = streamed
        self.until_s = time.monotonic() + seconds
        self.open = connections
        self.over = asyncio.Event()
        self.first_s: list[float] = []
        self.total_s: list[float] = []
        self.frames = 0
        self.failed = 0

    def figures(self, seconds: float) -> dict[str, Any]:
        return {
            "requests": len(self.total_s),
            "failed": self.failed,
            "frames": self.frames,
            "requests_per_s": round(len(self.total_s) / seconds),
            "p50_ms": _at(self.total_s, 0.5),
            "p99_ms": _at(self.total_s, 0.99),
            "first_p50_ms": _at(self.first_s, 0.5),
            "first_p99_ms": _at(self.first_s, 0.99),
        }


def _at(values: list[float], q: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[int(q * (len(ordered) - 1))] * 1000, 3) if ordered else None


async def _load(options: argparse.Namespace) -> dict[str, Any]:
    url = urlsplit(str(options.url))
    fields = {"model": options.model, "messages": [{"role": "user", "content": _QUESTION}]}
    if options.streamed:
        fields |= {"stream": True, "stream_options": {"include_usage": True}}
    body = json.dumps(fields | {"user": "bench"}).encode()
    head = f"POST {url.path}/chat/completions HTTP/1.1\r\nhost: {url.netloc}\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    run = _Run(
        head.encode() + body,
        streamed=options.streamed,
        seconds=options.seconds,
        connections=options.connections,
    )
    host, port = url.hostname, url.port
    assert host is not None
    assert port is not None
    loop = asyncio.get_running_loop()
    begun_s = time.monotonic()
    for _ in range(options.connections):
        await loop.create_connection(lambda: _Caller(run), host, port)
    await run.over.wait()
    return run.figures(time.monotonic() - begun_s)


def main() -> None:
    """Run the load that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--model", default="fast")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--streamed", action="store_true")
    print(json.dumps(uvloop.run(_load(parser.parse_args()))))


if __name__ == "__main__":
    main()
