"""YAML of the safe kind: plain values, each with its lines.

No other module imports a YAML library. The values are JSON's. Only `true`, `True` and `TRUE` (and
the same of false) are booleans, as in the core schema of YAML 1.2; `yes`, `no` and `on` are text,
and so are dates, numbers with leading zeros, `.inf` and `.nan`. Tags, keys twice in one mapping and
keys that are not text are refused; anchors and aliases too, unless the caller says how much they
may add.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias, cast

import yaml

from trimtab.errors import ConfigError, Finding

__all__ = ["Document", "KeyPath", "Lines", "Value", "load_all"]

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | float | bool | None"
KeyPath = tuple[str | int, ...]

_MOST_DEPTH: Final = 64
_MOST_DIGITS: Final = 400
_MERGE: Final = "<<"
_OPTIONAL: Final = re.compile(r"(?<=\w)\?(?=\s*:|\()")
_HALF: Final = re.compile("[\ud800-\udfff]")  # YAML can write it, UTF-8 cannot
_MARK: Final = "\ue000"
_WORDS: Final[Mapping[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


class Lines(NamedTuple):
    """Where something stands: its first and last line, counted from 1."""

    first: int
    last: int


class Document(NamedTuple):
    """One document.

    Attributes:
        value: what it says.
        lines: by key path, as in `("input", "schema", "ticket")` or `("env", 0, "name")`. A key's
            lines begin with the key and end with its value.
    """

    value: Value
    lines: Mapping[KeyPath, Lines]

    def line(self, path: KeyPath) -> int:
        """The first line of `path`; of what is not there, that of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines[path].first


class _Node(NamedTuple):
    """A value before aliases are followed.

    Attributes:
        content: text; the elements; or the keys with their values.
        lines: of the value alone.
        plain: it is text without quotes, which may be a number.
        shared: it was reached through an alias.
    """

    content: "str | list[_Node] | dict[str, tuple[int, _Node]]"
    lines: Lines
    plain: bool = False
    shared: bool = False


