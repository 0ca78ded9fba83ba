"""Texts from outside in GitHub-flavoured Markdown: never a mark, a tag, a link or a name called.

Sites read finished text once more and turn `@name`, `#12`, `:smile:`, hashes of commits and
addresses into links and messages, but not within code. So a word that is more than letters, digits
and plain punctuation stands in a code span, or in HTML within `<code>`.
"""

import re
from collections.abc import Iterable
from html import escape
from typing import Final

from trimtab.looks.words import one_line, visible
from trimtab.prompts.diff.change import code
from trimtab.prompts.diff.words import Span

__all__ = ["cell", "code_line", "html_code", "html_spans", "prose"]

# Letters and digits with punctuation that means nothing, and signs of figures.
_PLAIN: Final = re.compile(
    r"[(\N{MULTIPLICATION SIGN}]?[+-]?[^\W_](?:[^\W_]|/(?=[^\W_])|[,.;?'()%-])*:?"
    r"|[=\N{EN DASH}\N{RIGHTWARDS ARROW}]"
)
# What a site would make a link of, and what begins a list.
_CALLS: Final = re.compile(r"(?i)www\.|https?:|\bGH-\d|\b[0-9a-f]{7,64}\b|^\d+[.)]$")
_WORD: Final = re.compile(r"[^\s`]*`[^`]+`[^\s`]*|\S+")
_QUOTED: Final = re.compile(r"([(]?)`([^`]+)`([),.;:?]*)")


def code_line(text: str) -> str:
    """A text as a code span on one line."""
    return code(one_line(text))


def prose(text: str) -> str:
    """A sentence; what it quotes is code, and so are words that could be more than words."""
    parts: list[str] = []
    odd: list[str] = []
    for word in [*_WORD.findall(one_line(text)), ""]:
        quoted = _QUOTED.fullmatch(word)
        if quoted is None and word and not _is_plain(word):
            odd.append(word)
            continue
        parts += [code(" ".join(odd))] * bool(odd)
        odd.clear()
        parts.append(f"{quoted[1]}{code(quoted[2])}{quoted[3]}" if quoted is not None else word)
    return " ".join(parts).strip()


def _is_plain(word: str) -> bool:
    return _PLAIN.fullmatch(word) is not None and _CALLS.search(word) is None


def cell(text: str) -> str:
    """The same within a table, whose columns no text can end."""
    return prose(text).replace("|", "\\|")


def html_code(text: str) -> str:
    """A text in HTML, as code; on one line of source, because an empty one would end the HTML."""
    return f"<code>{_escaped(text)}</code>" if text.strip() else "<em>empty</em>"


def html_spans(spans: Iterable[Span]) -> str:
    """Stretches of a text in HTML, as code: what was removed struck out, what is new underlined."""
    parts: list[str] = []
    for span in spans:
        if span.kind == "gap":
            parts.append(f" \N{HORIZONTAL ELLIPSIS} {span.words:,} words \N{HORIZONTAL ELLIPSIS} ")
        elif span.kind == "same":
            parts.append(_escaped(span.text))
        else:
            tag = "del" if span.kind == "removed" else "ins"
            parts.append(f"<{tag}>{_escaped(span.text)}</{tag}>")
    return f"<code>{''.join(parts)}</code>" if parts else "<em>empty</em>"


def _escaped(text: str) -> str:
    return escape(visible(text.replace("\r\n", "\n").replace("\r", "\n"))).replace("\n", "<br>")
