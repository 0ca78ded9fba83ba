"""Changes of everything in a prompt but its texts."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from trimtab.prompts.diff.change import Change, code, place_in, value_changes
from trimtab.prompts.diff.schemas import schema_changes
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.version import Behaviour

__all__ = ["field_changes"]


def field_changes(old: Prompt, new: Prompt) -> tuple[Change, ...]:
    """What is different in the fields of two versions, in the order of a prompt file."""
    before, after = old.behaviour, new.behaviour
    return (
        *_named(value_changes("model", before.model, after.model), "another model answers"),
        *value_changes("config", before.config, after.config),
        *schema_changes("input", before.input, after.input, optional=after.defaults),
        *_default_changes(before, after),
        *_name_changes(
            "input.untrusted",
            (before.untrusted, after.untrusted),
            meanings=(
                "variable {} is taken for untrusted",
                "variable {} is no longer taken for untrusted",
            ),
        ),
        *schema_changes("output", before.output, after.output),
        *_named(
            value_changes("output.repair", before.repair, after.repair),
            "one more attempt is made for an answer that does not fit"
            if after.repair
            else "an answer that does not fit is not asked for again",
        ),
        *_tool_changes(before.tools, after.tools),
        *_about_changes(old, new),
    )


def _named(changes: Iterator[Change], meaning: str) -> Iterator[Change]:
    for change in changes:
        yield msgspec.structs.replace(change, meaning=meaning)


def _default_changes(before: Behaviour, after: Behaviour) -> Iterator[Change]:
    for change in value_changes("input.default", before.defaults, after.defaults):
        name = next(
            (n for n in {**before.defaults, **after.defaults} if change.path == _default(n)), None
        )
        if name is None or change.kind == "changed":
            meaning, breaks = "who leaves it out gets another text", False
        else:
            meaning, breaks = _default_meaning(name, before, after)
        yield msgspec.structs.replace(change, meaning=meaning, is_breaking=breaks)


def _default(name: str) -> str:
    return place_in("input.default", name)


def _default_meaning(name: str, before: Behaviour, after: Behaviour) -> tuple[str, bool]:
    """What it means that a default is there, or no longer is; and whether calls may fail."""
    if name in after.defaults:
        required = name in _required(before)
        return (f"variable {code(name)} may be left out now" if required else ""), False
    if name in _required(after):
        return f"variable {code(name)} is now required: its default is gone", True
    return "", False


def _required(behaviour: Behaviour) -> Collection[str]:
    return (behaviour.input or {}).get("required", ())


def _tool_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for change in value_changes("tools", old, new):
        meanings = {"added": "the model may call it", "removed": "the model can no longer call it"}
        is_tool = any(change.path == place_in("tools", name) for name in (*old, *new))
        meaning = meanings.get(change.kind, "") if is_tool else ""
        yield msgspec.structs.replace(change, meaning=meaning)


def _name_changes(
    path: str,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    *,
    meanings: tuple[str, str] = ("", ""),
    is_behaviour: bool = True,
) -> Iterator[Change]:
    """Lists of names of which the order says nothing: one change for each that came or went."""
    old, new = names
    for name in dict.fromkeys((*old, *new)):
        if (name in old) == (name in new):
            continue
        added = name in new
        yield Change(
            path=path,
            kind="added" if added else "removed",
            old=None if added else name,
            new=name if added else None,
            meaning=meanings[0 if added else 1].format(code(name)),
            is_behaviour=is_behaviour,
        )


def _about_changes(old: Prompt, new: Prompt) -> Iterator[Change]:
    before, after = old.about, new.about
    yield from _name_changes("owners", (before.owners, after.owners), is_behaviour=False)
    for path, one, other in (
        ("suite", before.suite, after.suite),
        ("description", before.description, after.description),
    ):
        if one != other:
            yield Change(
                path=path,
                kind="changed" if one and other else "added" if other else "removed",
                old=one or None,
                new=other or None,
                is_behaviour=False,
            )
