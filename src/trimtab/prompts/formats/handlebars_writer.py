"""Nodes as text of Handlebars, as dotprompt has it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.expressions import jinja_of
from trimtab.prompts.formats.jinja_writer import opening_of
from trimtab.prompts.formats.nodes import (
    Choice,
    Constant,
    Equal,
    Expression,
    Items,
    Json,
    Loop,
    Node,
    Not,
    Note,
    OrEmpty,
    Part,
    Path,
    Present,
    Tag,
    Value,
    Words,
)

__all__ = ["handlebars_path", "write_handlebars"]

_HELPERS: Final = {
    "each", "history", "if", "ifEquals", "json", "log", "lookup", "media", "null", "role",
    "section", "undefined", "unless", "unlessEquals", "with",
}  # fmt: skip
_LOOP_NAMES: Final = {"index0": "@index", "first": "@first", "last": "@last"}
_BREAK: Final = "{{!}}"  # says nothing, and keeps what is beside it apart


class _Piece(NamedTuple):
    kind: str  # "words", "value" or "tag"
    text: str


class _NoEquivalent(Exception):
    pass


_Scopes = tuple[tuple[str, ...], ...]
"""Names that the loops around a place give, the outermost first: (element,) or (key, element)."""


def write_handlebars(nodes: Sequence[Node], remarks: Remarks) -> str:
    """The text that is read as exactly these nodes; what has no equivalent stays visible."""
    pieces = _merged(_Writer(remarks).pieces(nodes, ()))
    out = ""
    for number, piece in enumerate(pieces):
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        if piece.kind == "words":
            out += _escaped(piece.text, out, followed=after is not None, remarks=remarks)
        elif piece.kind == "value":
            out += piece.text
        else:
            out += piece.text + _end_of_line(pieces, number, out[out.rfind("\n") + 1 :])
    return out


def handlebars_path(path: Path) -> str:
    """A variable outside of loops."""
    return _path(path, ())


class _Writer:
    def __init__(self, remarks: Remarks) -> None:
        self._remarks = remarks

    def pieces(self, nodes: Sequence[Node], scopes: _Scopes) -> Iterator[_Piece]:
        for node in nodes:
            try:
                yield from list(self._pieces(node, scopes))
            except _NoEquivalent:
                yield from self._visible(node, scopes)

    def _pieces(self, node: Node, scopes: _Scopes) -> Iterator[_Piece]:
        match node:
            case Words(text):
                yield _Piece("words", text)
            case Value(Constant(str(text))):
                yield _Piece("words", text)
            case Value(expression):
                yield _Piece("value", f"{{{{{_value(expression, scopes)}}}}}")
            case Part(name):
                yield _Piece("tag", f"{{{{>{name.removesuffix('.md')}}}}}")
            case Note(text):
                yield _Piece("tag", f"{{{{!-- {text.replace('--', '- -')} --}}}}")
            case Choice():
                yield from self._choice(node, scopes)
            case Loop():
                yield from self._loop(node, scopes)
            case Tag():
                raise _NoEquivalent

    def _choice(self, node: Choice, scopes: _Scopes) -> Iterator[_Piece]:
        kinds = [_condition(branch.condition, scopes) for branch in node.branches]
        yield _Piece("tag", f"{{{{#{kinds[0]}}}}}")
        for number, branch in enumerate(node.branches):
            if number:
                yield _Piece("tag", f"{{{{else {kinds[number]}}}}}")
            yield from self.pieces(branch.body, scopes)
        yield from self._rest(node.otherwise, scopes)
        yield _Piece("tag", f"{{{{/{kinds[0].partition(' ')[0]}}}}}")

    def _loop(self, node: Loop, scopes: _Scopes) -> Iterator[_Piece]:
        over = node.over
        keyed = isinstance(over, Items)
        if not isinstance(over, Path | OrEmpty | Items) or len(node.names) != 1 + keyed:
            raise _NoEquivalent
        path = over if isinstance(over, Path) else over.path
        yield _Piece("tag", f"{{{{#each {_path(path, scopes)}}}}}")
        yield from self.pieces(node.body, (*scopes, node.names))
        yield from self._rest(node.otherwise, scopes)
        yield _Piece("tag", "{{/each}}")

    def _rest(self, nodes: Sequence[Node], scopes: _Scopes) -> Iterator[_Piece]:
        if nodes:
            yield _Piece("tag", "{{else}}")
            yield from self.pieces(nodes, scopes)

    def _visible(self, node: Node, scopes: _Scopes) -> Iterator[_Piece]:
        """A node without equivalent: its signs as text, with what is between them."""
        match node:
            case Choice(branches, otherwise):
                shown = opening_of(node)
                for number, branch in enumerate(branches):
                    sign = f"{{% elif {jinja_of(branch.condition)} %}}" if number else shown
                    yield _Piece("words", sign)
                    yield from self.pieces(branch.body, scopes)
                yield from self._visible_end(otherwise, "{% endif %}", scopes)
            case Loop(_, _, body, otherwise):
                shown = opening_of(node)
                yield _Piece("words", shown)
                yield from self.pieces(body, scopes)
                yield from self._visible_end(otherwise, "{% endfor %}", scopes)
            case Tag(source):
                shown = f"{{% {source} %}}"
                yield _Piece("words", shown)
            case Value(expression):
                shown = f"{{{{ {jinja_of(expression)} }}}}"
                yield _Piece("words", shown)
            case _:
                return
        self._remarks.add(
            f"{shown[:60]!r} has no equivalent in Handlebars; it stays in the text as it is",
            "Let the application compute it, and use a plain variable",
        )

    def _visible_end(self, nodes: Sequence[Node], end: str, scopes: _Scopes) -> Iterator[_Piece]:
        if nodes:
            yield _Piece("words", "{% else %}")
            yield from self.pieces(nodes, scopes)
        yield _Piece("words", end)


def _value(expression: Expression, scopes: _Scopes) -> str:
    match expression:
        case Path() | OrEmpty(_, "text"):
            path = expression if isinstance(expression, Path) else expression.path
            return _path(path, scopes)
        case Json(path):
            return f"json {_path(path, scopes)}"
        case _:
            raise _NoEquivalent


def _condition(condition: Expression, scopes: _Scopes) -> str:
    match condition:
        case Path() | Present():
            path = condition if isinstance(condition, Path) else condition.path
            return f"if {_path(path, scopes)}"
        case Equal(left, right):
            return f"ifEquals {_path(left, scopes)} {_operand(right, scopes)}"
        case Not(Equal(left, right)):
            return f"unlessEquals {_path(left, scopes)} {_operand(right, scopes)}"
        case Not(inner) if not isinstance(inner, Equal):
            return f"unless {_condition(inner, scopes).partition(' ')[2]}"
        case _:
            raise _NoEquivalent


def _operand(operand: Path | Constant, scopes: _Scopes) -> str:
    if isinstance(operand, Path):
        return _path(operand, scopes)
    if operand.value is None:
        return "null"
    return msgspec.json.encode(operand.value).decode()


def _path(path: Path, scopes: _Scopes) -> str:
    first, *rest = path.names
    if first == "loop":
        name = _LOOP_NAMES.get(rest[0] if rest else "")
        if name is None or not scopes or len(rest) != 1:
            raise _NoEquivalent
        return name
    tail = [f"[{name}]" if name.isdecimal() else name for name in rest]
    for ups, names in enumerate(reversed(scopes)):
        if first == names[-1]:
            return "../" * ups + ".".join(("this", *tail))
        if first in names:
            if ups or tail:
                raise _NoEquivalent
            return "@key"
    if first in _HELPERS and not scopes and not tail:
        return f"this.{first}"
    # Handlebars does not count a loop whose element is that of the loop around it.
    above = "@root." if len(scopes) > 1 else "../" * len(scopes)
    return above + ".".join((first, *tail))


def _merged(pieces: Iterator[_Piece]) -> list[_Piece]:
    merged: list[_Piece] = []
    for piece in pieces:
        if piece.kind == "words" and not piece.text:
            continue
        if piece.kind == "words" and merged and merged[-1].kind == "words":
            merged[-1] = _Piece("words", merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return merged


def _end_of_line(pieces: Sequence[_Piece], number: int, prefix: str) -> str:
    """What follows a tag, so that the line it stands on is kept, or goes away as a whole."""
    after = pieces[number + 1] if number + 1 < len(pieces) else None
    if not prefix and after is not None and _is_tall(pieces, number):
        return "\n"
    ends = after is None or (
        after.kind == "words" and re.match(r"[^\S\n]*(?:\n|\Z)", after.text) is not None
    )
    if ends and not prefix.strip() and (prefix or after is not None):
        return _BREAK
    return ""


def _is_tall(pieces: Sequence[_Piece], number: int) -> bool:
    for piece in pieces[number + 1 :]:
        if piece.kind == "tag":
            return piece is pieces[number + 1]
        if "\n" in piece.text:
            return True
    return pieces[number].text.startswith("{{/") and number + 1 < len(pieces)


def _escaped(text: str, before: str, *, followed: bool, remarks: Remarks) -> str:
    """Text that looks like a tag, made to be text."""
    before = _BREAK if text.startswith("}") and before.endswith("}}") else ""
    shown = re.sub(r"(\\*)(\{\{)", _literal, text)
    if not followed:
        return before + shown
    slashes = len(text) - len(text.rstrip("\\"))
    if slashes:
        shown += "\\"
    elif text.endswith("{"):
        odd = (len(text) - len(text.rstrip("{"))) % 2
        if odd:
            shown += " "
            remarks.add(
                "Handlebars cannot have a { directly before a variable",
                "A space was put between the two; write the place in another way if it matters",
            )
        else:
            shown += _BREAK
    return before + shown


def _literal(found: re.Match[str]) -> str:
    slashes = found[1]
    return (f"{slashes}\\{_BREAK}" if slashes else "") + "\\{{"
