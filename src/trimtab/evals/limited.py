"""Work that may hang, done in a child process that is ended when its time is over.

A regular expression can take for ever on the wrong text, and Python's `re` neither has a limit nor
lets other threads run meanwhile; functions of a suite can do anything. So both run in children. A
child does one task at a time and lives as long as its tasks end in time.
"""

import atexit
import subprocess
import sys
from asyncio import get_running_loop
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Timer, local
from typing import BinaryIO, Final, cast

import msgspec

from trimtab.evals.limited_tasks import READY, Order, Reply, Task

__all__ = ["LimitProblem", "do_limited", "do_limited_now"]

_CHILDREN: Final = 4
_NO_CHILD: Final = "could not run: no child process can be started"
_START_LIMIT_S: Final = 60.0
_PROGRAM: Final = "from trimtab.evals.limited_child import serve; serve()"
# -P: a file of the current folder must not take the place of a module.
_COMMAND: Final = (sys.executable, "-P", "-c", _PROGRAM)

_decode = msgspec.json.Decoder(Reply).decode


class LimitProblem(Exception):
    """A task has no reply. Says why, as the end of a sentence.

    Attributes:
        is_late: its time was over.
    """

    def __init__(self, problem: str, *, is_late: bool) -> None:
        super().__init__(problem)
        self.is_late = is_late


async def do_limited(task: Task, limit_s: float) -> Reply:
    """The reply to a task; its time begins when a child is free for it.

    Raises:
        LimitProblem: it took longer, the child ended by itself, or none can be started.
    """
    line = msgspec.json.encode(Order(task=task, limit_s=limit_s)) + b"\n"
    return await get_running_loop().run_in_executor(_children.threads, _children.do, line, limit_s)


def do_limited_now(task: Task, limit_s: float) -> Reply:
    """As `do_limited`, for what happens before there is an event loop; blocks.

    Raises:
        LimitProblem: as `do_limited`.
    """
    line = msgspec.json.encode(Order(task=task, limit_s=limit_s)) + b"\n"
    future: Future[Reply] = _children.threads.submit(_children.do, line, limit_s)
    return future.result()


class _Child:
    """One process."""

    def __init__(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
                _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise LimitProblem(_NO_CHILD, is_late=False) from error
        self.late = Event()
        if self.ask(b"", _START_LIMIT_S) != READY:
            self.end()
            raise LimitProblem(_NO_CHILD, is_late=False)

    def ask(self, line: bytes, limit_s: float) -> bytes:
        """The line that it answers; b"" where it ended instead."""
        timer = Timer(limit_s, self._too_late)
        timer.daemon = True
        timer.start()
        try:
            self._stdin.write(line)
            self._stdin.flush()
            return self._stdout.readline()
        except OSError:  # it ended before it had read all
            return b""
        finally:
            timer.cancel()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _too_late(self) -> None:
        self.late.set()
        self._process.kill()

    @property
    def _stdin(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdin)

    @property
    def _stdout(self) -> BinaryIO:
        return cast("BinaryIO", self._process.stdout)


class _Children:
    """A thread for each child; none is started before it is needed."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(_CHILDREN, thread_name_prefix="limited")
        self._of_thread = local()
        self._all: set[_Child] = set()

    def do(self, line: bytes, limit_s: float) -> Reply:
        """Have it done by the child of this thread."""
        child = self._child()
        reply = child.ask(line, limit_s)
        if child.late.is_set() or not reply.endswith(b"\n"):
            self._forget(child)
        if reply.endswith(b"\n"):
            return _decode(reply)
        if child.late.is_set():
            raise LimitProblem(f"took longer than {limit_s:g} s", is_late=True)
        raise LimitProblem("ended the process in which it ran", is_late=False)

    def end(self) -> None:
        """End all children; no thread is at work any more."""
        for child in list(self._all):
            self._forget(child)

    def _child(self) -> _Child:
        child: _Child | None = getattr(self._of_thread, "child", None)
        if child is None or child not in self._all:
            child = self._of_thread.child = _Child()
            self._all.add(child)
        return child

    def _forget(self, child: _Child) -> None:
        self._all.discard(child)
        child.end()


_children = _Children()
atexit.register(_children.end)
