"""Which line of a TOML file a key stands on. `tomllib` does not tell.

Works on text that `tomllib` has accepted, so it need not judge; it only follows the structure:
table headers, dotted keys, inline tables, arrays, and strings of all four kinds.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["KeyPath", "locate_keys"]

KeyPath = tuple[str, ...]

_TOKEN = re.compile(
    r"""(?P<skip>[ \t\r]+|\#[^\n]*)
      |(?P<text>\"\"\"(?:[^\\]|\\.)*?\"{3,5}|'''.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')
      |(?P<mark>[\[\]{}=,.\n])
      |(?P<bare>[^\s\[\]{}=,.\#"']+)""",
    re.VERBOSE | re.DOTALL,
)
_END = ""


class _Token(NamedTuple):
    text: str
    line: int


def locate_keys(text: str) -> dict[KeyPath, int]:
    """Line, counted from 1, of every key and table header in valid TOML `text`.

    A table that only its sub-tables name has the line of the first of them. A table in an array
    has its place there, from "0" on, as the part of its path after the array's name.
    """
    return _Walk(text).lines


class _Walk:
    """One pass over the tokens, with one of lookahead."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._arrays: dict[KeyPath, int] = {}  # of tables: the place of the last one
        self._tokens = _tokenize(text)
        self._next = next(self._tokens)
        self._document()

    def _take(self) -> _Token:
        token = self._next
        self._next = next(self._tokens, token)
        return token

    def _sees(self, *marks: str) -> bool:
        return self._next.text in marks

    def _document(self) -> None:
        table: KeyPath = ()
        while not self._sees(_END):
            if self._sees("\n"):
                self._take()
            elif self._sees("["):
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> KeyPath:
        line, marks = self._next.line, 0
        while self._sees("["):
            self._take()
            marks += 1
        path = self._key(())
        while self._sees("]"):
            self._take()
        if marks > 1:
            self._arrays[path] = self._arrays.get(path, -1) + 1
            path = self._inside(path)
            self.lines[path] = line
        return path

    def _inside(self, path: KeyPath) -> KeyPath:
        """The table that a name stands for: that of an array for its last one."""
        place = self._arrays.get(path)
        return path if place is None else (*path, str(place))

    def _pair(self, table: KeyPath) -> None:
        path = self._key(table)
        self._take()  # the equals sign
        self._value(path)

    def _key(self, path: KeyPath) -> KeyPath:
        """A key, dotted or not, below `path`; notes the line of each of its parts."""
        while True:
            token = self._take()
            path = (*path, _unquote(token.text))
            self.lines.setdefault(path, token.line)
            if not self._sees("."):
                # A table may first be seen through a sub-table: its own line is better.
                self.lines[path] = token.line
                return path
            self._take()
            path = self._inside(path)

    def _value(self, path: KeyPath) -> None:
        if self._sees("{"):
            self._inline_table(path)
        elif self._sees("["):
            self._array(path)
        else:
            while not self._sees("\n", ",", "}", "]", _END):
                self._take()

    def _inline_table(self, path: KeyPath) -> None:
        self._take()
        while not self._sees("}", _END):
            if self._sees(",", "\n"):
                self._take()
            else:
                self._pair(path)
        self._take()

    def _array(self, path: KeyPath) -> None:
        self._take()
        place = 0
        while not self._sees("]", _END):
            if self._sees(",", "\n"):
                self._take()
                continue
            entry = (*path, str(place))
            if self._sees("{"):
                self.lines[entry] = self._next.line
            self._value(entry)
            place += 1
        self._take()


def _tokenize(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "skip":
            yield _Token(match.group(), line)
        line += match.group().count("\n")
    yield _Token(_END, line)


def _unquote(key: str) -> str:
    # A quoted key may hold escapes; the real parser knows them all.
    return str(tomllib.loads(f"key = {key}")["key"]) if key[0] in "\"'" else key
