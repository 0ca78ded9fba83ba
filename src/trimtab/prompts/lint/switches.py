"""Rules switched off for one prompt, by a comment in its body: `{# lint: off RULE reason #}`."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from trimtab.prompts.language import tags_of
from trimtab.prompts.lint.lints import RULES, Lint
from trimtab.prompts.lint.source import Source

__all__ = ["switched"]

_SWITCH: Final = re.compile(
    r"\s*lint:\s*(?P<word>\S*)\s*(?P<rule>\S*)\s*(?P<reason>.*?)\s*", re.DOTALL
)
_ALWAYS: Final = frozenset(("file", "switch"))


class _Switch(NamedTuple):
    rule: str
    problem: str
    place: str


def switched(source: Source, lints: Iterable[Lint]) -> Iterator[Lint]:
    """What is left of the findings of a prompt, and what is wrong with its switches."""
    switches = list(_switches(source))
    off = {switch.rule for switch in switches if not switch.problem}
    for lint in lints:
        if lint.rule not in off:
            yield lint
    for switch in switches:
        if switch.problem:
            remedy = "Write {# lint: off RULE reason #}, with a rule of docs/prompts.md"
            yield source.lint("switch", switch.place, switch.problem, remedy=remedy)


def _switches(source: Source) -> Iterator[_Switch]:
    for piece in source.pieces:
        for tag in tags_of(piece.text):
            comment = piece.text[tag.start + 2 : tag.end - 2].strip("-+")
            found = _SWITCH.fullmatch(comment) if tag.opening == "{#" else None
            if found is not None:
                yield _Switch(found["rule"], _problem_of(found), piece.place(tag.line))


def _problem_of(found: re.Match[str]) -> str:
    if found["word"] != "off":
        return "`lint:` is followed by something else than `off`"
    if found["rule"] not in RULES or found["rule"] in _ALWAYS:
        return f"there is no rule {found['rule'][:40]!r} that can be off"
    return "" if found["reason"] else f"{found['rule']} is off without a reason"
