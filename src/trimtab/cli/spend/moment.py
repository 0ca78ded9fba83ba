"""Moments as people write them."""

from datetime import UTC, datetime

from trimtab.errors import UsageError
from trimtab.types.clock import NS_PER_S

__all__ = ["parse_moment_ns"]


def parse_moment_ns(text: str) -> int:
    """UTC nanoseconds of `2026-10-01`, `2026-10-01T14:30` or the same with an offset.

    Raises:
        UsageError: it is none of these, or before 1970.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        at_s = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        at_s = -1
    if at_s < 0:
        raise UsageError(f"{text!r} is no moment. Write 2026-10-01 or 2026-10-01T14:30, in UTC.")
    return at_s * NS_PER_S
