"""An answer as the detector reads it: one alphabet, what it only quotes covered, cut into clauses.

Marks of bold type are cut out; every other step keeps the length. Every pattern ends at a quote, at
a line or after a fixed number of characters, so the time is linear.
"""

import re
from bisect import bisect_right
from itertools import chain
from typing import Final, NamedTuple

from trimtab.evals.refusals.lexicon import greeting, sign_off
from trimtab.evals.refusals.task import Task

__all__ = ["COVER", "Clause", "Page", "read_page"]

COVER: Final = "\u00b7"
"""Stands for each character of a quote, of code or of somebody else's lines."""

_ALIKE: Final = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "\u2010": "-", "\u2011": "-",
    "\u00a0": " ", "\u202f": " ", "\u3000": " ", "\r": " ", "\t": " ",
    "\u0130": "i",  # the only letter whose small form is longer
})  # fmt: skip
_MARK: Final = re.compile(r"\*\*|__|[\u200b\ufeff]")
_THOUGHT: Final = re.compile(r"<(/?)think(?:ing)?>")
_FENCE: Final = re.compile(
    r"^ {0,3}(```|~~~)[^\n]*\n.*?(?:^ {0,3}\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE
)
_ASIDE: Final = re.compile(r"`[^`\n]{1,400}`|^ {0,3}>[^\n]*$", re.MULTILINE)
_QUOTE: Final = re.compile(
    r'"[^"\n]{1,1500}"|\u201c[^\u201c\u201d\n]{1,1500}\u201d|\u00ab[^\u00ab\u00bb\n]{1,1500}\u00bb'
    r"|\u201e[^\u201e\u201c\u201d\n]{1,1500}[\u201c\u201d]"
    r"|\u300c[^\u300c\u300d\n]{1,1500}\u300d|\u300e[^\u300e\u300f\n]{1,1500}\u300f"
    r"|(?<!\w)'(?=\w)(?:[^'\n]|(?<=\w)'(?=\w)){1,400}'(?!\w)"
)
_IS_JSON: Final = re.compile(r'\s*(?:```(?:json)?\s*)?(?:\{\s*["}]|\[\s*["{\[\]])')
_JSON: Final = re.compile(r'"((?:[^"\\\n]|\\[^\n]|\\(?=\n|\Z))*+)(?:"(\s{0,8}:)?|\n|\Z)')
_ESCAPE: Final = re.compile(r'\\[nrt"\\/]')
_SPEAKER: Final = re.compile(r"^ {0,3}([^\W\d_][\w .'-]{0,24}): [^\n]*$", re.MULTILINE)
_NO_SPEAKER: Final = frozenset(
    ("note", "warning", "important", "disclaimer", "answer", "response", "assistant", "ai", "tip")
)
_BREAK: Final = re.compile(
    r"(?<=[.!?\u2026\u061f\u0964])[\"')\]*_]*\s+|(?<=[\u3002\uff01\uff1f])|\n+"
    r"|(?<=,) (?=but |however |aber |mais |pero |ma |mas |maar |ale )| [\u2014\u2013-] |(?<=;) "
    r"|(?<=:) (?=[^\n]{40})"
)
_LISTED: Final = re.compile(r" *(?:[-\u2022+*]|\(?\d{1,2}[.):]|[a-h][.)]|#{1,6}) +")
_NUMBER: Final = re.compile(r" *\(?\d{1,2}[.)]")
_VISIBLE: Final = re.compile(r"[^ \n]")
_LETTER: Final = re.compile(rf"[^\W_]|{COVER}")
_CJK: Final = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
_CJK_SIZE: Final = 2.5  # as much is said in one of these as in so many Latin letters
_FEW_LINES: Final = 3
_LEFT: Final = 3  # letters beside a quote that is the whole answer


class Clause(NamedTuple):
    """A sentence, or the part of one up to a `but`.

    Attributes:
        start, end: in the page.
        size: how much is said, in Latin letters.
        listed: it stands in an item of a list, or in a heading.
        item: it begins one.
    """

    start: int
    end: int
    size: float
    listed: bool
    item: bool


