"""Texts in TypeScript and JavaScript, each with how it is used, told from what is around it."""

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from trimtab.prompts.hidden.context import (
    NOWHERE,
    Context,
    in_argument,
    in_message,
    inside,
    to_candidate,
)
from trimtab.prompts.hidden.found import Candidate, Part, Placeholder
from trimtab.prompts.hidden.placeholders import join_parts, split_any
from trimtab.prompts.hidden.script_tokens import Token, lex_script

__all__ = ["parse_script"]

_SHORTEST: Final = 12  # characters
_TEXTS: Final = frozenset(("string", "template"))
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}
_DEDENTS: Final = frozenset(("dedent", "stripIndent", "stripIndents", "outdent", "endent"))
_DECLARES: Final = frozenset(
    ("const", "let", "var", "readonly", "static", "public", "private", "protected")
)
_BEFORE_STATEMENT: Final = frozenset((";", "{", "}", "(", ","))
_GIVES: Final = frozenset(("=", "return", "=>"))
_BEFORE_CHOICE: Final = _GIVES | {";", ",", "{", "(", "["}
_MOST_BACK: Final = 16
_MOST_OUT: Final = 6
_CONTENT: Final = frozenset(("content", "text", "parts"))


def parse_script(text: str) -> list[Candidate]:
    """The texts in a source file."""
    return list(_Script(lex_script(text), text).candidates())


class _Text(NamedTuple):
    """A text of one or more tokens: the first, the last, and what they say together."""

    first: int
    last: int
    parts: tuple[Part, ...]


