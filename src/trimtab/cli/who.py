"""Who sits at the terminal, and when: for logs that people read."""

import getpass
import subprocess
from datetime import UTC, date, datetime

from trimtab.types.clock import NS_PER_S, SystemClock

__all__ = ["now", "today", "who_am_i"]

_LIMIT_S = 5


def now() -> datetime:
    """In UTC, to the second."""
    return datetime.fromtimestamp(SystemClock().wall_ns() // NS_PER_S, UTC)


def today() -> date:
    """The day in UTC."""
    return now().date()


def who_am_i() -> str:
    """Name and address as git has them, else the name of the account."""
    found = [_git("user.name"), _git("user.email")]
    if found[0]:
        return f"{found[0]} <{found[1]}>" if found[1] else found[0]
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return "unknown"


def _git(key: str) -> str:
    command = ["git", "config", "--get", key]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            command, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
