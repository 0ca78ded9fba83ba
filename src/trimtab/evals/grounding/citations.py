"""Citations in an answer: `[1]`, `[doc-a]`, `(Smith 2020)`; each with the sentence it backs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from trimtab.evals.grounding.claims import sentences
from trimtab.evals.grounding.lexicon import MONTHS

__all__ = ["CitedSentence", "SourceNames", "read_citations"]

_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_MOST_IN_RANGE: Final = 50  # numbers of `[3-9]`

_MARKER: Final = re.compile(
    r"""
      \[\^?(?P<square>[^\[\]\n]{1,200})\](?![(:])      # [1], [1, 2], [1-3], [^1], [doc-a]
    | 【(?P<lens>[^【】\n]{1,200})】                        # 【1†source】
    | (?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}(?:[⁻,][⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})*)
    | \((?P<round>[^()\n]{0,160}\d{4}[a-z]?[^()\n]{0,40})\)   # (Smith 2020; Jones et al., 2019a)
    """,
    re.VERBOSE,
)
_NUMBERS: Final = re.compile(
    r"\d{1,4}(?:\s*[-\u2013⁻]\s*\d{1,4})?(?:\s*[,;]\s*\d{1,4}(?:\s*[-\u2013⁻]\s*\d{1,4})?)*"
)
_RANGE: Final = re.compile(r"(\d{1,4})(?:\s*[-\u2013⁻]\s*(\d{1,4}))?")
_ID: Final = re.compile(r"[A-Za-z][\w.:/#-]*[\d_:#-][\w.:/#-]*")  # has a digit or a joint
_LENS_NUMBER: Final = re.compile(r"\s*(?:\d+:)?(\d{1,4})\s*†")
_AUTHOR: Final = re.compile(
    r"(?:see\s+|cf\.\s+|e\.g\.,?\s+)?(?P<name>[^\W\d_][\w'\u2019-]*)"
    r"(?P<others>(?:,?\s+(?:et\s+al\.?|and\s+[^\W\d_][\w'\u2019-]*|&\s*[^\W\d_][\w'\u2019-]*))*)"
    r"(?P<comma>,?)\s+(?P<year>(?:1[5-9]|20)\d\d)[a-z]?(?:,\s*pp?\.\s*[\d\u2013-]+)?"
)


class SourceNames(NamedTuple):
    """How the sources of a case may be cited.

    Attributes:
        sources: how many there are.
        first: number of the first one.
        ids: to the number of its source from 0; lower case.
        texts: of the sources, in which an author and a year may stand.
    """

    sources: int
    first: int
    ids: Mapping[str, int]
    texts: Sequence[str]


class CitedSentence(NamedTuple):
    """A sentence with its citations.

    Attributes:
        text: without the marks.
        sources: numbers from 0 of those cited that exist.
        unknown: marks that name no source.
    """

    text: str
    sources: tuple[int, ...]
    unknown: tuple[str, ...]


def read_citations(answer: str, names: SourceNames) -> list[CitedSentence]:
    """The sentences of an answer, in order; a mark after a stop belongs to the sentence before.

    Brackets that look like no citation, such as `[sic]` or a link, are text.
    """
    pieces: list[str] = []
    marks: list[tuple[int, str, list[int]]] = []
    at = length = 0
    for match in _MARKER.finditer(answer):
        read = _read(match, names)
        if read is None:
            continue
        pieces.append(answer[at : match.start()].rstrip(" "))
        length += len(pieces[-1])
        at = match.end()
        marks.extend((length, mark, numbers) for mark, numbers in read)
    pieces.append(answer[at:])
    text = "".join(pieces)
    return _assigned(text, marks)


def _assigned(text: str, marks: Iterable[tuple[int, str, list[int]]]) -> list[CitedSentence]:
    spans = sentences(text)
    sources: list[list[int]] = [[] for _ in spans]
    unknown: list[list[str]] = [[] for _ in spans]
    at = 0
    for place, mark, numbers in marks:
        while at + 1 < len(spans) and spans[at + 1][0] < place:
            at += 1
        if not spans:
            break
        sources[at].extend(numbers)
        unknown[at].extend([] if numbers else [mark])
    return [
        CitedSentence(text[start:end], tuple(dict.fromkeys(cited)), tuple(missing))
        for (start, end), cited, missing in zip(spans, sources, unknown, strict=True)
    ]


def _read(match: re.Match[str], names: SourceNames) -> list[tuple[str, list[int]]] | None:
    """Marks with the sources they name, none where unknown; None for no citation at all."""
    if match["square"] is not None:
        return _square(match["square"].strip(), names)
    if match["lens"] is not None:
        number = _LENS_NUMBER.match(match["lens"])
        return _numbers(number[1], names) if number else _square(match["lens"].strip(), names)
    if match["raised"] is not None:
        return _raised(match, names)
    return _authors(match["round"], names)


def _raised(match: re.Match[str], names: SourceNames) -> list[tuple[str, list[int]]] | None:
    before = match.string[match.start() - 1 : match.start()]
    if before.isdigit() or before in {"m", "^", ""}:
        return None  # a power: 10³, m²
    return _numbers(match["raised"].translate(_SUPERSCRIPTS), names)


def _square(inside: str, names: SourceNames) -> list[tuple[str, list[int]]] | None:
    whole = names.ids.get(inside.lower())
    if whole is not None:
        return [(f"[{inside}]", [whole])]
    if _NUMBERS.fullmatch(inside):
        return _numbers(inside, names)
    parts = [part.strip() for part in re.split(r"[,;]", inside)]
    known = [names.ids.get(part.lower()) for part in parts]
    if any(one is not None for one in known) or all(_ID.fullmatch(part) for part in parts):
        return [
            (f"[{part}]", [] if number is None else [number])
            for part, number in zip(parts, known, strict=True)
        ]
    return _authors(inside, names)


def _numbers(inside: str, names: SourceNames) -> list[tuple[str, list[int]]]:
    found: list[tuple[str, list[int]]] = []
    for match in _RANGE.finditer(inside):
        low = int(match[1])
        high = min(int(match[2] or low), low + _MOST_IN_RANGE)
        for number in range(low, high + 1):
            known = names.ids.get(str(number))
            if known is None and 0 <= number - names.first < names.sources:
                known = number - names.first
            found.append((f"[{number}]", [] if known is None else [known]))
    return found


def _authors(inside: str, names: SourceNames) -> list[tuple[str, list[int]]] | None:
    found: list[tuple[str, list[int]]] = []
    for part in inside.split(";"):
        match = _AUTHOR.fullmatch(part.strip())
        if match is None or not match["name"][0].isupper() or match["name"].lower() in MONTHS:
            return None
        numbers = _by_author(match["name"], match["year"], names)
        if not numbers and not (match["comma"] or match["others"]):
            return None  # `(Windows 2000)` is none, while `(Smith, 2000)` is
        found.append((f"({part.strip()})", numbers))
    return found or None


def _by_author(name: str, year: str, names: SourceNames) -> list[int]:
    """Sources whose id, or else whose text, has the author and the year."""
    author = name.lower()
    by_id = [at for key, at in names.ids.items() if author in key and year in key]
    if by_id:
        return sorted(set(by_id))
    return [at for at, text in enumerate(names.texts) if author in text.lower() and year in text]
