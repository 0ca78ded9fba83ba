"""Query strings to typed view states, and back to links. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec

from trimtab.errors import UsageError
from trimtab.insights.window import parse_window_ns
from trimtab.spend.windows import window_at
from trimtab.types.clock import NS_PER_S

__all__ = ["RANGES", "Query", "Span", "choice", "link", "read_span"]

RANGES = (
    ("1h", "1 hour"),
    ("24h", "24 hours"),
    ("7d", "7 days"),
    ("30d", "30 days"),
)
_LONGEST_VALUE = 512
_YEARS = range(2000, 2200)
_MINUTE = "%Y-%m-%dT%H:%M"

Query = Mapping[str, str]


class Span(msgspec.Struct, frozen=True):
    """A range of time as the address has it.

    Attributes:
        since_ns, until_ns: UTC nanoseconds, the end excluded.
        range: its length up to now such as "24h", or "month" for this month so far; "" where it is
            given by its ends.
        since, until: its ends as the address has them; "" where it is given by its length.
    """

    since_ns: int
    until_ns: int
    range: str
    since: str = ""
    until: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """For links to the same range."""
        if self.range:
            return {"range": self.range}
        return {"from": self.since, "to": self.until}

    @property
    def ends(self) -> dict[str, str]:
        """For links to the same range on pages that do not know months."""
        if self.range != "month":
            return self.parameters
        return {"from": datetime.fromtimestamp(self.since_ns // NS_PER_S, UTC).strftime(_MINUTE)}

    @property
    def words(self) -> str:
        """What people call it."""
        if self.range == "month":
            return "this month"
        if self.range:
            return f"the last {dict(RANGES).get(self.range, self.range)}"
        return f"{self.since or 'the beginning'} to {self.until or 'now'} UTC"


def read_span(
    query: Query, now_ns: int, default: str = "24h", *, months_in: ZoneInfo | None = None
) -> Span:
    """The range of a view, by length or by its ends.

    Args:
        query: of the address.
        now_ns: UTC nanoseconds.
        default: its length where the address has none.
        months_in: the time zone in which "month" is a range too; None for pages without it.

    Raises:
        UsageError: it is none.
    """
    since, until = query.get("from", "").strip(), query.get("to", "").strip()
    if not since and not until:
        length = query.get("range", "").strip() or default
        if length == "month" and months_in is not None:
            return Span(window_at("month", now_ns, months_in).begin_ns, now_ns, length)
        return Span(now_ns - parse_window_ns(length), now_ns, length)
    since_ns = _moment_ns("from", since) if since else 0
    until_ns = _moment_ns("to", until) if until else now_ns
    if since_ns >= until_ns:
        raise UsageError(f"The range from {since} to {until or 'now'} is empty. Swap its ends.")
    return Span(since_ns, until_ns, "", since, until)


def choice(query: Query, name: str, allowed: tuple[str, ...]) -> str:
    """The value of a parameter that takes one of a few; the first of them where it is not given.

    Raises:
        UsageError: it is none of them.
    """
    value = query.get(name, "")
    if not value:
        return allowed[0]
    if value not in allowed:
        words = ", ".join(word for word in allowed if word)
        raise UsageError(f"{name}={value[:80]!r} is not known here. Use one of {words}.")
    return value


def link(path: str, *parts: Mapping[str, str], **more: str) -> str:
    """An address with the parameters that are not empty; later ones count."""
    values: dict[str, Any] = {}
    for part in (*parts, more):
        values.update(part)
    query = urlencode({name: value[:_LONGEST_VALUE] for name, value in values.items() if value})
    return f"{path}?{query}" if query else path


def _moment_ns(name: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{name}={text[:80]!r} is not a time. Write it in UTC like 2026-11-24T21:30."
        ) from error
    if moment.year not in _YEARS:
        raise UsageError(
            f"{name}={text[:80]!r} is not a time of any inference. Write a year from "
            f"{_YEARS.start} to {_YEARS.stop - 1}."
        )
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * NS_PER_S