def load_all(text: str, *, file: str, first_line: int = 1, expansion: int = 0) -> list[Document]:
    """The documents in `text`.

    Args:
        text: YAML.
        file: its name, for errors.
        first_line: the line of the file on which `text` begins.
        expansion: how many values aliases may add in all; with 0 there may be no anchors and no
            aliases.

    Raises:
        ConfigError: it is not YAML, or more than what is allowed here; one finding with file and
            line.
    """
    source = _Source(text, file, first_line)
    try:
        events = cast("Iterator[Any]", yaml.parse(_marked(text), Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        return list(_Reader(source, events, expansion).documents())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = source.line(mark.index) if mark is not None else first_line
        source.fail(line, f"it is not YAML: {error.problem}", "Correct this line or the one before")
    except yaml.YAMLError as error:
        line = source.line(int(getattr(error, "position", 0)))
        source.fail(line, "it contains a control character", "Remove it, or write it as an escape")


def _marked(text: str) -> str:
    """The text with another character for the `?` in `{locale?: string}`.

    YAML allows it there; the library takes it for the beginning of a key.
    """
    return text if _MARK in text else _OPTIONAL.sub(_MARK, text)


class _Source:
    """The text, for places in it."""

    def __init__(self, text: str, file: str, first_line: int) -> None:
        self._text = text
        self._file = file
        self._first_line = first_line
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def line(self, index: int) -> int:
        """The line of the file on which character `index` stands."""
        return self._first_line + bisect_left(self._ends, index)

    def lines(self, event: yaml.Event) -> Lines:
        """Where an event begins and ends."""
        start, end = event.start_mark.index, event.end_mark.index
        # A block of text ends, for the library, where the next thing begins.
        while end > start and self._text[end - 1].isspace():
            end -= 1
        return Lines(self.line(start), self.line(max(start, end - 1)))

    def fail(self, line: int, problem: str, remedy: str) -> NoReturn:
        # The library's own error shows the line itself, which may hold anything.
        raise ConfigError([Finding(f"{self._file}:{line}", problem, remedy)]) from None


class _Reader:
    """Events -> nodes -> plain values."""

    def __init__(self, source: _Source, events: Iterator[Any], expansion: int) -> None:
        self._source = source
        self._events = events
        self._expansion = expansion
        self._left = expansion
        self._anchors: dict[str, _Node] = {}
        self._lines: dict[KeyPath, Lines] = {}

    def documents(self) -> Iterator[Document]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                self._lines = {}
                node = self._node(next(self._events), 0)
                self._lines[()] = node.lines
                yield Document(self._value(node, ()), self._lines)

    def _node(self, event: Any, depth: int) -> _Node:  # noqa: ANN401 - events of many classes
        lines = self._source.lines(event)
        if depth > _MOST_DEPTH:
            self._too_deep(lines)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, lines)
        if event.tag is not None:
            self._source.fail(lines.first, "a tag (!) is not allowed", "Remove the tag")
        if isinstance(event, yaml.ScalarEvent):
            if _HALF.search(event.value):
                self._source.fail(lines.first, "half a character (\\ud800)", "Write all of it")
            node = _Node(event.value.replace(_MARK, "?"), lines, plain=event.style is None)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._list(lines, depth)
        else:
            node = self._mapping(lines, depth)
        if event.anchor is not None:
            if not self._expansion:
                self._source.fail(
                    lines.first, "an anchor (&) is not allowed", "Write the value where it is used"
                )
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent, lines: Lines) -> _Node:
        if not self._expansion:
            self._source.fail(
                lines.first, "an alias (*) is not allowed", "Write the value where it is used"
            )
        node = self._anchors.get(event.anchor)
        if node is None:  # an anchor counts from its end on, so nothing contains itself
            self._source.fail(
                lines.first,
                "an alias (*) of nothing above it",
                "Name an anchor (&) that comes before",
            )
        return node._replace(shared=True)

    def _list(self, lines: Lines, depth: int) -> _Node:
        content: list[_Node] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            content.append(self._node(event, depth + 1))
        last = content[-1].lines.last if content else lines.last
        return _Node(content, Lines(lines.first, max(lines.last, last)))

    def _mapping(self, lines: Lines, depth: int) -> _Node:
        content: dict[str, tuple[int, _Node]] = {}
        last = lines.last
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            line = self._source.lines(event).first
            if not isinstance(key.content, str):
                self._source.fail(line, "a key is not text", "Write the key as one word")
            if key.content in content:
                self._source.fail(
                    line, "a key stands twice in one mapping", "Remove one of the two"
                )
            value = self._node(next(self._events), depth + 1)
            content[key.content] = (line, value)
            last = max(last, line, 0 if value.shared else value.lines.last)
        return _Node(content, Lines(lines.first, last))

    def _value(self, node: _Node, path: KeyPath, *, shared: bool = False) -> Value:
        shared = shared or node.shared
        if shared:
            self._spend(1, node.lines.first)
        if len(path) > _MOST_DEPTH:
            self._too_deep(node.lines)
        content = node.content
        if isinstance(content, str):
            return self._scalar(content, node) if node.plain else content
        if isinstance(content, list):
            self._lines.update({(*path, at): value.lines for at, value in enumerate(content)})
            return [
                self._value(value, (*path, at), shared=shared) for at, value in enumerate(content)
            ]
        merged = self._merged(content, 0)
        self._lines.update(
            {(*path, key): _from(line, value) for key, (line, value) in merged.items()}
        )
        return {
            key: self._value(value, (*path, key), shared=shared)
            for key, (_, value) in merged.items()
        }

    def _merged(
        self, content: dict[str, tuple[int, _Node]], depth: int
    ) -> dict[str, tuple[int, _Node]]:
        """The keys of a mapping, with those that `<<` brings in where aliases are allowed."""
        if not self._expansion or _MERGE not in content:
            return content
        line, merge = content[_MERGE]
        if depth > _MOST_DEPTH:
            self._too_deep(merge.lines)
        merged: dict[str, tuple[int, _Node]] = {}
        for parent in merge.content if isinstance(merge.content, list) else [merge]:
            if not isinstance(parent.content, dict):
                self._source.fail(line, "<< does not name a mapping", "Give it an alias of one")
            self._spend(1 + len(parent.content), line)
            for key, (at, value) in self._merged(parent.content, depth + 1).items():
                merged.setdefault(key, (at, value._replace(shared=True)))
        return merged | {key: entry for key, entry in content.items() if key != _MERGE}

    def _spend(self, values: int, line: int) -> None:
        self._left -= values
        if self._left < 0:
            self._source.fail(
                line,
                f"aliases stand for more than {self._expansion} values",
                "Use fewer of them",
            )

    def _scalar(self, text: str, node: _Node) -> Value:
        if text in _WORDS:
            return _WORDS[text]
        if len(text) > _MOST_DIGITS or not any("0" <= letter <= "9" for letter in text):
            return text
        if _WHOLE.fullmatch(text):
            return int(text)
        if not _NUMBER.fullmatch(text):
            return text
        number = float(text)
        if not math.isfinite(number):
            self._source.fail(node.lines.first, "a number is too large", "Put text in quotes")
        return number

    def _too_deep(self, lines: Lines) -> NoReturn:
        self._source.fail(lines.first, f"nested more than {_MOST_DEPTH} deep", "Use fewer levels")


def _from(line: int, value: _Node) -> Lines:
    """The lines of a key with its value; a shared value stands elsewhere."""
    return value.lines if value.shared else Lines(line, max(line, value.lines.last))
