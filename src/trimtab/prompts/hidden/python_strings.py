"""Python expressions that make one text: literals, f-strings, sums, `format`, `%`, `join`."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Final

from trimtab.prompts.hidden.found import Part, Placeholder
from trimtab.prompts.hidden.placeholders import join_parts, split_any, split_format, split_percent

__all__ = ["Filled", "dotted", "parse_text", "source"]

_SHAPED: Final[dict[str, Callable[[str], str]]] = {
    "dedent": textwrap.dedent,
    "cleandoc": inspect.cleandoc,
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
}
_LEFT_ALONE: Final = frozenset(("replace", "format_map", "substitute", "safe_substitute"))
_CONVERSIONS: Final = {ord("r"): "repr", ord("a"): "ascii", ord("s"): "str"}
_MOST_TERMS: Final = 200
_MOST_SOURCE: Final = 200
_HOLE: Final = re.compile("\0([0-9]+)\0")


@dataclass(frozen=True)
class Filled:
    """Names whose texts are filled somewhere in the file, by `format` and by `%`."""

    by_format: Set[str] = frozenset()
    by_percent: Set[str] = frozenset()


def parse_text(
    node: ast.expr, name: str = "", filled: Filled | None = None
) -> tuple[Part, ...] | None:
    """The parts of the text that an expression makes; None if it makes none that can be read.

    Args:
        node: the expression.
        name: what it is assigned to.
        filled: which names are filled later, and how.
    """
    if isinstance(node, ast.Constant):
        return _split(node.value, name, filled or Filled()) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return join_parts([_piece(value) for value in node.values])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _sum(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _percent(node)
    return _call(node) if isinstance(node, ast.Call) else None


def dotted(node: ast.expr) -> str:
    """The name that an expression is, with dots; empty if it is none. Calls in it are left out."""
    names: list[str] = []
    while isinstance(node, ast.Attribute | ast.Call):
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            node = node.func
    names.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(names)).strip(".")


def source(node: ast.expr) -> str:
    """The source of an expression, on one line; a long one is only called `value`."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _MOST_SOURCE else "value"


def _split(text: str, name: str, filled: Filled) -> tuple[Part, ...]:
    parts = split_format(text) if name in filled.by_format else None
    if parts is None and name in filled.by_percent:
        parts = split_percent(text)
    return split_any(text) if parts is None else parts


def _piece(value: ast.expr) -> Part:
    """A part of an f-string; how a value is shown belongs to the expression."""
    if not isinstance(value, ast.FormattedValue):
        return (
            value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
        )
    expression = source(value.value)
    if value.conversion in _CONVERSIONS:
        expression = f"{_CONVERSIONS[value.conversion]}({expression})"
    if value.format_spec is not None:
        expression = f"format({expression}, {source(value.format_spec)})"
    return Placeholder(f"{{{expression}}}", expression)


def _hole(node: ast.expr) -> Placeholder:
    expression = source(node)
    return Placeholder(f"{{{expression}}}", expression)


def _sum(node: ast.BinOp) -> tuple[Part, ...] | None:
    """Texts and other values, added; None if no term is a text."""
    terms: list[ast.expr] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add):
        terms.append(left.right)
        left = left.left
        if len(terms) > _MOST_TERMS:
            return None
    terms.append(left)
    read = [(term, parse_text(term)) for term in reversed(terms)]
    if all(parts is None for _, parts in read):
        return None
    found: list[Part] = []
    for term, parts in read:
        found += [_hole(term)] if parts is None else parts
    return join_parts(found)


def _percent(node: ast.BinOp) -> tuple[Part, ...] | None:
    if not isinstance(node.left, ast.Constant) or not isinstance(node.left.value, str):
        return None
    right = node.right
    if isinstance(right, ast.Dict):
        return split_percent(node.left.value)
    values = right.elts if isinstance(right, ast.Tuple) else [right]
    return split_percent(node.left.value, [source(value) for value in values])


def _call(node: ast.Call) -> tuple[Part, ...] | None:
    function = node.func
    if isinstance(function, ast.Attribute):
        made = _method(function, node)
        if made is not None:
            return made
    name = dotted(function).rpartition(".")[2]
    if name in {"dedent", "cleandoc"} and len(node.args) == 1:
        inner = parse_text(node.args[0])
        return None if inner is None else _reshape(inner, _SHAPED[name])
    return None


def _method(function: ast.Attribute, node: ast.Call) -> tuple[Part, ...] | None:
    """A method called on a text."""
    if function.attr == "join" and isinstance(function.value, ast.Constant):
        return _join(function.value, node)
    if function.attr == "format" and isinstance(function.value, ast.Constant):
        text = function.value.value
        arguments = [source(value) for value in node.args]
        return split_format(text, arguments) if isinstance(text, str) else None
    if function.attr not in _SHAPED and function.attr not in _LEFT_ALONE | {"format"}:
        return None
    inner = parse_text(function.value)
    shape = _SHAPED.get(function.attr)
    return inner if inner is None or shape is None or node.args else _reshape(inner, shape)


def _join(separator: ast.Constant, node: ast.Call) -> tuple[Part, ...] | None:
    """A list that is written out, or nothing."""
    if not isinstance(separator.value, str) or len(node.args) != 1:
        return None
    elements = node.args[0]
    if not isinstance(elements, ast.List | ast.Tuple) or len(elements.elts) > _MOST_TERMS:
        return None
    found: list[Part] = []
    texts = 0
    for at, element in enumerate(elements.elts):
        parts = parse_text(element)
        texts += parts is not None
        found += [separator.value] if at else []
        found += [_hole(element)] if parts is None else parts
    return join_parts(found) if texts else None


def _reshape(parts: tuple[Part, ...], shape: Callable[[str], str]) -> tuple[Part, ...]:
    """`shape` applied to the whole text, over its placeholders."""
    holes = [part for part in parts if isinstance(part, Placeholder)]
    numbers = iter(range(len(holes)))
    marked = "".join(
        part.replace("\0", "") if isinstance(part, str) else f"\0{next(numbers)}\0"
        for part in parts
    )
    pieces = _HOLE.split(shape(marked))
    return join_parts([holes[int(piece)] if at % 2 else piece for at, piece in enumerate(pieces)])
