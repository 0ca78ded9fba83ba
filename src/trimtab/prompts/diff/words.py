"""Which words of a text changed."""

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from trimtab.prompts.diff.matching import matching_blocks

__all__ = ["CONTEXT_WORDS", "Span", "word_changes"]

CONTEXT_WORDS: Final = 8
"""So many unchanged words are shown on each side of a change."""

_MOST_CHARACTERS: Final = 400_000  # of lines that changed; beyond, they are shown as they are
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
# A word with the space before it, so that one that is added at the end leaves the one before it
# as it was. Tags are words; of scripts without spaces, each character is one.
_EASTERN: Final = r"\u3040-\u30ff\u3400-\u9fff"
_WORD: Final = re.compile(
    rf"""\s*(?:
        \{{\{{[^{{}}\n]{{0,200}}\}}\}}
      | \{{%[^{{}}\n]{{0,200}}%\}}
      | [{_EASTERN}]
      | [^\W{_EASTERN}]+(?:['\u2019-][^\W{_EASTERN}]+)*
      | [^\w\s]
    ) | \s+""",
    re.VERBOSE,
)
_ANY_WORD: Final = re.compile(r"[\w\n{}]")


class Span(msgspec.Struct, frozen=True):
    """A stretch of a text.

    Attributes:
        kind: "same" for what both have; "gap" for such that is not shown.
        text: the stretch; "" for a gap.
        words, lines: how many of them a gap stands for; 0 for others. A gap within a line has no
            lines.
    """

    kind: Literal["same", "removed", "added", "gap"]
    text: str
    words: int = 0
    lines: int = 0


def word_changes(old: str, new: str, *, context: int | None = CONTEXT_WORDS) -> tuple[Span, ...]:
    """What changed from one text to the other; nothing if they are equal.

    Args:
        old: the text before.
        new: the text after. Two of 100 kB each take a tenth of a second, and at most a
            few, whatever they are.
        context: so many unchanged words are kept on each side of a change; None keeps all.

    Returns:
        Spans in order. With all context, those that are the same or removed make up `old`, and
        those that are the same or added make up `new`.
    """
    if old == new:
        return ()
    spans = list(_tidy(_spans(old, new)))
    return tuple(spans if context is None else _shortened(spans, context))


def _spans(old: str, new: str) -> Iterator[Span]:
    """By lines first; the words of those that changed."""
    olds, news = _LINE.findall(old), _LINE.findall(new)
    for kind, before, after in _steps(olds, news):
        if kind == "same":
            yield Span("same", before)
        elif not before or not after or len(before) + len(after) > _MOST_CHARACTERS:
            yield from _replaced(before, after)
        else:
            for inner, was, becomes in _steps(_WORD.findall(before), _WORD.findall(after)):
                if inner == "same":
                    yield Span("same", was)
                else:
                    yield from _replaced(was, becomes)


def _steps(olds: list[str], news: list[str]) -> Iterator[tuple[Literal["same", "new"], str, str]]:
    at_old = at_new = 0
    for block in [*matching_blocks(olds, news), None]:
        old_end = len(olds) if block is None else block.old
        new_end = len(news) if block is None else block.new
        if at_old < old_end or at_new < new_end:
            yield "new", "".join(olds[at_old:old_end]), "".join(news[at_new:new_end])
        if block is not None:
            text = "".join(olds[block.old : block.old + block.size])
            yield "same", text, text
            at_old, at_new = block.old + block.size, block.new + block.size


def _replaced(old: str, new: str) -> Iterator[Span]:
    if old:
        yield Span("removed", old)
    if new:
        yield Span("added", new)


def _tidy(spans: Iterator[Span]) -> Iterator[Span]:
    """At most one removed and one added stretch between two that are the same.

    None of the latter is only a space or a comma between changes.
    """
    merged: list[list[str]] = []  # same text, then old and new
    for span in _with_end(spans):
        if not merged or (span.kind == "same" and (merged[-1][1] or merged[-1][2])):
            merged.append(["", "", ""])
        merged[-1][("same", "removed", "added").index(span.kind)] += span.text
    joined: list[list[str]] = []
    for group in merged:
        same = group[0]
        is_between = bool(joined) and (group[1] or group[2])
        if is_between and _ANY_WORD.search(same) is None:
            joined[-1][1] += same + group[1]
            joined[-1][2] += same + group[2]
        else:
            joined.append(group)
    yield from _trimmed(joined)


def _with_end(spans: Iterator[Span]) -> Iterator[Span]:
    """The spans after an empty one, so that the first group has a text that is the same."""
    yield Span("same", "")
    yield from spans


def _trimmed(groups: list[list[str]]) -> Iterator[Span]:
    """The groups as spans.

    White space with which both sides begin is the same, and words before which some came or went.
    """
    end = ""
    for same, before, after in groups:
        space = _common(_space_of(before), _space_of(after))
        old, new = before[len(space) :], after[len(space) :]
        if end or same or space:
            yield Span("same", end + same + space)
        end = _whole_end(old, new)
        yield from _replaced(old.removesuffix(end), new.removesuffix(end))
    if end:
        yield Span("same", end)


def _whole_end(old: str, new: str) -> str:
    """The shorter text if it is the last words of the longer one; else nothing."""
    short, long = sorted((old, new), key=len)
    if not short or not long.endswith(short):
        return ""
    is_word = short[0].isalnum() and long[len(long) - len(short) - 1].isalnum()
    return "" if is_word else short


def _common(one: str, other: str) -> str:
    """What both begin with."""
    most = min(len(one), len(other))
    return one[: next((at for at in range(most) if one[at] != other[at]), most)]


def _space_of(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _shortened(spans: list[Span], context: int) -> Iterator[Span]:
    last = len(spans) - 1
    for number, span in enumerate(spans):
        if span.kind == "same":
            yield from _ends(
                span.text, 0 if number == 0 else context, 0 if number == last else context
            )
        else:
            yield span


def _ends(text: str, before: int, after: int) -> Iterator[Span]:
    """The first and last words of a text with a gap between them, if it saves anything."""
    words = _WORD.findall(text)
    if len(words) > 1 and words[-1].isspace():
        words[-2:] = ["".join(words[-2:])]
    left = len(words) - before - after
    if left <= 1:
        yield Span("same", text)
        return
    head = "".join(words[:before])
    tail = "".join(words[len(words) - after :]) if after else ""
    gap = text[len(head) : len(text) - len(tail)]
    # The line ends around the gap are shown, so that what follows begins a line.
    if head:
        yield Span("same", head)
    yield Span("gap", "", left, gap.count("\n") + tail[: len(_space_of(tail))].count("\n"))
    if tail:
        yield Span("same", tail)