class _Script:
    """The tokens, with the bracket around each and the role of each object."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self._tokens = tokens
        self._text = text
        self._around: list[int] = []  # the bracket that each stands in; -1 for none
        self._partner: dict[int, int] = {}  # closing bracket -> opening one
        self._roles: dict[int, str] = {}  # opening brace of an object -> its role
        self._models: set[int] = set()  # opening braces of objects with a model
        self._pair()

    def _pair(self) -> None:
        opened: list[int] = []
        for at, token in enumerate(self._tokens):
            opening = _CLOSING.get(token.text) if token.kind == "mark" else None
            if opening and opened and self._tokens[opened[-1]].text == opening:
                self._partner[at] = opened.pop()
            self._around.append(opened[-1] if opened else -1)
            if token.kind == "mark" and token.text in _CLOSING.values():
                opened.append(at)
            if token.kind == "string" and self._is(at - 1, ":") and self._said(at - 2) == "role":
                self._roles[self._around[at]] = token.text
            if token.text == "model" and self._begins_entry(at):
                self._models.add(self._around[at])

    def candidates(self) -> Iterator[Candidate]:
        at = 0
        while at < len(self._tokens):
            if self._tokens[at].kind not in _TEXTS:
                at += 1
                continue
            text = self._sum(at)
            at = text.last + 1
            if sum(len(part) for part in text.parts if isinstance(part, str)) < _SHORTEST:
                continue
            if not self._is_name(text):
                lines = self._tokens[text.first].line, self._tokens[text.last].end_line
                context = self._context(text.first)
                yield to_candidate(context, kind="typescript", lines=lines, parts=text.parts)

    def _is_name(self, text: _Text) -> bool:
        """Whether a text is the key of an entry, or the name of a module."""
        key = self._is(text.last + 1, ":") and self._begins_entry(text.first)
        return key or self._said(text.first - 1) in {"from", "import"}

    def _sum(self, first: int) -> _Text:
        """The text from `first` on, with all that is added by `+` or joined in its list."""
        parts = list(self._parts(first))
        last = first
        joined = self._joined(first)
        while True:
            follows = self._said(last + 1) if last + 1 < len(self._tokens) else ""
            if follows == "+" and self._kind(last + 2) in _TEXTS:
                last += 2
                parts += self._parts(last)
            elif follows == "+" and (end := self._operand(last + 2)):
                expression = self._source(last + 2, end)
                parts.append(Placeholder(f"${{{expression}}}", expression))
                last = end
            elif joined is not None and follows == "," and self._kind(last + 2) in _TEXTS:
                last += 2
                parts += [joined, *self._parts(last)]
            else:
                return _Text(first, last, join_parts(parts))

    def _parts(self, at: int) -> tuple[Part, ...]:
        token = self._tokens[at]
        if token.kind == "string":
            return split_any(token.text)
        if at and self._tokens[at - 1].text in _DEDENTS:
            return _dedent(token.parts)
        parts: list[Part] = []
        for part in token.parts:  # a template may still hold `{name}` for another one
            parts += split_any(part) if isinstance(part, str) else [part]
        return join_parts(parts)

    def _joined(self, first: int) -> str | None:
        """What joins the texts of the list that begins at `first`; None if nothing does."""
        if not self._is(first - 1, "["):
            return None
        at = first
        while self._kind(at) in _TEXTS and self._is(at + 1, ","):
            at += 2
        end = at + 1 if self._kind(at) in _TEXTS else at
        if not (self._is(end, "]") and self._said(end + 2) == "join" and self._is(end + 3, "(")):
            return None
        return self._tokens[end + 4].text if self._kind(end + 4) == "string" else ","

    def _operand(self, at: int) -> int:
        """The last token of a dotted name that is added to a text; 0 if there is none."""
        if self._kind(at) != "name":
            return 0
        while self._said(at + 1) in {".", "?."} and self._kind(at + 2) == "name":
            at += 2
        return at if self._said(at + 1) != "(" else 0

    def _source(self, first: int, last: int) -> str:
        return "".join(token.text for token in self._tokens[first : last + 1])

    def _context(self, at: int, out: int = 0) -> Context:
        """How what begins at `at` is used."""
        before = at - 1
        if before >= 0 and self._tokens[before].text in _DEDENTS:
            before -= 1
        mark = self._said(before)
        around = self._around[at] if at < len(self._around) else -1
        if out > _MOST_OUT or before < 0:
            return NOWHERE
        if mark in {"=", "+=", "+"}:
            return Context(name=self._target(before), use="assigned")
        if mark in {"return", "=>"}:
            return Context(name=self._function(before), use="assigned", home=self._function(before))
        if mark in {"?", "??", "||", ":"}:
            entry = mark == ":" and self._begins_entry(before - 1)
            return self._entry(before - 1, around, out) if entry else self._choice(before, out)
        if around >= 0 and mark in {"(", ",", "["}:
            return self._element(at, around, out)
        return NOWHERE

    def _entry(self, key: int, around: int, out: int) -> Context:
        """A value of an object."""
        name = self._said(key)
        outer = self._context(around, out + 1)
        if self._is(around - 1, "(") or self._is(around - 1, ","):
            callee = self._callee(self._around[around])
            outer = replace(outer, callee=callee)
            inner = in_argument(outer, callee, name) if callee else inside(outer, name)
        else:
            inner = inside(outer, name)
        inner = replace(inner, beside_model=around in self._models)
        role = self._roles.get(around, "")
        return in_message(inner, role) if role and name in _CONTENT else inner

    def _element(self, at: int, around: int, out: int) -> Context:
        """An element of a list, or an argument."""
        if self._is(around, "["):
            outer = self._context(around, out + 1)
            first = self._tokens[around + 1]
            paired = first.kind == "string" and at == around + 3
            return in_message(outer, first.text) if paired else outer
        callee = self._callee(around)
        return in_argument(NOWHERE, callee) if callee else NOWHERE

    def _choice(self, mark: int, out: int) -> Context:
        """One of several values: it is used as the whole choice is."""
        at = mark
        for _ in range(_MOST_BACK):
            if at < 1 or self._said(at) in _BEFORE_CHOICE:
                break
            if self._is(at, ":") and self._begins_entry(at - 1):
                return self._entry(at - 1, self._around[at], out + 1)
            at = self._partner.get(at, at) - 1
        return self._context(at + 1, out + 1) if self._said(at) in _GIVES else NOWHERE

    def _target(self, mark: int) -> str:
        """The name left of `=`, before its type if it has one."""
        name = self._said(mark - 1) if self._kind(mark - 1) in {"name", "string"} else ""
        at = mark - 1
        for _ in range(_MOST_BACK):
            if at < 0 or self._said(at) in _BEFORE_STATEMENT or self._said(at) in _DECLARES:
                break
            if self._is(at, ":") and self._kind(at - 1) == "name":
                return self._said(at - 1)
            at -= 1
        return name

    def _function(self, mark: int) -> str:
        """The name of the function that returns at `mark`; empty if it has none."""
        at = mark - 1
        if self._said(mark) == "return":
            at = self._around[mark] - 1
            if self._is(at, "=>"):
                at -= 1
        for _ in range(_MOST_BACK):  # over the types of the result and the parameters
            if at in self._partner and self._is(at, ")"):
                at = self._partner[at] - 1
                return self._target(at) if self._is(at, "=") else self._name_before(at)
            if at < 0 or self._said(at) in {";", "{", "}", ","}:
                break
            if self._is(at, "="):
                return self._target(at)
            at -= 1
        return ""

    def _name_before(self, at: int) -> str:
        if self._said(at) == "async":
            return self._target(at - 1) if self._is(at - 1, "=") else ""
        return self._said(at) if self._kind(at) == "name" else ""

    def _callee(self, bracket: int) -> str:
        """The dotted name before an opening parenthesis."""
        if bracket < 0 or not self._is(bracket, "("):
            return ""
        names: list[str] = []
        at = bracket - 1
        for _ in range(_MOST_BACK):
            if self._kind(at) == "name":
                names.append(self._said(at))
                at -= 1
            elif self._said(at) in {".", "?."}:
                at -= 1
                at = self._partner[at] - 1 if at in self._partner and self._is(at, ")") else at
                continue
            if self._said(at) not in {".", "?."}:
                break
        return ".".join(reversed(names))

    def _begins_entry(self, at: int) -> bool:
        """Whether a key stands at `at`: first in an object, or behind a comma."""
        return self._kind(at) in {"name", "string"} and self._said(at - 1) in {"{", ","}

    def _is(self, at: int, text: str) -> bool:
        return 0 <= at < len(self._tokens) and self._tokens[at][:2] == ("mark", text)

    def _said(self, at: int) -> str:
        return self._tokens[at].text if 0 <= at < len(self._tokens) else ""

    def _kind(self, at: int) -> str:
        return self._tokens[at].kind if 0 <= at < len(self._tokens) else ""


def _dedent(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without the common indentation and without the first and the last empty line."""
    holes = [part for part in parts if isinstance(part, Placeholder)]
    marked = "\0".join("".join(run) for run in _runs(parts))
    pieces = textwrap.dedent(marked).strip().split("\0")
    found: list[Part] = [pieces[0]]
    for hole, piece in zip(holes, pieces[1:], strict=True):
        found += [hole, piece]
    return join_parts(found)


def _runs(parts: tuple[Part, ...]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for part in parts:
        if isinstance(part, str):
            runs[-1].append(part.replace("\0", ""))
        else:
            runs.append([])
    return runs
