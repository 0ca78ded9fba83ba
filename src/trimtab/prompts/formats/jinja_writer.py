"""Nodes as text of the family of Jinja: our language, Jinja2 and Nunjucks."""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from trimtab.prompts.formats.expressions import jinja_of
from trimtab.prompts.formats.nodes import Choice, Loop, Node, Note, Part, Tag, Value, Words

__all__ = ["opening_of", "write_jinja"]

_SIGNS: Final = re.compile(r"\{+[%#]|\{{2,}|#\}")  # Nunjucks refuses a lone #}


class _Piece(NamedTuple):
    kind: Literal["words", "value", "tag", "note"]
    text: str


def write_jinja(nodes: Sequence[Node], *, ours: bool) -> str:
    """The text that is read as exactly these nodes.

    Args:
        nodes: what to say.
        ours: in our language, where a tag alone on its line leaves nothing behind; else in Jinja2
            and Nunjucks as they are by default, which keep everything.
    """
    pieces = _merged(_pieces(nodes))
    out = ""
    for number, piece in enumerate(pieces):
        after = pieces[number + 1] if number + 1 < len(pieces) else None
        if piece.kind == "words":
            out += _escaped(piece.text, followed=after is not None)
        elif piece.kind == "value":
            out += f"{{{{ {piece.text} }}}}"
        else:
            prefix = out[out.rfind("\n") + 1 :]
            tall = prefix == "" and _is_tall(pieces, number)
            out += (
                _ours(piece, prefix, after, tall=tall) if ours else _theirs(piece, after, tall=tall)
            )
    return out


def opening_of(node: Choice | Loop) -> str:
    """The tag that begins a choice or a loop, for remarks and where it stays visible."""
    return f"{{% {next(iter(_pieces([node]))).text} %}}"


def _pieces(nodes: Sequence[Node]) -> Iterator[_Piece]:
    for node in nodes:
        match node:
            case Words(text):
                yield _Piece("words", text)
            case Value(expression):
                yield _Piece("value", jinja_of(expression))
            case Part(name):
                yield _Piece("tag", f'include "_partials/{name}"')
            case Note(text):
                yield _Piece("note", text.replace("#}", "# }"))
            case Tag(source):
                yield _Piece("tag", source)
            case Choice():
                yield from _choice(node)
            case Loop():
                yield from _loop(node)


def _choice(node: Choice) -> Iterator[_Piece]:
    for number, branch in enumerate(node.branches):
        word = "elif" if number else "if"
        yield _Piece("tag", f"{word} {jinja_of(branch.condition)}")
        yield from _pieces(branch.body)
    yield from _rest(node.otherwise)
    yield _Piece("tag", "endif")


def _loop(node: Loop) -> Iterator[_Piece]:
    yield _Piece("tag", f"for {', '.join(node.names)} in {jinja_of(node.over)}")
    yield from _pieces(node.body)
    yield from _rest(node.otherwise)
    yield _Piece("tag", "endfor")


def _rest(nodes: Sequence[Node]) -> Iterator[_Piece]:
    if nodes:
        yield _Piece("tag", "else")
        yield from _pieces(nodes)


def _merged(pieces: Iterator[_Piece]) -> list[_Piece]:
    """Without empty words, and words beside each other as one."""
    merged: list[_Piece] = []
    for piece in pieces:
        if piece.kind == "words" and not piece.text:
            continue
        if piece.kind == "words" and merged and merged[-1].kind == "words":
            merged[-1] = _Piece("words", merged[-1].text + piece.text)
        else:
            merged.append(piece)
    return merged


def _escaped(text: str, *, followed: bool) -> str:
    text, last = (text[:-1], "{") if followed and text.endswith("{") else (text, "")
    if last:
        kept = text.rstrip("{")
        text, last = kept, "{" * (len(text) - len(kept) + 1)
    shown = _SIGNS.sub(lambda found: f'{{{{ "{found[0]}" }}}}', text)
    return shown + (f'{{{{ "{last}" }}}}' if last else "")


def _is_tall(pieces: Sequence[_Piece], number: int) -> bool:
    """Whether what follows goes over several lines, so that the tag has a line of its own."""
    for piece in pieces[number + 1 :]:
        if piece.kind in {"tag", "note"}:
            return piece is pieces[number + 1]
        if "\n" in piece.text:
            return True
    return pieces[number].text.startswith("end") and number + 1 < len(pieces)


def _ours(piece: _Piece, prefix: str, after: _Piece | None, *, tall: bool) -> str:
    sign = "%" if piece.kind == "tag" else "#"
    left = "+" if prefix and not prefix.strip() else ""
    line_follows = after is not None and after.text.startswith(("\n", "\r\n"))
    line_follows = line_follows and after is not None and after.kind == "words"
    at_start = prefix == ""
    newline = "\n" if at_start and (tall or line_follows) else ""
    right = "+" if line_follows and not newline else ""
    return f"{{{sign}{left} {piece.text} {right}{sign}}}{newline}"


def _theirs(piece: _Piece, after: _Piece | None, *, tall: bool) -> str:
    sign = "%" if piece.kind == "tag" else "#"
    solid = after is not None and not (after.kind == "words" and after.text[0].isspace())
    right = "-" if tall and solid else ""
    return f"{{{sign} {piece.text} {right}{sign}}}" + ("\n" if right else "")
