"""The gateway's own Python on the way of a request or a frame, in bytecodes.

`python -m bench.bytecodes`, and the same with `--frames`.

CPU time swings with whatever else a machine does, by more than a change to the code is worth; the
number of bytecodes does not. It leaves out the kernel, uvloop and what is written in C, so it says
where the Python goes and whether it grew, not how long a request takes. Sockets are left out, too:
both sides of the gateway are fed by hand on a real event loop, with its real store.
"""

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template
from types import CodeType, FrameType
from typing import Any, Final, NamedTuple, Protocol

import uvloop
from typing_extensions import override

from bench.contenders import CONTENDERS, OURS
from bench.load import Target
from bench.provider import FRAMES, STREAM, STREAM_HEAD, WHOLE
from trimtab.app import App
from trimtab.gateway.upstream import UpstreamConnection
from trimtab.server.handler import Handler
from trimtab.server.http import HttpConnection, Limits
from trimtab.types.clock import SystemClock

__all__ = ["Bytecodes", "bytecodes_of_a_frame", "bytecodes_of_a_request", "main"]

_WARM: Final = 50  # requests before the count, so that all that is made once has been made
_COUNTED: Final = 50
_OURS: Final = f"{Path('src', 'trimtab')}/"
_PATIENCE_S: Final = 120.0
_BEGINNING: Final = 3  # pieces of a stream with its first token


class Bytecodes(NamedTuple):
    """Of the event loop's thread, for one request or frame.

    Attributes:
        total: bytecodes.
        calls: calls of functions written in Python.
        by_file: bytecodes by file below `src/trimtab`, the most first.
    """

    total: float
    calls: float
    by_file: dict[str, float]


class _Trace(Protocol):
    """What the interpreter calls as it goes; it goes on with what is returned."""

    def __call__(self, frame: FrameType, event: str, arg: object, /) -> "_Trace | None": ...


class _Socket(asyncio.Transport):
    """One end of a connection: what is written to it goes to `taken`."""

    def __init__(self, taken: Callable[[bytes], None]) -> None:
        super().__init__()
        self._taken = taken

    @override
    def write(self, data: Any) -> None:
        self._taken(bytes(data))

    @override
    def is_closing(self) -> bool:
        return False

    @override
    def get_write_buffer_size(self) -> int:
        return 0

    @override
    def close(self) -> None:
        pass

    @override
    def abort(self) -> None:
        pass


class _Caller:
    """One connection of a caller, and one of the gateway to its provider."""

    def __init__(
        self, app: App, handler: Handler, request: bytes, *, answer: Sequence[bytes] = (WHOLE,)
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._request = request
        self._answer = answer
        self._end = b"0\r\n\r\n" if len(answer) > 1 else b""
        self._taken = b""
        self._answered: asyncio.Future[bytes] | None = None
        self._server = HttpConnection(
            Limits(), serve=handler.serve, fail=handler.fail, closed=lambda _: None
        )
        self._server.connection_made(_Socket(self._take))
        self._upstream = UpstreamConnection()
        self._upstream.connection_made(_Socket(self._provide))
        app.gateway.serving.upstreams["fake"].pool.release(self._upstream)

    async def ask(self) -> None:
        """One request, to its answer."""
        self._answered = self._loop.create_future()
        self._taken = b""
        self._server.data_received(self._request)
        answer = await self._answered
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the gateway answered {answer[:200]!r}")

    def _take(self, data: bytes) -> None:
        if not self._taken:  # not before, for until then what comes is held back
            self._feed(self._answer[_BEGINNING:])
        self._taken += data
        if self._answered is not None and not self._answered.done() and data.endswith(self._end):
            self._answered.set_result(self._taken)

    def _provide(self, _: bytes) -> None:
        self._feed(self._answer[:_BEGINNING])

    def _feed(self, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            self._loop.call_soon(self._upstream.data_received, piece)


class _Counter:
    """Counts what the running thread executes of trimtab, inside `with`."""

    def __init__(self) -> None:
        self.bytecodes: Counter[CodeType] = Counter()
        self.calls = 0

    def __enter__(self) -> "_Counter":
        self._before = sys.gettrace()
        sys.settrace(self._on_call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _on_call(self, frame: FrameType, event: str, arg: object, /) -> _Trace | None:  # noqa: ARG002
        if _OURS not in frame.f_code.co_filename:
            return None
        self.calls += 1
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._on_event

    def _on_event(self, frame: FrameType, event: str, arg: object, /) -> _Trace | None:  # noqa: ARG002
        if event == "opcode":
            self.bytecodes[frame.f_code] += 1
        return self._on_event


async def bytecodes_of_a_request(folder: Path) -> Bytecodes:
    """Serve whole answers with the project of the bench, made in `folder`, and count."""
    return await _count(folder, _COUNTED, streamed=False)


async def bytecodes_of_a_frame(folder: Path) -> Bytecodes:
    """The same of streams, for each frame: the request and its record are shared by all of them."""
    return await _count(folder, _COUNTED * FRAMES, streamed=True)


async def _count(folder: Path, parts: int, *, streamed: bool) -> Bytecodes:
    """Count what each of so many parts of some requests takes."""
    ours = next(contender for contender in CONTENDERS if contender.name == OURS)
    project = folder / "trimtab.toml"
    text = Template(ours.files["trimtab.toml"]).substitute(provider=9)  # where nobody listens
    project.write_text(text, encoding="utf-8")
    app = await App.open(project)
    try:
        async with app.working(), asyncio.timeout(_PATIENCE_S):
            _, secret = app.keys.create("bench")
            request = Target(9, (f"authorization: Bearer {secret}",)).request(streamed=streamed)
            answer = (STREAM_HEAD, *STREAM) if streamed else (WHOLE,)
            caller = _Caller(app, Handler(app, SystemClock()), request, answer=answer)
            for _ in range(_WARM):
                await caller.ask()
            with _Counter() as counter:
                for _ in range(_COUNTED):
                    await caller.ask()
    finally:
        await app.close()
    by_file: Counter[str] = Counter()
    for code, count in counter.bytecodes.items():
        by_file[code.co_filename.partition(_OURS)[2]] += count
    return Bytecodes(
        sum(by_file.values()) / parts,
        counter.calls / parts,
        {file: count / parts for file, count in by_file.most_common()},
    )


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", action="store_true", help="of the frames of streams")
    count = bytecodes_of_a_frame if parser.parse_args().frames else bytecodes_of_a_request
    with tempfile.TemporaryDirectory() as folder:
        found = uvloop.run(count(Path(folder)))
    for file, count in found.by_file.items():
        print(f"{count:7.0f}  {file}")
    print(f"{found.total:7.0f}  in {found.calls:.0f} calls")


if __name__ == "__main__":
    main()
