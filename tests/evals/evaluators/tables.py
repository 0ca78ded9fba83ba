"""The tables of docs/evaluators.md, as the kinds of evaluators have them."""

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import msgspec

from evals.evaluators.entries import built_in_entries
from trimtab.evals.evaluator import EvaluatorKind
from trimtab.evals.options import words_of
from trimtab.evals.plain_kind import PlainKind


def built_in_kinds() -> list[EvaluatorKind]:
    """In the order of their names, straight from the modules that the entry points name."""
    kinds: list[EvaluatorKind] = []
    for _, entry in sorted(built_in_entries().items()):
        module, _, attribute = entry.partition(":")
        kinds.append(getattr(import_module(module), attribute))
    return kinds


def plain_kinds() -> list[PlainKind[Any, Any]]:
    """Those whose options and keys are known."""
    kinds: list[Any] = [*built_in_kinds()]
    return [kind for kind in kinds if isinstance(kind, PlainKind)]


def summary_rows() -> list[str]:
    """All evaluators."""
    return [
        f"| `{kind.name}` | {kind.metric} | {_values(kind)} | {kind.summary} |"
        for kind in built_in_kinds()
    ]


def option_rows(kind: PlainKind[Any, Any]) -> list[str]:
    """The options of one, and the keys of `expected` that it reads."""
    words = words_of(kind.options)
    options = [
        f"| `{field.encode_name}` | {_default(field)}| {words[field.encode_name]} |"
        for field in msgspec.structs.fields(kind.options)
    ]
    keys = [f"| `expected.{name}` | | {said} |" for name, said in words_of(kind.expected).items()]
    return [*options, *keys]


def _values(kind: EvaluatorKind) -> str:
    better = "" if kind.higher_is_better else ", less is better"
    return f"{kind.kind}{better}{', asks a model' if kind.asks else ''}"


def _default(field: msgspec.structs.FieldInfo) -> str:
    """The cell of a default, with the space behind it; empty where there is nothing to say."""
    if field.required:
        return "must be given "
    default: object = field.default
    if default is msgspec.NODEFAULT or default is None or default == "":
        return ""
    return f"`{json.dumps(default)}` "


def rows_in(text: str) -> Iterator[str]:
    """The rows of tables in a text, but for their heads."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield line
