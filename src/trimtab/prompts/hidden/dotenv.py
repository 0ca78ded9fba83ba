"""Files of environment variables: `.env` and its kin.

The grammar is what the common readers of such files agree on: `NAME=value` with an optional
`export`, `#` comments, values without quotes up to ` #`, in single quotes or backticks as they
stand, in double quotes with escapes; quoted values may have several lines. A quote that is never
closed is an ordinary character.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

__all__ = ["Setting", "parse_dotenv"]

_NAME: Final = re.compile(r"[ \t]*+(?:export[ \t]++)?+([A-Za-z_][\w.-]*+)[ \t]*+=[ \t]*+")
_QUOTED: Final = {
    '"': re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"', re.DOTALL),
    "'": re.compile(r"'([^']*+)'"),
    "`": re.compile(r"`([^`]*+)`"),
}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_MEANINGS: Final = {"n": "\n", "r": "\r", "t": "\t", "\n": ""}
_KEPT: Final = "\\"
_COMMENT: Final = re.compile(r"(?:^|[ \t])#")


class Setting(NamedTuple):
    """One variable with its value and its lines, counted from 1."""

    name: str
    value: str
    line: int
    end_line: int


def parse_dotenv(text: str) -> Iterator[Setting]:
    """The variables in `text`, in its order, in linear time; other lines are passed over."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    unclosed: set[str] = set()
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        name = _NAME.match(text, at, end)
        if name is not None:
            value, past = _value(text, name.end(), end, unclosed=unclosed)
            end_line = line + text.count("\n", at, past)
            yield Setting(name[1], value, line, end_line)
            end = text.find("\n", past)
            end = len(text) if end < 0 else end
            line = end_line
        at, line = end + 1, line + 1


def _value(text: str, start: int, end: int, *, unclosed: set[str]) -> tuple[str, int]:
    """The value that begins at `start` on a line that ends at `end`, and the place after it."""
    quote = text[start] if start < end else ""
    if quote in _QUOTED and quote not in unclosed:
        match = _QUOTED[quote].match(text, start)
        if match is not None:
            inside = match[1]
            return (_ESCAPE.sub(_meaning, inside) if quote == '"' else inside), match.end()
        unclosed.add(quote)  # nor will it be for any that begins below
    rest = text[start:end]
    comment = _COMMENT.search(rest)
    return (rest if comment is None else rest[: comment.start()]).strip(), end


def _meaning(match: re.Match[str]) -> str:
    letter = match[1]
    return _MEANINGS.get(letter, letter if letter in "\"'\\$`" else _KEPT + letter)
