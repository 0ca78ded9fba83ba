"""Before other programs of the machine, where that is allowed (it is to root).

Linux shares a core among sessions first (autogroup), so that a nice value counts inside a session
only; the session has one of its own.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["NICE", "before_others", "put_before_others"]

NICE = -15


def put_before_others(pid: int) -> None:
    """The session of `pid`, a process that leads one."""
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(f"{NICE}\n", encoding="utf-8")


@contextmanager
def before_others() -> Generator[None]:
    """This process and its session, inside the block."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    group = Path("/proc/self/autogroup")
    said = group.read_text(encoding="utf-8").split()[-1:] if group.exists() else []
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        put_before_others(os.getpid())
    try:
        yield
    finally:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, before)
            for value in said:
                group.write_text(f"{value}\n", encoding="utf-8")
