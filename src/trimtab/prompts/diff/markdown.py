"""A difference as a comment on a pull request: GitHub-flavoured Markdown.

Prompts are written by anybody, so every text of theirs stands in a fence longer than any in it, or
in a code span; outside of them stand only words that can mean nothing to Markdown.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from trimtab.prompts.diff.change import Change, code, visible
from trimtab.prompts.diff.compare import Difference, PartialChange, TurnChange, Version
from trimtab.prompts.diff.lines import diff_lines
from trimtab.prompts.diff.rendered import RenderedDifference
from trimtab.prompts.diff.words import Span, word_changes

__all__ = ["as_markdown"]

_MOST_CHARACTERS: Final = 60_000  # GitHub refuses a comment of 65,536
_MOST_OF_BLOCK: Final = 8_000
_MOST_OF_VALUE: Final = 200
_MOST_INLINE: Final = 400
_LONG_TEXT: Final = 60
_TICKS: Final = re.compile(r"`{3,}")
# No mark of Markdown, no tag, no name that is notified, no address.
_SAFE: Final = re.compile(r"(?!.*(?:www|http|GH-))[^\W_](?:[^\W_]|[ ,.;?'()-])*")
_CONTEXT: Final = re.compile(r"(?!.*(?:www|http|GH-))(?:[^\W_]|[ ,.;?'()-]|:(?= ))*")
_BESIDE: Final = re.compile(r"(?<=[.,;?')-])(\*\*|~~)(?=[^\W_])")


def as_markdown(difference: Difference, rendered: Sequence[RenderedDifference] = ()) -> str:
    """A difference for reviewers, at most 60,000 characters long.

    Args:
        difference: of two versions.
        rendered: what a model sees of both, for cases.
    """
    blocks = [*_head(difference), *_fields(difference.fields)]
    for turn in difference.turns:
        blocks += _turn(turn)
    for partial in difference.partials:
        blocks += _partial(partial)
    for case in rendered:
        blocks += _rendered(case)
    return _joined(blocks)


def _joined(blocks: Sequence[str]) -> str:
    """The blocks that there is room for; each is whole, so no fence is left open."""
    kept: list[str] = []
    room = _MOST_CHARACTERS
    for number, block in enumerate(blocks):
        room -= len(block) + 2
        if room < 0:
            kept.append(f"{len(blocks) - number} more parts are left out: the comment is too long.")
            break
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def _head(difference: Difference) -> Iterator[str]:
    old, new = difference.old, difference.new
    if old.prompt == new.prompt:
        yield f"### Prompt {_code(new.prompt)}: {_code(old.name)} → {_code(new.name)}"
    else:
        yield f"### Prompts: {_version(old)} → {_version(new)}"
    if not difference.is_behaviour:
        same = "**The behaviour does not change**: this is the same version."
        told = any(not change.is_behaviour for change in difference.fields)
        yield f"{same} Only what the file says about itself is different." if told else same
    elif difference.is_breaking:
        yield "**The behaviour changes, and not every caller may go on as before.**"
    else:
        yield "**The behaviour changes.** Callers may go on as before."
    if difference.is_layout:
        yield "The body differs only in markers and empty lines around its messages."


def _version(version: Version) -> str:
    return f"{_code(version.prompt)} {_code(version.name)}"


def _fields(changes: Sequence[Change]) -> Iterator[str]:
    broken = [f"- {change.meaning}" for change in changes if change.is_breaking and change.meaning]
    if broken:
        yield "\n".join(("#### For callers", "", *broken))
    if changes:
        yield "#### Fields"
    for change in changes:
        yield from _field(change)


def _field(change: Change) -> Iterator[str]:
    meaning = f" ({change.meaning})" if change.meaning and not change.is_breaking else ""
    old, new = change.old, change.new
    path = _code(change.path)
    if change.kind == "added":
        yield f"- {path}: added {_value(new)}{meaning}"
    elif change.kind == "removed":
        yield f"- {path}: removed {_value(old)}{meaning}"
    elif isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONG_TEXT:
        yield f"- {path}: changed{meaning}"
        yield _block(word_changes(old, new))
    else:
        yield f"- {path}: {_value(old)} → {_value(new)}{meaning}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return _code(text)


def _turn(turn: TurnChange) -> Iterator[str]:
    if turn.kind == "same":
        return
    number = turn.new or turn.old
    yield f"#### Message {number} ({turn.role}): {turn.kind}"
    if turn.kind == "changed" and (inline := _inline(turn.spans)):
        yield inline
    if turn.spans:
        yield _block(turn.spans)


def _partial(partial: PartialChange) -> Iterator[str]:
    yield f"#### Partial {_code(partial.name)}: {partial.kind}"
    if partial.kind == "changed" and (inline := _inline(partial.spans)):
        yield inline
    if partial.spans:
        yield _block(partial.spans)


def _rendered(case: RenderedDifference) -> Iterator[str]:
    yield f"#### Rendered for {_code(case.case) if case.case else 'one case'}"
    for side, problem in (("before", case.old_problem), ("after", case.new_problem)):
        if problem:
            yield f"It cannot be rendered {side}: {_code(problem)}"
    if case.is_same:
        yield "A model sees the same."
    for turn in case.messages:
        if turn.kind != "same":
            yield f"Message {turn.new or turn.old} ({turn.role}): {turn.kind}"
            if turn.spans:
                yield _block(turn.spans)


def _inline(spans: Sequence[Span]) -> str:
    """The changed words in their line; "" where a text could mean something to Markdown."""
    if sum(len(span.text) for span in spans) > _MOST_INLINE:
        return ""
    parts: list[str] = []
    for span in spans:
        if span.kind == "gap":
            parts.append(" ... ")
        elif span.kind == "same":
            if _CONTEXT.fullmatch(span.text.replace("\n", " ")) is None:
                return ""
            parts.append(" ".join(f".{span.text}.".split())[1:-1])
        else:
            text = span.text.strip(" ")
            if _SAFE.fullmatch(text) is None:
                return ""
            mark = "~~" if span.kind == "removed" else "**"
            lead = " " if span.text[0] == " " else ""
            tail = " " if span.text[-1] == " " else ""
            parts.append(f"{lead}{mark}{text}{mark}{tail}")
    return f"> Words: {_spaced(parts)}"


def _spaced(parts: Sequence[str]) -> str:
    """A mark of Markdown counts only beside a space, so there is one between two of them."""
    text = "".join(parts).replace("~~**", "~~ **").replace("**~~", "** ~~")
    text = _BESIDE.sub(r"\1 ", text)
    return " ".join(text.split())


def _block(spans: Sequence[Span]) -> str:
    """The lines that changed, in a fence that no line of theirs can close."""
    lines: list[str] = []
    room = _MOST_OF_BLOCK
    for line in diff_lines(spans):
        shown = visible(line)
        if len(shown) > room:
            lines += [f"{shown[:room]}...", "@@ the rest is left out @@"]
            break
        room -= len(shown) + 1
        lines.append(shown)
    text = "\n".join(lines)
    fence = "`" * max(3, *(len(run) + 1 for run in _TICKS.findall(text)), 3)
    return f"{fence}diff\n{text}\n{fence}"


def _code(text: str) -> str:
    return code(text if len(text) <= _MOST_OF_VALUE else f"{text[:_MOST_OF_VALUE]}...")
