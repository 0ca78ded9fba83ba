"""Tables of the file -> structs, with every finding at once instead of only the first."""

import difflib
from collections.abc import Mapping
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import inspect

from trimtab.config.locate import KeyPath
from trimtab.errors import Finding

__all__ = ["TableReader"]

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_MAX_PRICE_USD = 1_000_000
_MAX_DECIMALS = 18  # as fine as the finest price in the price book
_MAX_SHOWN_VALUE = 60
_NEVER_SHOWN = frozenset(("api_key_env", "secret_env", "url_env", "url"))
_IN_WORDS: dict[type[inspect.Type], str] = {
    inspect.DecimalType: f"US dollars, from 0 to {_MAX_PRICE_USD}",
    inspect.BoolType: "true or false",
    inspect.DateType: "a date, as in 2026-10-01",
    inspect.VarTupleType: 'a list of names, as in ["first", "second"]',
}


class TableReader:
    """Reads structs out of parsed TOML and collects what is wrong on the way."""

    def __init__(self, file: Path, lines: Mapping[KeyPath, int]) -> None:
        self._found: list[tuple[int, Finding]] = []
        self._file = file
        self._lines = lines

    @property
    def findings(self) -> list[Finding]:
        """Everything wrong so far, in the order of the file."""
        return [finding for _, finding in sorted(self._found, key=itemgetter(0))]

    def place(self, path: KeyPath) -> str:
        """`file:line (dotted.key)`; a key that is not there has the line of its table."""
        return f"{self._file}:{self._line(path)} ({'.'.join(path)})"

    def report(self, path: KeyPath, problem: str, remedy: str) -> None:
        """Note one finding about the key at `path`."""
        self._found.append((self._line(path), Finding(self.place(path), problem, remedy)))

    def _line(self, path: KeyPath) -> int:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def read(self, cls: type[_Struct], raw: object, path: KeyPath = ()) -> _Struct | None:
        """A `cls` from the table `raw`; None when a required key is missing or wrong."""
        if not isinstance(raw, dict):
            self.report(
                path, f"expected a table, found {_show(raw)}", f"Write it as {_table(path)}"
            )
            return None
        table = cast("dict[str, object]", raw)
        fields = {field.name: field for field in msgspec.structs.fields(cls)}
        self._report_unknown(table, list(fields), path)
        values: dict[str, object] = {}
        complete = True
        for name, field in fields.items():
            value = self._read_field(field.type, table, (*path, name)) if name in table else None
            if value is not None:
                values[name] = value
            elif field.required:
                complete = False
                self._report_missing(name, present=name in table, path=path)
        return cls(**values) if complete else None

    def _read_field(self, kind: Any, table: dict[str, object], path: KeyPath) -> object:  # noqa: ANN401 - a type annotation has no type
        raw = table[path[-1]]
        if get_origin(kind) is dict:
            return self._read_named(get_args(kind)[1], raw, path)
        nested = _struct_in(kind)
        if nested is not None and get_origin(kind) is tuple:
            return self._read_list(nested, raw, path)
        if nested is not None:
            return self.read(nested, raw, path)
        problem = _problem_with_decimal(raw) if _is_decimal(kind) else ""
        try:
            if not problem:
                return msgspec.convert(raw, kind, dec_hook=_decode)
        except (msgspec.ValidationError, TypeError):
            # What stands in the place of a variable's name is likely the key itself, and the URL
            # of a webhook often contains one.
            shown = "the value" if path[-1] in _NEVER_SHOWN else _show(raw)
            problem = f"{shown} is not valid"
        self.report(path, problem, f"Give {describe(kind)}")
        return None

    def _read_named(self, kind: Any, raw: object, path: KeyPath) -> dict[str, object]:  # noqa: ANN401 - a type annotation has no type
        """The values of `raw` by name, without those that could not be read."""
        if not isinstance(raw, dict):
            example = _table((*path, "NAME"))
            self.report(path, f"expected tables, found {_show(raw)}", f"Write each as {example}")
            return {}
        tables = cast("dict[str, object]", raw)
        read = {name: self._read_field(kind, tables, (*path, name)) for name in tables}
        return {name: value for name, value in read.items() if value is not None}

    def _read_list(
        self, kind: type[_Struct], raw: object, path: KeyPath
    ) -> tuple[_Struct, ...] | None:
        """The tables of an array, without those that could not be read."""
        if not isinstance(raw, list):
            problem = f"expected a list of tables, found {_show(raw)}"
            self.report(path, problem, f"Write each as [{_table(path)}]")
            return None
        entries = cast("list[object]", raw)
        read = (self.read(kind, entry, (*path, str(n))) for n, entry in enumerate(entries))
        return tuple(entry for entry in read if entry is not None)

    def _report_unknown(self, table: dict[str, object], known: list[str], path: KeyPath) -> None:
        for name in table:
            if name in known:
                continue
            near = difflib.get_close_matches(name, known, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"Valid here: {', '.join(known)}"
            self.report((*path, name), f"unknown key {name}", remedy)

    def _report_missing(self, name: str, *, present: bool, path: KeyPath) -> None:
        if not present:  # a wrong value was reported where it stands
            self.report((*path, name), f"{name} is missing", f"Add {name} to {_table(path)}")


def describe(kind: Any) -> str:  # noqa: ANN401 - a type annotation has no type
    """What a field of type `kind` takes, in words."""
    info = inspect.type_info(kind)
    if isinstance(info, inspect.UnionType):
        info = next(part for part in info.types if not isinstance(part, inspect.NoneType))
    if type(info) in _IN_WORDS:
        return _IN_WORDS[type(info)]
    match info:
        case inspect.LiteralType(values):
            return " or ".join(f'"{value}"' for value in sorted(map(str, values)))
        case inspect.IntType():
            return f"a whole number from {info.ge} to {info.le}"
        case inspect.FloatType():
            low = f"above {info.gt}" if info.gt is not None else f"from {info.ge}"
            return f"a number {low} up to {info.le}"
        case inspect.Metadata():
            extra = cast("dict[str, object]", info.extra_json_schema)
            return str(extra["description"])
        case _:
            return "text in quotes"


def _problem_with_decimal(raw: object) -> str:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        return f"{_show(raw)} is not a number"
    amount = Decimal(raw)
    if not amount.is_finite() or not 0 <= amount <= _MAX_PRICE_USD:
        return f"{_show(raw)} is out of range"
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MAX_DECIMALS:
        return f"{_show(raw)} has more than {_MAX_DECIMALS} decimals"
    return ""


def _is_decimal(kind: object) -> bool:
    return kind is Decimal or Decimal in get_args(kind)


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 - a type annotation has no type
    """The struct that `kind` is, or is an optional of."""
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return part
    return None


def _decode(kind: type, raw: object) -> object:
    return kind(raw)  # the schema has one type of its own: Path


def _show(raw: object) -> str:
    shown = str(raw) if isinstance(raw, Decimal) else repr(raw)
    return shown if len(shown) <= _MAX_SHOWN_VALUE else f"{shown[:_MAX_SHOWN_VALUE]}..."


def _table(path: KeyPath) -> str:
    return f"[{'.'.join(path)}]" if path else "the file"
