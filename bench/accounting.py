"""CPU time and memory of a process with all that it started, from the kernel.

CPU is the clock of each process (`clock_gettime`): the scheduler's nanoseconds of all its threads,
those that have ended included. Children that have ended stand in their parent's account, in ticks.
Only for Linux.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["core_busy_us", "cpu_us", "memory_mb", "process_tree", "waited_us"]

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_MB = 1024 * 1024
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class _Stat(NamedTuple):
    parent: int
    session: int
    waited_ticks: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None  # it ended while we looked
    fields = text.rpartition(")")[2].split()  # begins with field 3 of proc(5)
    return _Stat(int(fields[1]), int(fields[3]), int(fields[13]) + int(fields[14]))


def process_tree(pid: int) -> dict[int, int]:
    """Ids of the process, its descendants and its session, with the ticks of ended children."""
    stats = {int(path.name): _stat(int(path.name)) for path in _PROC.glob("[0-9]*")}
    found: dict[int, int] = {}
    grown = True
    while grown:
        grown = False
        for other, stat in stats.items():
            if stat is None or other in found:
                continue
            if other == pid or stat.parent in found or stat.session == pid:
                found[other] = stat.waited_ticks
                grown = True
    return found


def _clock_us(pid: int) -> float:
    # The clock id of another process: clock_getcpuclockid(3), which Python does not offer.
    try:
        return time.clock_gettime_ns((~pid << 3) | 2) / 1000
    except OSError:
        return 0.0


def cpu_us(pid: int) -> float:
    """CPU microseconds that the process and all that it started have used so far."""
    tree = process_tree(pid)
    waited_us = sum(tree.values()) / _TICKS_PER_S * 1_000_000
    return waited_us + sum(_clock_us(member) for member in tree)


def core_busy_us(core: int) -> float:
    """Microseconds that a core was not idle so far, stolen by the hypervisor included."""
    text = (_PROC / "stat").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith(f"cpu{core} "))
    user, nice, system, _, _, *rest = (int(field) for field in line.split()[1:9])
    return (user + nice + system + sum(rest)) / _TICKS_PER_S * 1_000_000


def waited_us() -> float:
    """Microseconds that this thread was ready to run and had to wait for its core so far."""
    return int((_PROC / "thread-self" / "schedstat").read_text(encoding="utf-8").split()[1]) / 1000


def memory_mb(pid: int) -> float:
    """Resident memory, summed over the processes; pages that they share count for each."""
    pages = 0
    for member in process_tree(pid):
        try:
            text = (_PROC / str(member) / "statm").read_text(encoding="utf-8")
        except OSError:
            continue
        pages += int(text.split()[1])
    return pages * _PAGE_BYTES / _MB
