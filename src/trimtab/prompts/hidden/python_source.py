"""Texts in Python source, each with how it is used."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.hidden.context import (
    NOWHERE,
    Context,
    in_argument,
    in_message,
    inside,
    to_candidate,
)
from trimtab.prompts.hidden.found import Candidate
from trimtab.prompts.hidden.python_strings import Filled, dotted, parse_text

__all__ = ["parse_python"]

_SHORTEST: Final = 12  # characters
_Step: TypeAlias = tuple[ast.AST, Context]


def parse_python(file: str, text: str) -> list[Candidate]:
    """The texts in a module, without its docstrings.

    Raises:
        ConfigError: it is not Python that this Python can read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they are about the application's code, not ours
            tree = ast.parse(text)
        return list(_walk(tree, _filled(tree)))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        problem = "it cannot be read as Python, so it was not searched"
        finding = Finding(f"{file}:{line or 1}", problem, "Correct it, or search it by hand")
        raise ConfigError([finding]) from None


def _filled(tree: ast.AST) -> Filled:
    """Which names are filled somewhere in the module."""
    by_format: set[str] = set()
    by_percent: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"format", "format_map"}:
            by_format.add(dotted(node.value).rpartition(".")[2])
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            by_percent.add(dotted(node.left).rpartition(".")[2])
    return Filled(by_format - {""}, by_percent - {""})


def _walk(tree: ast.AST, filled: Filled) -> Iterator[Candidate]:
    """Every text once, at the outermost expression that makes it."""
    waiting: list[_Step] = [(tree, NOWHERE)]
    while waiting:
        node, context = waiting.pop()
        parts = parse_text(node, context.name, filled) if isinstance(node, ast.expr) else None
        if parts is None:
            waiting += reversed(list(_below(node, context)))
        elif isinstance(node, ast.expr) and sum(map(_length, parts)) >= _SHORTEST:
            lines = (node.lineno, node.end_lineno or node.lineno)
            yield to_candidate(context, kind="python", lines=lines, parts=parts)


def _length(part: object) -> int:
    return len(part) if isinstance(part, str) else 0


def _below(node: ast.AST, context: Context) -> Iterator[_Step]:
    """The nodes below one, each with its context."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield from _definition(node, context)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring, or a comment that looks like one
    elif isinstance(node, ast.Call):
        yield from _call(node, context)
    elif isinstance(node, ast.Dict):
        yield from _dict(node, context)
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        yield from _elements(node, context)
    else:
        yield from _other(node, context)


def _definition(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, context: Context
) -> Iterator[_Step]:
    around = Context(home=node.name)
    if not isinstance(node, ast.ClassDef):
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args]
        with_default = named[len(named) - len(arguments.defaults) :]
        pairs = [*zip(with_default, arguments.defaults, strict=True)]
        pairs += [
            (argument, default)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if default is not None
        ]
        for argument, default in pairs:
            yield default, Context(name=argument.arg, use="assigned", home=node.name)
    for decorator in node.decorator_list:
        yield decorator, Context(home=context.home)
    for statement in node.body:
        yield statement, around


def _other(node: ast.AST, context: Context) -> Iterator[_Step]:
    around = Context(home=context.home)
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if node.value is not None:
            yield node.value, replace(around, name=_target(target), use="assigned")
    elif isinstance(node, ast.Return) and node.value is not None:
        yield node.value, replace(around, name=context.home, use="assigned")
    elif isinstance(node, ast.IfExp):
        yield from ((node.body, context), (node.orelse, context), (node.test, around))
    elif isinstance(node, ast.Assert):
        yield node.test, around
    elif isinstance(node, ast.BoolOp | ast.Await | ast.Starred):
        yield from ((child, context) for child in ast.iter_child_nodes(node))
    elif not isinstance(node, ast.Compare | ast.JoinedStr | ast.Subscript):
        yield from ((child, around) for child in ast.iter_child_nodes(node))


def _target(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        key = _text(node.slice)
        return key or dotted(node.value).rpartition(".")[2]
    return dotted(node).rpartition(".")[2]


def _call(node: ast.Call, context: Context) -> Iterator[_Step]:
    callee = dotted(node.func)
    named = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    around = Context(home=context.home)
    role = _text(named.get("role"))
    yield node.func, around
    for argument in node.args:
        yield argument, in_argument(around, callee)
    for name, value in named.items():
        of_message = role and name in {"content", "text", "parts"}
        inner = in_argument(around, callee, name)
        yield value, in_message(inner, role) if of_message else inner
    for keyword in node.keywords:
        if keyword.arg is None:
            yield keyword.value, around


def _dict(node: ast.Dict, context: Context) -> Iterator[_Step]:
    role = next(
        (
            _text(value)
            for key, value in zip(node.keys, node.values, strict=True)
            if _text(key) == "role"
        ),
        "",
    )
    for key, value in zip(node.keys, node.values, strict=True):
        name = _text(key)
        inner = inside(context, name) if name else context
        of_message = role and name in {"content", "text", "parts"}
        yield value, in_message(inner, role) if of_message else inner


def _elements(node: ast.List | ast.Tuple | ast.Set, context: Context) -> Iterator[_Step]:
    first = _text(node.elts[0]) if len(node.elts) == 2 else ""
    inner = in_message(context, first) if first else context
    yield from ((element, inner) for element in node.elts)


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
