"""A prompt of ours, taken apart for an export."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trimtab.prompts.body import Image
from trimtab.prompts.formats.border import Remarks
from trimtab.prompts.formats.draft import DraftTurn
from trimtab.prompts.formats.expressions import jinja_of, parse_expression
from trimtab.prompts.formats.jinja_reader import read_jinja
from trimtab.prompts.formats.nodes import (
    Branch,
    Choice,
    Loop,
    Node,
    Note,
    Other,
    Part,
    Path,
    Tag,
    Value,
    Words,
)
from trimtab.prompts.prompt import Prompt

__all__ = ["extras_of", "nodes_of", "turns_of", "warn_of_filters"]

_FENCED: Final = re.compile(r"(.+?)\s*\|\s*fence", re.DOTALL)
_FILTER: Final = re.compile(r"\|\s*([a-z]\w*)")


def turns_of(prompt: Prompt, remarks: Remarks, *, inline: bool) -> list[DraftTurn]:
    """Its turns as nodes.

    Args:
        prompt: which one.
        remarks: takes what no other tool has.
        inline: put the texts of partials where they are included.
    """
    partials: Mapping[str, str] = prompt.behaviour.partials if inline else {}
    turns: list[DraftTurn] = []
    for turn in prompt.turns:
        parts: list[tuple[Node, ...] | Path] = []
        for part in turn.parts:
            if isinstance(part, Image):
                parts.append(Path(tuple(part.variable.split("."))))
            else:
                parts.append(nodes_of(part.source, remarks, partials))
        turns.append(DraftTurn(turn.role, parts))
    return turns


def nodes_of(source: str, remarks: Remarks, partials: Mapping[str, str]) -> tuple[Node, ...]:
    """A template of ours, with the partials that are passed in put in their places."""
    nodes = read_jinja(source, ours=True, remarks=remarks)
    return _changed(nodes, remarks, partials)


def extras_of(prompt: Prompt, *more: str) -> dict[str, Any]:
    """What no other tool has a place for, and what `more` names, as our import takes it back."""
    behaviour, about = prompt.behaviour, prompt.about
    extras: dict[str, Any] = {
        "untrusted": list(behaviour.untrusted),
        "repair": behaviour.repair,
        "suite": about.suite,
        "owners": list(about.owners),
    }
    possible = {
        "input": behaviour.input,
        "output": behaviour.output,
        "defaults": behaviour.defaults,
        "config": behaviour.config,
        "description": about.description,
    }
    extras |= {name: possible[name] for name in more}
    return {name: value for name, value in extras.items() if value}


def warn_of_filters(nodes: Sequence[Node], missing: frozenset[str], remarks: Remarks) -> None:
    """Say which filters the other tool's templates do not have."""
    for source in _sources(nodes):
        for name in _FILTER.findall(source):
            if name in missing:
                remarks.add(
                    f"the filter {name!r} is not known there; it stays in the text as it is",
                    "Let the application compute it, and use a plain variable",
                )


def _sources(nodes: Sequence[Node]) -> list[str]:
    found: list[str] = []
    for node in nodes:
        match node:
            case Value(expression):
                found.append(jinja_of(expression))
            case Tag(source):
                found.append(source)
            case Choice(branches, otherwise):
                for branch in branches:
                    found += [jinja_of(branch.condition), *_sources(branch.body)]
                found += _sources(otherwise)
            case Loop(_, over, body, otherwise):
                found += [jinja_of(over), *_sources(body), *_sources(otherwise)]
            case Words() | Part() | Note():
                pass
    return found


def _changed(
    nodes: Sequence[Node], remarks: Remarks, partials: Mapping[str, str]
) -> tuple[Node, ...]:
    changed: list[Node] = []
    for node in nodes:
        match node:
            case Part(name) if f"_partials/{name}" in partials:
                changed += nodes_of(partials[f"_partials/{name}"], remarks, partials)
            case Value(Other(source)) if (found := _FENCED.fullmatch(source)) is not None:
                remarks.add(
                    "`fence` is written out; a value could close its tags there",
                    "Remove such tags from the value before it is passed",
                )
                inner = Value(parse_expression(found[1]))
                changed += (Words("<untrusted>\n"), inner, Words("\n</untrusted>"))
            case Choice(branches, otherwise):
                changed.append(
                    Choice(
                        tuple(
                            Branch(branch.condition, _changed(branch.body, remarks, partials))
                            for branch in branches
                        ),
                        _changed(otherwise, remarks, partials),
                    )
                )
            case Loop(names, over, body, otherwise):
                inside = _changed(body, remarks, partials)
                changed.append(Loop(names, over, inside, _changed(otherwise, remarks, partials)))
            case _:
                changed.append(node)
    return tuple(changed)
