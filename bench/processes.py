"""A contender as a process tree of its own: pinned to one core, ended by handle."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import NamedTuple

from bench.accounting import cpu_us, memory_mb
from bench.contenders import ROOT, Contender
from bench.load import Target
from bench.priority import put_before_others

__all__ = ["BenchError", "Launch", "Running", "free_port", "launched", "on_core", "prepared"]

_LOG_TAIL = 1_500
_GRACE_S = 5.0


class BenchError(Exception):
    """The bench cannot go on; the text says why, and what to do."""


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def on_core(core: int) -> Generator[None]:
    """Processes that begin inside stay on one core, with all that they start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Launch(NamedTuple):
    """One contender with its ports and files: all that starting it takes."""

    contender: Contender
    command: list[str]
    environment: dict[str, str]
    log: Path
    target: Target


def prepared(contender: Contender, folder: Path, *, provider: int) -> Launch:
    """Write its files, make its key, and choose its ports."""
    folder.mkdir(parents=True)
    port = free_port()
    names = {"port": port, "provider": provider, "spare": free_port(), "folder": folder}
    names["python"] = Path(sys.executable)

    def fill(text: str) -> str:
        return Template(text).substitute(names)

    for name, text in contender.files.items():
        (folder / name).write_text(fill(text), encoding="utf-8")
    headers = tuple(fill(header) for header in contender.headers)
    if contender.key_command:
        headers += (f"authorization: Bearer {_make_key(fill(contender.key_command))}",)
    return Launch(
        contender,
        shlex.split(fill(contender.command)),
        dict(contender.environment),
        folder / "output.log",
        Target(port, headers),
    )


def _make_key(command: str) -> str:
    done = subprocess.run(
        shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"`{command}` failed:\n{done.stderr or done.stdout}")
    return str(json.loads(done.stdout)["secret"])


class Running:
    """A contender that was started."""

    def __init__(self, launch: Launch, process: subprocess.Popen[bytes]) -> None:
        self.launch = launch
        self.target = launch.target
        self.name = launch.contender.name
        self._process = process
        self.pid = process.pid

    def cpu_us(self) -> float:
        """CPU microseconds of the whole tree so far."""
        return cpu_us(self.pid)

    def memory_mb(self) -> float:
        """Resident megabytes of the whole tree."""
        return memory_mb(self.pid)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def check_alive(self) -> None:
        """Raise BenchError with the end of its log when it has ended."""
        if not self.alive():
            code = self._process.returncode
            raise BenchError(f"{self.name} ended with exit code {code}. {self.log_tail()}")

    def log_tail(self) -> str:
        """The end of what it printed."""
        text = self.launch.log.read_text(encoding="utf-8", errors="replace").strip()
        return f"The end of its output:\n{text[-_LOG_TAIL:]}" if text else "It printed nothing."

    def stop(self) -> None:
        """SIGTERM for its group, then SIGKILL for what is left."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, kind)
            except ProcessLookupError:
                break
            try:
                self._process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()


@contextmanager
def launched(launch: Launch, core: int) -> Generator[Running]:
    """Run it inside the block. Raises BenchError when its port is taken or it cannot be started."""
    name, port = launch.contender.name, launch.target.port
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise BenchError(f"port {port}, chosen for {name}, is taken: run the bench again")
    environment = os.environ | launch.environment  # noqa: TID251  (a child gets what we have)
    with launch.log.open("ab") as log, on_core(core):
        try:
            process = subprocess.Popen(
                launch.command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise BenchError(f"{name} cannot be started: {error}") from error
    put_before_others(process.pid)
    running = Running(launch, process)
    try:
        yield running
    finally:
        running.stop()
