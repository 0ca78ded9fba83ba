"""Printing: tables for people, JSON for programs."""

import sys
from datetime import UTC, datetime
from typing import Any, cast

import msgspec
from rich.console import Console
from rich.table import Table

__all__ = [
    "NARROW",
    "console",
    "format_ms",
    "format_time",
    "named",
    "print_json",
    "print_table",
    "table",
]

_PIPE_COLUMNS = 160  # where there is no terminal, lines must not be broken at 80

_NAME_COLUMNS = 12
NARROW = 110  # terminal columns below which the less needed figures are left out

console = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_COLUMNS)


def print_json(value: Any) -> None:  # noqa: ANN401 - anything that msgspec can encode
    """One JSON document on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def named(value: Any) -> Any:  # noqa: ANN401 - anything that msgspec can encode
    """The same with the fields of named tuples, at any depth, as objects for `print_json`."""
    if isinstance(value, msgspec.Struct):
        return {field: named(getattr(value, field)) for field in value.__struct_fields__}
    if isinstance(value, tuple) and hasattr(cast("object", value), "_fields"):
        whole: Any = value  # pyright: ignore[reportUnknownVariableType] - of any fields
        return {field: named(getattr(whole, field)) for field in whole._fields}
    if isinstance(value, dict):
        return {key: named(one) for key, one in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [named(one) for one in cast("list[Any]", value)]
    return value


def table(title: str, *columns: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    made.add_column(columns[0], min_width=_NAME_COLUMNS, overflow="ellipsis", no_wrap=True)
    for column in columns[1:]:
        made.add_column(column, justify="right", no_wrap=True)
    return made


def print_table(made: Table) -> None:
    """Print a table; where it is too wide the name gives way, never a figure."""
    for column in made.columns[1:]:
        texts = [str(column.header), *map(str, column.cells)]
        column.min_width = max(len(text) for text in texts)
    console.print(made)


def format_ms(value: float | None) -> str:
    """A duration for people."""
    if value is None:
        return "-"
    if value >= 10_000:
        return f"{value / 1000:.1f} s"
    if value >= 1000:
        return f"{value / 1000:.2f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def format_time(at_ns: int) -> str:
    """A moment for people, in UTC."""
    return datetime.fromtimestamp(at_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
