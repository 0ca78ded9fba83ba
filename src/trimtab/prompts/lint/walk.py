"""Templates from the first tag to the last, with the names that are in scope at each."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from trimtab.prompts.language import Token, tags_of
from trimtab.prompts.lint.expressions import LOOP, Expression
from trimtab.prompts.lint.source import Piece, Source
from trimtab.prompts.lint.taken import CLEAN, Taken, element, field
from trimtab.prompts.schema import Schema

__all__ = ["Found", "Walk", "walk"]

_MOST_INCLUDES: Final = 500  # of one prompt; more of them show nothing new


class Found(NamedTuple):
    """Something seen on the way.

    Attributes:
        what: "name" or "field" that is not declared, or untrusted inputs "printed" as they are.
        names: of what.
        place: `file:line`.
    """

    what: str
    names: tuple[str, ...]
    place: str


class _Block(NamedTuple):
    """An open `if`, `for` or `set`, with the names that end with it, or what is set to its text."""

    tag: str
    names: dict[str, Taken]
    targets: tuple[str, ...] = ()
    filters: Sequence[Token] = ()
    printed: list[Taken] = []  # noqa: RUF012 - a default is never changed: `set` brings its own


class Walk:
    """Where names come from and where untrusted text goes to, in the templates of one prompt.

    Attributes:
        used: inputs that are used anywhere.
        found: what was seen, without doubles.
        root: the schema of the inputs.
    """

    def __init__(self, source: Source) -> None:
        behaviour = source.prompt.behaviour
        self.used: set[str] = set()
        self.found: dict[Found, None] = {}
        self.root: Schema = behaviour.input or {}
        self._untrusted = frozenset(behaviour.untrusted)
        self._partials = source.partials
        self._includes = 0
        self._piece = Piece("", "", "", 0)
        self._names: list[dict[str, Taken]] = [{}]
        self._blocks: list[_Block] = []

    def piece(self, piece: Piece) -> None:
        """One template; what it sets ends with it."""
        self._names, self._blocks = [{}], []
        self._template(piece)

    def look_up(self, name: str, line: int) -> Taken:
        """What a name stands for."""
        for names in reversed(self._names):
            if name in names:
                return names[name]
        self.used.add(name)
        declared = name in self.root.get("properties", {})
        schema, _ = field(self.root, name, self.root)
        if not declared and not self.root.get("additionalProperties"):
            self._see("name", (name,), line)
        untrusted = frozenset((name,)) & self._untrusted
        return Taken(untrusted, frozenset(), schema)

    def miss(self, name: str, line: int) -> None:
        """A field is not in its schema."""
        self._see("field", (name,), line)

    def _see(self, what: str, names: tuple[str, ...], line: int) -> None:
        self.found[Found(what, names, self._piece.place(line))] = None

    def _template(self, piece: Piece) -> None:
        outer, self._piece = self._piece, piece
        for tag in tags_of(piece.text):
            if tag.opening == "{{":
                self._print(Expression(tag.tokens, self).value(), tag.line)
            elif tag.opening == "{%" and tag.tokens:
                self._tag(tag.tokens[0].text, tag.tokens[1:])
        self._piece = outer

    def _print(self, value: Taken, line: int) -> None:
        for block in reversed(self._blocks):
            if block.tag == "set":  # not printed yet: its text becomes a value
                block.printed.append(value)
                return
        if value.untrusted:
            self._see("printed", tuple(sorted(value.untrusted)), line)

    def _tag(self, tag: str, tokens: Sequence[Token]) -> None:
        if tag == "for":
            self._for(tokens)
        elif tag == "if":
            Expression(tokens, self).value()
            self._blocks.append(_Block("if", {}))
        elif tag == "elif":
            Expression(tokens, self).value()
        elif tag == "else" and self._blocks and self._blocks[-1].tag == "for":
            self._blocks[-1].names.clear()
        elif tag == "set":
            self._set(tokens)
        elif tag == "include":
            self._include(tokens[0].text[1:-1])
        elif tag.startswith("end") and self._blocks:
            self._end(self._blocks.pop())

    def _for(self, tokens: Sequence[Token]) -> None:
        targets, rest = _targets(tokens, "in")
        expression = Expression(rest, self)
        listed = expression.iterated()
        schema = element(listed.schema, self.root) if len(targets) == 1 else None
        names = {target: listed.opened(schema) for target in targets}
        names["loop"] = listed.opened(LOOP)
        self._names.append(names)
        self._blocks.append(_Block("for", names))
        Expression(expression.rest()[1:], self).value()  # its condition

    def _set(self, tokens: Sequence[Token]) -> None:
        targets, rest = _targets(tokens, "=")
        if any(token.text == "=" for token in tokens[: len(tokens) - len(rest)]):
            self._bind(targets, Expression(rest, self).value())
            return
        self._blocks.append(_Block("set", {}, tuple(targets), tokens[len(targets) :], []))

    def _bind(self, targets: Sequence[str], value: Taken) -> None:
        sometimes = bool(self._blocks) and self._blocks[-1].tag == "if"
        for target in targets:
            before = self._names[-1].get(target, CLEAN) if sometimes else CLEAN
            whole = value if len(targets) == 1 else value.opened()
            schema = whole.schema if before == CLEAN else None
            self._names[-1][target] = whole.beside(before)._replace(schema=schema)

    def _end(self, block: _Block) -> None:
        if block.tag == "for":
            self._names.pop()
        elif block.tag == "set":
            text = CLEAN
            for value in block.printed:
                text = text.beside(value)
            self._bind(block.targets, Expression(block.filters, self).filtered(text))

    def _include(self, name: str) -> None:
        self._includes += 1
        if name in self._partials and self._includes <= _MOST_INCLUDES:
            self._template(self._partials[name])


def walk(source: Source) -> Walk:
    """All templates of a prompt."""
    made = Walk(source)
    for piece in source.pieces:
        made.piece(piece)
    return made


def _targets(tokens: Sequence[Token], word: str) -> tuple[list[str], Sequence[Token]]:
    """The names that are given, and what follows `word`."""
    names: list[str] = []
    for number, token in enumerate(tokens):
        if token.text == word:
            return names, tokens[number + 1 :]
        if token.text == "|":
            break
        if token.kind == "name":
            names.append(token.text)
    return names, []
