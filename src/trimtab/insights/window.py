"""Ranges of time as people write them."""

import re

from trimtab.errors import UsageError
from trimtab.types.clock import NS_PER_S

__all__ = ["parse_window_ns"]

_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST_S = 3650 * 86400
_WINDOW = re.compile(r"([1-9][0-9]{0,4})([mhdw])")


def parse_window_ns(text: str) -> int:
    """Length in nanoseconds of `30m`, `24h`, `7d` or `4w`.

    Raises:
        UsageError: it is none of these, or more than ten years.
    """
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{text!r} is not a span of time. Write a number and a unit: 30m, 24h, 7d or 4w."
        )
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > _LONGEST_S:
        raise UsageError(f"{text!r} is more than ten years. Write a shorter span, such as 90d.")
    return seconds * NS_PER_S
