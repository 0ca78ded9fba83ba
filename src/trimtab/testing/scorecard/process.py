"""A gateway in a process of its own, as a user starts it, and what the machine says of it."""

import asyncio
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

from trimtab.errors import UsageError

__all__ = ["GatewayProcess"]

_START_S = 30.0
_END_S = 30.0
_LOG = "gateway.log"
_ENDED = "the process has ended"


class GatewayProcess:
    """A gateway that serves a project folder; made by `start`.

    Attributes:
        folder: its project.
        command: module and arguments that run it.
        base_url: where it serves, `/v1` included.
        pid: of the process.
    """

    def __init__(
        self,
        folder: Path,
        command: tuple[str, ...],
        *,
        process: asyncio.subprocess.Process,
        base_url: str,
    ) -> None:
        self.folder = folder
        self.command = command
        self.base_url = base_url
        self.pid = process.pid
        self._process = process

    @classmethod
    async def start(cls, folder: Path, command: tuple[str, ...] = ("trimtab", "up")) -> Self:
        """Run `python -m <command> --project <folder>` and wait until it serves.

        Raises:
            UsageError: it ended, or did not begin to serve; with what it said.
        """
        with (folder / _LOG).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *command, "--project", str(folder),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the command, which then stops it
            )  # fmt: skip
        assert process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                first = (await process.stdout.readline()).decode()
            found = re.search(r"http://\S+/v1", first)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if found is None:
            await process.wait()
            raise UsageError(f"The gateway did not start. It says:\n{_said(folder)}")
        return cls(folder, command, process=process, base_url=found[0])

    @property
    def ended(self) -> str:
        """How it has ended, in words; "" while it runs."""
        code = self._process.returncode
        return "" if code is None else f"{_ENDED} with {code}: {_said(self.folder)[-400:]}"

    def send_signal(self, number: int) -> None:
        """Send any signal."""
        self._process.send_signal(number)

    def terminate(self) -> None:
        """Send SIGTERM: it is to finish what is under way."""
        with suppress(ProcessLookupError):
            self._process.terminate()

    async def wait(self) -> int:
        """Its exit code, once it has ended.

        Raises:
            TimeoutError: it did not.
        """
        async with asyncio.timeout(_END_S):
            return await self._process.wait()

    async def kill(self) -> None:
        """Send SIGKILL: it gets no chance to do anything."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End it, whatever it does."""
        self.terminate()
        try:
            await self.wait()
        except TimeoutError:
            await self.kill()

    def peak_bytes(self) -> int | None:
        """The most memory that it has had; None where the system does not tell."""
        found = re.search(r"VmHWM:\s+(\d+) kB", _read(Path(f"/proc/{self.pid}/status")))
        return None if found is None else int(found[1]) * 1024

    def cpu_s(self) -> float | None:
        """Seconds of processor time that it has used; None where the system does not tell."""
        fields = _read(Path(f"/proc/{self.pid}/stat")).rpartition(")")[2].split()
        if not fields:
            return None
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _said(folder: Path) -> str:
    return _read(folder / _LOG).strip()


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