class Page(NamedTuple):
    """An answer, ready to be searched.

    Attributes:
        text: lower case.
        clauses: in order; those without a letter are left out.
        starts: of the clauses.
        cuts: places of the text before which something was cut out, in order.
        lengths: of all that was cut out up to each of them.
    """

    text: str
    clauses: list[Clause]
    starts: list[int]
    cuts: list[int]
    lengths: list[int]

    def clause_at(self, place: int) -> int:
        """Index of the clause in which a place of the text lies; there is at least one clause."""
        return max(bisect_right(self.starts, place) - 1, 0)

    def in_answer(self, place: int) -> int:
        """Where a letter of the text stands in the answer."""
        before = bisect_right(self.cuts, place)
        return place + (self.lengths[before - 1] if before else 0)


def read_page(answer: str, task: Task) -> Page:
    """An answer to a task, covered and cut."""
    text, cuts, lengths = _without_marks(answer.translate(_ALIKE).lower())
    text = _without_thoughts(text)
    text = _values(text) if _IS_JSON.match(text) else _voice(text, task)
    clauses = _cut(text)
    return Page(text, clauses, [clause.start for clause in clauses], cuts, lengths)


def _without_marks(text: str) -> tuple[str, list[int], list[int]]:
    cuts: list[int] = []
    lengths: list[int] = []
    cut = 0
    for mark in _MARK.finditer(text):
        cuts.append(mark.start() - cut)
        cut += len(mark[0])
        lengths.append(cut)
    return (_MARK.sub("", text) if cuts else text), cuts, lengths


def _without_thoughts(text: str) -> str:
    """What a model thinks aloud is no part of its answer; where it begins may be missing."""
    parts: list[str] = []
    at, opened, unsaid = 0, 0, True
    for mark in _THOUGHT.finditer(text):
        if not mark[1]:
            opened = mark.start() if unsaid or opened < 0 else opened
        elif opened >= 0:
            parts += [text[at:opened], _VISIBLE.sub(" ", text[opened : mark.end()])]
            at, opened = mark.end(), -1
        unsaid = False
    return "".join(parts) + text[at:]


def _values(text: str) -> str:
    """Of JSON the strings that are values, each a line of its own."""
    parts: list[str] = []
    at = 0
    for found in _JSON.finditer(text):
        value = " " * len(found[1]) if found[2] else _ESCAPE.sub(" \n", found[1])
        parts += ["\n" * (found.start() + 1 - at), value, "\n" * (found.end() - found.end(1))]
        at = found.end()
    return "".join(parts) + "\n" * (len(text) - at)


def _voice(text: str, task: Task) -> str:
    """What the assistant says itself."""
    text = _FENCE.sub(_covered, text) if "```" in text or "~~~" in text else text
    text = _ASIDE.sub(_covered, text)
    text = _without_letter(_without_speakers(text, task), task)
    bare = _QUOTE.sub(_covered, text)
    if task.transforms or task.creates:
        return bare
    left = bare.replace(COVER, " ").strip(" \n.!?")
    return bare if len(left) >= _LEFT else text


def _covered(found: re.Match[str]) -> str:
    return _VISIBLE.sub(COVER, found[0])


def _without_speakers(text: str, task: Task) -> str:
    lines = [line for line in _SPEAKER.finditer(text) if line[1].strip() not in _NO_SPEAKER]
    again = len(lines) > len({line[1] for line in lines})
    if len(lines) >= _FEW_LINES and (again or task.creates):
        return _SPEAKER.sub(_covered, text)
    return text


def _without_letter(text: str, task: Task) -> str:
    begin = greeting().search(text)
    if begin is None:
        return text
    last = sign_off().search(text, begin.end())
    if not task.creates and (task.text or last is None):
        return text  # a support desk that greets and signs speaks for itself
    end = last.end() if last else len(text)
    cover = _VISIBLE.sub(COVER, text[begin.start() : end])
    return text[: begin.start()] + cover + text[end:]


def _cut(text: str) -> list[Clause]:
    clauses: list[Clause] = []
    start, numbered, listed = 0, False, False
    for end, after in chain(map(re.Match[str].span, _BREAK.finditer(text)), [(len(text),) * 2]):
        begins = not start or text[start - 1] == "\n"
        item = numbered or (begins and _LISTED.match(text, start, end) is not None)
        listed = item or (listed and not begins)
        numbered = begins and _NUMBER.fullmatch(text, start, end) is not None
        if not numbered and _LETTER.search(text, start, end):
            clauses.append(Clause(start, end, _size(text, start, end), listed, item))
        start = after
    return clauses


def _size(text: str, start: int, end: int) -> float:
    return (end - start) * (_CJK_SIZE if _CJK.search(text, start, min(start + 20, end)) else 1.0)
