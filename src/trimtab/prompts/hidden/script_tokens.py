"""A lexer for TypeScript and JavaScript: enough to know texts from comments and code.

It follows ECMA-262's lexical grammar for strings, template literals, comments and regular
expressions; whether a slash divides or begins a pattern is told from the token before it. It
never fails: a quote that is not closed on its line is a mark like any other, as in the text of
JSX. It takes linear time, whatever it is given.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from trimtab.prompts.hidden.found import Part, Placeholder, word_set
from trimtab.prompts.hidden.placeholders import join_parts

__all__ = ["Token", "lex_script"]

_TOKEN: Final = re.compile(
    r"(?P<skip>[\s\ufeff]++|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z))"
    r"|(?P<name>[A-Za-z_$#\u0080-\U0010ffff][\w$\u0080-\U0010ffff]*+)"
    r"|(?P<number>[0-9][\w.]*+)"
    r"|(?P<quote>['\"])|(?P<slash>/)"
    r"|(?P<mark>=>|===?|!==?|&&|\|\||\?\?|\?\.|\.\.\.|[\s\S])"
)
_STRING: Final = {
    "'": re.compile(r"'[^'\\\n]*+(?:\\(?:\r\n|[\s\S])[^'\\\n]*+)*+'"),
    '"': re.compile(r'"[^"\\\n]*+(?:\\(?:\r\n|[\s\S])[^"\\\n]*+)*+"'),
}
_PATTERN: Final = re.compile(
    r"/(?:[^/\\\[\n]|\\[^\n]|\[[^\]\\\n]*+(?:\\[^\n][^\]\\\n]*+)*+\])++/[A-Za-z]*+"
)
_CHUNK: Final = re.compile(r"[^`\\$]*+(?:(?:\\[\s\S]|\$(?!\{))[^`\\$]*+)*+")
_BEFORE_PATTERN: Final = word_set(
    "return typeof case in of do else void delete instanceof new throw yield await default"
)
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(\r\n|[\s\S]))"
)
_MEANINGS: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\n": "",
    "\r\n": "",
}
_OPENING: Final = {"(": ")", "[": "]", "{": "}"}

TokenKind = Literal["name", "number", "mark", "string", "template", "pattern"]
_PLAIN: Final[dict[str, TokenKind]] = {"name": "name", "number": "number", "mark": "mark"}


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: what it is.
        text: as written; of a string, what it says; empty for a template.
        parts: of a template, what it says and what is put in.
        start: place of its first character.
        line: of its first character, counted from 1.
        end_line: of its last.
    """

    kind: TokenKind
    text: str
    parts: tuple[Part, ...]
    start: int
    line: int
    end_line: int


@dataclass
class _Template:
    """A template literal that is being read: outside of all others, or inside of one.

    Attributes:
        start: where it begins.
        at: where its token goes; None inside of another template, whose expressions are only
            source text.
        depth: of braces in the expression that is being read.
        hole: where that expression begins.
    """

    start: int
    at: int | None
    parts: list[Part] = field(default_factory=list["Part"])
    depth: int = 0
    hole: int = 0


def lex_script(text: str) -> list[Token]:
    """The tokens of a file without comments; those inside `${}` belong to their template."""
    return _Lexer(text).tokens()


class _Lexer:
    """One pass, with a stack of the templates that are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[Token] = []
        self._open: list[_Template] = []
        self._before: tuple[str, str] = ("mark", ";")
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._dead: dict[
            str, int
        ] = {}  # a quote or slash is a mark up to here: it was tried in vain

    def tokens(self) -> list[Token]:
        at = 0
        while at < len(self._text):
            at = self._step(at)
        # A template that is still open is none; what stands behind its backtick is lost, which is
        # what happens to such a file in a browser, too.
        return [token for token in self._tokens if token.kind != "template" or token.parts]

    def _step(self, at: int) -> int:
        match = _TOKEN.match(self._text, at)
        assert match is not None  # the last alternative takes anything
        kind, text = match.lastgroup, match.group()
        if kind == "skip":
            return match.end()
        if kind in {"quote", "slash"}:
            return self._slash(at) if text == "/" else self._try(_STRING[text], text, at)
        if text == "`":
            return self._begin(at)
        if self._open and text in "{}":
            return self._brace(text, at)
        return self._emit(_PLAIN[kind or "mark"], text, at)

    def _try(self, pattern: re.Pattern[str], quote: str, at: int) -> int:
        """A string or a pattern, or, if its end is not on this line, a mark."""
        match = pattern.match(self._text, at) if at >= self._dead.get(quote, 0) else None
        if match is None:
            if at >= self._dead.get(quote, 0):
                end = self._text.find("\n", at)
                self._dead[quote] = len(self._text) if end < 0 else end
            return self._emit("mark", quote, at)
        if quote == "/":
            return self._emit("pattern", match.group(), at)
        return self._emit("string", match.group(), at)

    def _slash(self, at: int) -> int:
        kind, text = self._before
        ends_value = kind in {"number", "string", "pattern", "template"} or text in {")", "]", "}"}
        if ends_value or (kind == "name" and text not in _BEFORE_PATTERN):
            return self._emit("mark", "/", at)
        if text == "<":  # the end of a tag
            return self._emit("mark", "/", at)
        return self._try(_PATTERN, "/", at)

    def _begin(self, at: int) -> int:
        place = None
        if not self._open:
            place = len(self._tokens)
            line = self._line(at)
            self._tokens.append(Token("template", "", (), at, line, line))
        self._open.append(_Template(at, place))
        return self._chunk(at + 1)

    def _chunk(self, at: int) -> int:
        """The text of the innermost template from `at` on, up to its end or its next expression."""
        template = self._open[-1]
        match = _CHUNK.match(self._text, at)
        end = at if match is None else match.end()
        if template.at is not None:
            template.parts.append(_unescape(self._text[at:end]))
        if self._text.startswith("${", end):
            template.depth, template.hole = 0, end + 2
            self._before = ("mark", "{")
            return end + 2
        self._open.pop()
        self._before = ("template", "")
        if template.at is not None and end < len(self._text):
            begun = self._tokens[template.at]
            parts = join_parts(template.parts) or ("",)
            self._tokens[template.at] = begun._replace(parts=parts, end_line=self._line(end))
        return end + 1

    def _brace(self, text: str, at: int) -> int:
        template = self._open[-1]
        if text == "{":
            template.depth += 1
        elif template.depth:
            template.depth -= 1
        else:
            if template.at is not None:
                expression = " ".join(self._text[template.hole : at].split())
                template.parts.append(Placeholder(f"${{{expression}}}", expression))
            return self._chunk(at + 1)
        return self._emit("mark", text, at)

    def _emit(self, kind: TokenKind, text: str, at: int) -> int:
        self._before = (kind, text)
        end = at + len(text)
        if not self._open:
            said = _unescape(text[1:-1]) if kind == "string" else text
            last = self._line(end - 1) if kind == "string" else self._line(at)
            self._tokens.append(Token(kind, said, (), at, self._line(at), last))
        return end

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_meaning, text.replace("\r\n", "\n")) if "\\" in text else text


def _meaning(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        # Half of a pair, or no character at all: it cannot be written to a file.
        return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else "\ufffd"
    return _MEANINGS.get(match[4], match[4])
