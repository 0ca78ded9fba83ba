"""`/console/diff`: which words and fields of two versions of a prompt differ."""

from collections.abc import Sequence

import msgspec

from trimtab.console.query import link
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked, Serving
from trimtab.errors import UsageError
from trimtab.prompts.diff.change import Change
from trimtab.prompts.diff.compare import compare
from trimtab.prompts.diff.words import Span, word_changes
from trimtab.prompts.library import Library, load_library
from trimtab.prompts.prompt import Prompt

__all__ = ["FieldRow", "diff_page", "marked"]

_DRAFT = "draft"
_LONG = 60


class FieldRow(msgspec.Struct, frozen=True):
    """One field that changed.

    Attributes:
        old, new: as they are written; "" where there is none.
        spans: the words that changed, of long texts.
    """

    change: Change
    old: str
    new: str
    spans: Sequence[Span] = ()


def diff_page(project: Serving) -> Answer:
    """Two versions; `id`, `a` and `b` in the address."""

    def answer(asked: Asked) -> Page:
        library = load_library(project().folder)
        prompt_id = asked.query.get("id", "")
        names = _names(library, prompt_id)
        after = asked.query.get("b", "") or names[0]
        before = asked.query.get("a", "") or _older(names, after)
        old, new = library.version(prompt_id, before), library.version(prompt_id, after)
        found = compare(old, new, names=(library.label(old), library.label(new)))
        return Page(
            "diff.html",
            {
                "id": prompt_id,
                "to": link("/console/prompt", id=prompt_id),
                "a": _asked(library, old),
                "b": _asked(library, new),
                "names": names,
                "difference": found,
                "fields": [_field(change) for change in found.fields],
                "turns": [
                    (turn, [marked(span) for span in turn.spans])
                    for turn in found.turns
                    if turn.kind != "same"
                ],
                "same_turns": sum(turn.kind == "same" for turn in found.turns),
                "partials": [
                    (partial, [marked(span) for span in partial.spans])
                    for partial in found.partials
                ],
                "swapped": link("/console/diff", id=prompt_id, a=after, b=before),
            },
        )

    return answer


def marked(span: Span) -> Span:
    """A stretch whose white space can be seen where nothing else of it can."""
    if span.kind in {"same", "gap"} or span.text.strip():
        return span
    text = span.text.replace(" ", "\N{MIDDLE DOT}").replace("\t", "\N{RIGHTWARDS ARROW}")
    return msgspec.structs.replace(span, text=text.replace("\n", "\N{RETURN SYMBOL}\n"))


def _names(library: Library, prompt_id: str) -> list[str]:
    """What there is to compare: the file if it is right, then what is on record, newest first.

    Raises:
        UnknownPrompt: there is no such prompt.
        UsageError: there is only one version.
    """
    names = [record.name for record in reversed(library.records(prompt_id))]
    now = library.prompts.get(prompt_id)
    if now is not None and _asked(library, now) == _DRAFT:
        names = [_DRAFT, *names]
    if not names:
        library.prompt(prompt_id)  # which says so
    if len(names) < 2:
        raise UsageError(
            f"{prompt_id[:80]} has one version only, so there is nothing to compare. Change "
            "its file, or put it on record first."
        )
    return names


def _asked(library: Library, prompt: Prompt) -> str:
    """What an address calls a version: `v12`, or `draft` for one that is not on record."""
    label = library.label(prompt)
    return _DRAFT if label.endswith(f"-{_DRAFT}") else label


def _older(names: Sequence[str], after: str) -> str:
    later = names.index(after) if after in names else 0
    return names[min(later + 1, len(names) - 1)]


def _field(change: Change) -> FieldRow:
    old, new = change.old, change.new
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONG:
        return FieldRow(change, "", "", [marked(span) for span in word_changes(old, new)])
    return FieldRow(
        change,
        "" if change.kind == "added" else _written(old),
        "" if change.kind == "removed" else _written(new),
    )


def _written(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
