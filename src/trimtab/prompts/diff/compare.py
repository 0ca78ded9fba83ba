"""Two versions of a prompt, and everything in which they differ."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from trimtab.prompts.body import Role, Text, Turn
from trimtab.prompts.diff.change import Change
from trimtab.prompts.diff.fields import field_changes
from trimtab.prompts.diff.matching import matching_blocks
from trimtab.prompts.diff.words import Span, word_changes
from trimtab.prompts.prompt import Prompt

__all__ = ["Difference", "PartialChange", "TurnChange", "Version", "compare", "turn_changes"]

TurnKind = Literal["same", "changed", "added", "removed"]
_APART: Final = "\x00"


class Version(msgspec.Struct, frozen=True):
    """One of the two.

    Attributes:
        prompt: its id.
        name: what people call it: `v12`, or the first digits of the hash.
        hash: of what changes behaviour.
    """

    prompt: str
    name: str
    hash: str


class TurnChange(msgspec.Struct, frozen=True, kw_only=True):
    """A message in both versions, or in one of them.

    Attributes:
        role: who speaks.
        kind: what happened to it.
        old, new: its number in each version, from 1; 0 where it is not there.
        spans: the words that changed; all of the text of one that was added or removed.
    """

    role: Role
    kind: TurnKind
    old: int
    new: int
    spans: tuple[Span, ...] = ()


class PartialChange(msgspec.Struct, frozen=True, kw_only=True):
    """A text that both versions include, or one of them; only those that are not the same.

    Attributes:
        name: such as `_partials/tone.md`.
        kind: what happened to it.
        spans: as in `TurnChange`.
    """

    name: str
    kind: TurnKind
    spans: tuple[Span, ...]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What is different.

    Attributes:
        old, new: the versions.
        is_behaviour: the version is another one: a model sees or is asked for something else.
        fields: changes of model, config, schemas, tools and what a file says about itself.
        turns: all messages, in order; those that are the same too.
        partials: texts that are included, where they changed.
        is_layout: the body has changed, but only around its turns, which nobody sees rendered.
    """

    old: Version
    new: Version
    is_behaviour: bool
    fields: tuple[Change, ...]
    turns: tuple[TurnChange, ...]
    partials: tuple[PartialChange, ...]
    is_layout: bool

    @property
    def is_breaking(self) -> bool:
        """Calls that were right may fail, or answers may be what no code expects."""
        return any(change.is_breaking for change in self.fields)


def compare(old: Prompt, new: Prompt, *, names: tuple[str, str] | None = None) -> Difference:
    """What is different in two versions.

    Args:
        old: the version before.
        new: the version after, mostly of the same prompt.
        names: what people call them; the first digits of the hashes if None.
    """
    before, after = names or (old.short, new.short)
    turns = tuple(turn_changes(_told(old.turns), _told(new.turns)))
    return Difference(
        old=Version(old.id, before, old.version_hash),
        new=Version(new.id, after, new.version_hash),
        is_behaviour=old.version_hash != new.version_hash,
        fields=field_changes(old, new),
        turns=turns,
        partials=tuple(_partial_changes(old.behaviour.partials, new.behaviour.partials)),
        is_layout=old.behaviour.body != new.behaviour.body
        and all(turn.kind == "same" for turn in turns),
    )


def turn_changes(
    old: Sequence[tuple[Role, str]], new: Sequence[tuple[Role, str]]
) -> Iterator[TurnChange]:
    """Messages side by side: equal ones first; between those, ones of the same role in order."""
    same = matching_blocks([_APART.join(turn) for turn in old], [_APART.join(turn) for turn in new])
    at_old = at_new = 0
    for block in [*same, None]:
        old_end = len(old) if block is None else block.old
        new_end = len(new) if block is None else block.new
        yield from _by_role(old, new, at=(at_old, old_end, at_new, new_end))
        if block is None:
            return
        for number in range(block.size):
            role = old[block.old + number][0]
            places = (block.old + number + 1, block.new + number + 1)
            yield TurnChange(role=role, kind="same", old=places[0], new=places[1])
        at_old, at_new = block.old + block.size, block.new + block.size


def _by_role(
    old: Sequence[tuple[Role, str]],
    new: Sequence[tuple[Role, str]],
    *,
    at: tuple[int, int, int, int],
) -> Iterator[TurnChange]:
    at_old, old_end, at_new, new_end = at
    olds = [role for role, _ in old[at_old:old_end]]
    news = [role for role, _ in new[at_new:new_end]]
    done_old, done_new = at_old, at_new
    for block in [*matching_blocks(olds, news), None]:
        until_old = old_end if block is None else at_old + block.old
        until_new = new_end if block is None else at_new + block.new
        for number in range(done_old, until_old):
            yield _alone(old[number], "removed", number)
        for number in range(done_new, until_new):
            yield _alone(new[number], "added", number)
        if block is None:
            return
        for step in range(block.size):
            role, text = old[until_old + step]
            spans = word_changes(text, new[until_new + step][1])
            yield TurnChange(
                role=role,
                kind="changed" if spans else "same",
                old=until_old + step + 1,
                new=until_new + step + 1,
                spans=spans,
            )
        done_old, done_new = until_old + block.size, until_new + block.size


def _alone(turn: tuple[Role, str], kind: Literal["added", "removed"], number: int) -> TurnChange:
    role, text = turn
    return TurnChange(
        role=role,
        kind=kind,
        old=number + 1 if kind == "removed" else 0,
        new=number + 1 if kind == "added" else 0,
        spans=(Span(kind, text),) if text else (),
    )


def _told(turns: Sequence[Turn]) -> list[tuple[Role, str]]:
    """Roles and texts of turns; an image is its line."""
    return [
        (
            turn.role,
            "\n".join(
                part.source if isinstance(part, Text) else f"<<image {part.variable}>>"
                for part in turn.parts
            ),
        )
        for turn in turns
    ]


def _partial_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[PartialChange]:
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            kind = "removed" if name in old else "added"
            text = old[name] if name in old else new[name]
            yield PartialChange(name=name, kind=kind, spans=(Span(kind, text),) if text else ())
        elif old[name] != new[name]:
            spans = word_changes(old[name], new[name])
            yield PartialChange(name=name, kind="changed", spans=spans)
