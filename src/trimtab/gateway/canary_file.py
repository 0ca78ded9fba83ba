"""`canaries/NUMBER.json`: the evidence of a process on versions that are tried, for the next one.

Several processes may serve one data folder. Each holds a lock on a number, the first that is free,
and so do those that come after it: what one process knew is read by one process.
"""

import asyncio
import fcntl
import logging
import os
import threading
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Final

import msgspec

from trimtab.gateway.canary import CanaryWatch, Evidence

__all__ = ["CanaryFile", "encoded", "tend_evidence"]

_log = logging.getLogger("trimtab.gateway")

_PAUSE_S: Final = 10.0  # so much evidence is lost with a process that is killed
_MOST_BYTES: Final = 256_000_000
_decoder = msgspec.json.Decoder(dict[str, Evidence])


class CanaryFile:
    """The file of this process. For any thread; nobody else has it until it is closed.

    Args:
        data_dir: the data folder.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, data_dir: Path) -> None:
        folder = data_dir / "canaries"
        folder.mkdir(exist_ok=True)
        number, self._lock = _free_number(folder)
        self._path = folder / f"{number}.json"
        self._writing = threading.Lock()

    def read(self) -> dict[str, Evidence]:
        """What the process before knew; nothing where it cannot be read."""
        try:
            with self._path.open("rb") as file:
                return _decoder.decode(file.read(_MOST_BYTES))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}

    def write(self, encoded: bytes) -> None:
        """Put what is known in the place of what was; see `encoded`.

        Raises:
            OSError: it cannot be written.
        """
        with self._writing:
            new = self._path.with_suffix(".new")
            new.write_bytes(encoded)
            new.replace(self._path)

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)


def encoded(known: Mapping[str, Evidence]) -> bytes:
    """The bytes of a file. To be made where nothing is added to the evidence meanwhile."""
    return msgspec.json.encode(known)


async def tend_evidence(canaries: CanaryWatch, data_dir: Path) -> None:
    """Go on with the evidence of the process before, and keep it. Runs until it is cancelled.

    What is known at the end is kept as well.
    """
    try:
        file = await asyncio.to_thread(CanaryFile, data_dir)
    except OSError as error:
        _log.warning("the evidence on canaries is not kept: %s", error.strerror)
        return
    canaries.go_on(await asyncio.to_thread(file.read))
    kept: object = None
    try:
        while True:
            await asyncio.sleep(_PAUSE_S)
            if kept != canaries.taken:
                kept = canaries.taken
                await asyncio.to_thread(_keep, file, encoded(canaries.evidence()))
    finally:
        _keep(file, encoded(canaries.evidence()))
        file.close()


def _keep(file: CanaryFile, evidence: bytes) -> None:
    try:
        file.write(evidence)
    except OSError as error:
        _log.warning("the evidence on canaries cannot be written: %s", error.strerror)


def _free_number(folder: Path) -> tuple[int, int]:
    """The first number that no living process has, and the lock on it."""
    for number in count():
        lock = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:
            os.close(lock)
            raise
        return number, lock
    raise AssertionError("numbers do not end")
