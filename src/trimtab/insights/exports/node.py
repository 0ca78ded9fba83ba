"""A place in a JSON document or a CSV file that knows where it is, for errors that name it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple, NoReturn, cast

from trimtab.errors import UsageError
from trimtab.types.clock import NS_PER_S

__all__ = ["Node", "parse_json"]

_MOST_TOKENS: Final = 10**15
_MOST_AMOUNT: Final = Decimal(10) ** 12
_MOST_SECONDS: Final = 1 << 33  # the year 2242
_SHOWN: Final = 40


class Node(NamedTuple):
    """A value, and where it stands.

    Attributes:
        place: file and path, as in `usage.json, data[0].results[2]`.
    """

    place: str
    value: object

    def field(self, name: str) -> "Node":
        """A field that must be there."""
        found = self.get(name)
        return self.fail(f"{name} is missing") if found is None else found

    def get(self, name: str) -> "Node | None":
        """A field, or None where it is absent, null or empty text."""
        if not isinstance(self.value, Mapping):
            self.fail(f"expected an object, found {_show(self.value)}")
        value = cast("Mapping[str, object]", self.value).get(name)
        joint = "" if self.place.endswith(", ") else "."
        return None if value is None or value == "" else Node(f"{self.place}{joint}{name}", value)

    def items(self) -> "list[Node]":
        """The elements of a list."""
        if not isinstance(self.value, list):
            self.fail(f"expected a list, found {_show(self.value)}")
        values = cast("list[object]", self.value)
        return [Node(f"{self.place}[{at}]", value) for at, value in enumerate(values)]

    def text(self) -> str:
        """Text."""
        return self.value if isinstance(self.value, str) else self.fail("expected text")

    def whole(self) -> int:
        """A number of tokens or calls: a whole number, or text of one."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value[:20])
        if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_TOKENS:
            self.fail(f"expected a whole number, found {_show(self.value)}")
        return value

    def amount(self) -> Decimal:
        """An exact decimal number, or text of one."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            self.fail(f"expected an amount, found {_show(value)}")
        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"expected an amount, found {_show(value)}")
        if not amount.is_finite() or abs(amount) > _MOST_AMOUNT:
            self.fail(f"expected an amount, found {_show(value)}")
        return amount

    def unix_ns(self) -> int:
        """Seconds since 1970, in nanoseconds."""
        seconds = self.whole()
        if seconds > _MOST_SECONDS:
            self.fail(f"expected seconds since 1970, found {_show(self.value)}")
        return seconds * NS_PER_S

    def rfc3339_ns(self) -> int:
        """A time such as `2026-10-01T00:00:00Z`, in nanoseconds since 1970."""
        text = self.text()
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"expected a time such as 2026-10-01T00:00:00Z, found {_show(text)}")
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        seconds = round(at.timestamp())
        return seconds * NS_PER_S if seconds >= 0 else self.fail("expected a time after 1970")

    def fail(self, problem: str) -> NoReturn:
        """Raise the error that something is wrong here.

        Raises:
            UsageError: always.
        """
        place = self.place.removesuffix(", ")
        raise UsageError(f"{place}: {problem}. Export it from the provider again, unchanged.")


def parse_json(file: str, text: str) -> Node:
    """A document, its numbers exact.

    Raises:
        UsageError: it is not JSON.
    """
    try:
        value: Any = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError, InvalidOperation) as error:
        line = f" line {error.lineno}:" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(
            f"{file}:{line} it is not JSON. Export it from the provider again, unchanged."
        ) from None
    return Node(f"{file}, ", value)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _show(value: object) -> str:
    if isinstance(value, Mapping | list):
        return "an object" if isinstance(value, Mapping) else "a list"
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
