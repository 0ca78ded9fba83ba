"""Figures, times and texts as people read them. Pure; templates use them as filters."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from trimtab.types.clock import NS_PER_S
from trimtab.types.money import NANO_PER_USD, format_usd

__all__ = [
    "NONE", "ago", "amount", "clock_time", "count", "decimal", "duration", "iso_time",
    "milliseconds", "one_line", "percent", "pieces", "several", "short", "signed_usd", "usd",
    "usd_brief", "usd_rough", "utc_day", "utc_time", "visible", "zone_time",
]  # fmt: skip

NONE = "\N{EN DASH}"
"""Stands where a figure is not known."""

# What a reader cannot see, and what turns the order of what can be seen: controls, directional
# marks, overrides and isolates, line and paragraph separators, invisible operators, the byte order
# mark, tag characters; and what no file can hold: halves of characters, and what is none.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_SHORT_CHARACTERS = 22


def count(value: int) -> str:
    """1,234,567."""
    return f"{value:,}"


def amount(value: int) -> str:
    """A large number with three significant digits: 1.23 M."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if value >= size:
            return f"{value / (1_000 if unit == 'k' else size):.3g}\N{NO-BREAK SPACE}{unit}"
    return f"{value:,}"


def decimal(value: float, places: int) -> str:
    """1.23, with so many digits behind the point."""
    return f"{value:,.{places}f}"


def several(value: int, noun: str) -> str:
    """1 error, 2 errors."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def pieces(text: str) -> list[str]:
    """A message cut at its backticks: every second piece is something to type."""
    found = text.split("`")
    return found if len(found) % 2 else [text]


def usd(nanousd: int) -> str:
    """An exact amount, as the command line prints it."""
    return format_usd(nanousd)


def usd_rough(nanousd: int) -> str:
    """An amount that was read from a histogram."""
    return f"~{format_usd(nanousd, digits=2)}"


def usd_brief(nanousd: int) -> str:
    """An amount beside a picture, in three digits; the exact one is in a table."""
    whole = nanousd % NANO_PER_USD == 0
    if abs(nanousd) < 1_000 * NANO_PER_USD and not whole:
        return format_usd(nanousd, digits=3)
    sign = "-" if nanousd < 0 else ""
    dollars = round(abs(nanousd) / NANO_PER_USD)
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M")):
        if dollars >= size:
            return f"{sign}${dollars / size:.3g}\N{NO-BREAK SPACE}{unit}"
    return f"{sign}${dollars:,}"


def signed_usd(nanousd: int) -> str:
    """An amount that is added, as the command line prints it."""
    return f"+{format_usd(nanousd)}" if nanousd > 0 else format_usd(nanousd)


def milliseconds(value: float | None) -> str:
    """A duration, as the command line prints it."""
    if value is None:
        return NONE
    if value >= 10_000:
        return f"{value / 1000:.1f} s"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def duration(seconds: float) -> str:
    """A longer time: 42 s, 3 min 12 s, 2 h 5 min."""
    if seconds < 60:
        return milliseconds(seconds * 1000)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def percent(share: float) -> str:
    """A share of one."""
    return f"{share:.1%}"


def utc_time(at_ns: int) -> str:
    """2026-11-24 21:44:03."""
    return _moment(at_ns).strftime("%Y-%m-%d %H:%M:%S")


def utc_day(at_ns: int) -> str:
    """2026-11-24."""
    return _moment(at_ns).strftime("%Y-%m-%d")


def zone_time(at_ns: int, zone: ZoneInfo) -> str:
    """2026-11-24 21:44, in the finance time zone."""
    return _moment(at_ns).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def clock_time(at_ns: int) -> str:
    """21:44:03."""
    return _moment(at_ns).strftime("%H:%M:%S")


def iso_time(at_ns: int) -> str:
    """2026-11-24T21:44:03.120Z, for programs."""
    return _moment(at_ns).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ns // 1_000_000 % 1000:03d}Z"


def ago(at_ns: int, now_ns: int) -> str:
    """How long ago; coarse, because the exact time stands beside it."""
    seconds = max(0, now_ns - at_ns) // NS_PER_S
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} ago"
    return f"{seconds} s ago"


def short(text: str) -> str:
    """A long name, its middle left out."""
    if len(text) <= _SHORT_CHARACTERS:
        return text
    half = _SHORT_CHARACTERS // 2
    return f"{text[:half]}\N{HORIZONTAL ELLIPSIS}{text[-half + 1 :]}"


def visible(text: str) -> str:
    """Text from outside with every hidden or direction-changing character written out."""
    return _HIDDEN.sub(lambda found: f"\u27e6U+{ord(found[0]):04X}\u27e7", text)


def one_line(text: str) -> str:
    """Text from outside within a line: as `visible`, and white space is single spaces."""
    return visible(" ".join(text.split()))


def _moment(at_ns: int) -> datetime:
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC)
