"""Cases that ask nearly the same, which make a suite look larger than it is. Pure.

Two cases are alike when each of their fields is: the same variables, and messages of the same
roles. A question about a document is thus not taken for another question about the same document.
Fields are compared by the pairs of neighbouring words that they have in common (Jaccard).

Candidates are found by one permutation hashing with rotation (Shrivastava & Li, "Densifying One
Permutation Hashing via Rotation", ICML 2014) and banding, so the work grows with the number of
cases and not with its square. A pair of one text at the threshold of 0.7 is missed with a
probability of (1 - 0.7^4)^24 = 0.2 %.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, cast
from zlib import crc32

import msgspec

from trimtab.datasets.case import Case
from trimtab.errors import UsageError

__all__ = ["NearGroup", "find_near"]

_BANDS: Final = 24
_ROWS: Final = 4  # of a band, over all fields
_MOST_COMPARED: Final = 4  # of the unlike cases that meet in one bucket
_EMPTY: Final = 0xFFFFFFFF
_SHIFT: Final = 0x9E3779B1  # of values that a bin borrows: differs by how far they came
_MIX: Final = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio; CRC alone is linear
_ALL: Final = 0xFFFFFFFFFFFFFFFF
# Scripts without spaces between words: there each character is one.
_UNSPACED: Final = r"\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")

_encode: Final = msgspec.json.Encoder(order="deterministic").encode


_Key = tuple[tuple[str, ...], tuple[bytes, ...]]


_Sets = list[set[int]]


class NearGroup(NamedTuple):
    """Cases of which each is like at least one other of the group.

    Attributes:
        ids: in the order of the suite.
        similarity: the least by which one came into the group; 1 for the same words throughout.
    """

    ids: list[str]
    similarity: float


class _Fields(NamedTuple):
    """What is compared of a case.

    Attributes:
        shape: names of the fields; only cases of the same shape can be alike.
        pairs: hashes of word pairs of each field.
    """

    shape: tuple[str, ...]
    pairs: tuple["array[int]", ...]


def find_near(cases: Sequence[Case], *, least: float = 0.7) -> list[NearGroup]:
    """Groups of cases that are alike, the largest first.

    Args:
        cases: of a suite.
        least: similarity from which on two are alike, above 0 up to 1.

    Raises:
        UsageError: `least` is out of range.
    """
    if not 0 < least <= 1:
        raise UsageError(f"A similarity of {least:g} is out of range. Give one above 0, up to 1.")
    groups = _Groups(len(cases))
    firsts: dict[_Key, int] = {}
    fields: dict[int, _Fields] = {}
    for place, case in enumerate(cases):
        one = _fields_of(case)
        first = firsts.setdefault((one.shape, tuple(p.tobytes() for p in one.pairs)), place)
        if first == place:
            fields[place] = one
        else:
            groups.join(first, place, 1.0)
    signatures = {place: _signature(one) for place, one in fields.items()}
    for band in range(_BANDS):
        _join_band(band, signatures, fields, groups=groups, least=least)
    return groups.named([case.id for case in cases])


# ---------------------------------------------------------------- what is compared


def _fields_of(case: Case) -> _Fields:
    named = dict(_texts(case))
    return _Fields(tuple(named), tuple(_pairs(text) for text in named.values()))


def _texts(case: Case) -> Iterator[tuple[str, str]]:
    for name in sorted(case.variables):
        value = case.variables[name]
        yield f"variables.{name}", value if isinstance(value, str) else _encode(value).decode()
    for place, message in enumerate(case.messages):
        others = {key: value for key, value in message.items() if key not in {"role", "content"}}
        text = _text_of(message.get("content")) + (_encode(others).decode() if others else "")
        yield f"messages.{place}.{message.get('role')}", text


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[Any]", content) if isinstance(content, list) else []
    return "\n".join(
        cast("str", part["text"])
        if isinstance(part, dict) and isinstance(part.get("text"), str)  # pyright: ignore[reportUnknownMemberType]
        else f"part{crc32(_encode(part))}"
        for part in parts
    )


def _pairs(text: str) -> "array[int]":
    """Hashes of 32 bits of its pairs of words, ascending; of the only word where there is one."""
    words = _WORD.findall(text.casefold())
    if len(words) > 1:
        spans = {f"{one} {other}" for one, other in pairwise(words)}
    else:
        spans = {words[0] if words else text.strip()}
    return array("I", sorted({(crc32(span.encode()) * _MIX & _ALL) >> 32 for span in spans}))


def _sets_of(fields: _Fields) -> _Sets:
    return [set(pairs) for pairs in fields.pairs]


def _similarity(one: _Sets, other: _Sets) -> float:
    """Of the fields that are least alike."""
    least = 1.0
    for mine, others in zip(one, other, strict=True):
        if mine != others:
            shared = len(mine & others)
            least = min(least, shared / (len(mine) + len(others) - shared))
    return least


# ---------------------------------------------------------------- who is compared with whom


def _signature(fields: _Fields) -> list["array[int]"]:
    """Of each field, the bins of all bands; the more fields, the fewer bins of each."""
    rows = max(1, _ROWS // max(1, len(fields.pairs)))
    return [_bins(pairs, rows * _BANDS) for pairs in fields.pairs]


def _bins(pairs: "array[int]", count: int) -> "array[int]":
    bins = [_EMPTY] * count
    for value in reversed(pairs):  # which ascend, so the least of a bin stays
        bins[value % count] = value
    # An empty bin borrows from the next one that is not, going round.
    borrowed = distance = 0
    for place in range(2 * count - 1, -1, -1):
        value = bins[place % count]
        if value != _EMPTY:
            borrowed, distance = value, 0
        elif place < count:
            bins[place] = (borrowed + distance * _SHIFT) & _EMPTY
        distance += 1
    return array("I", bins)


def _join_band(
    band: int,
    signatures: dict[int, list["array[int]"]],
    fields: dict[int, _Fields],
    *,
    groups: "_Groups",
    least: float,
) -> None:
    """Compare those that share all bins of a band."""
    met: dict[tuple[object, ...], list[int]] = {}
    sets: dict[int, _Sets] = {}  # of those that others are compared with
    for place, signature in signatures.items():
        key = (fields[place].shape, *(_rows_of(bins, band) for bins in signature))
        others = met.setdefault(key, [])
        mine = _sets_of(fields[place]) if others else []
        for other in others:
            if groups.same(place, other):
                break
            if other not in sets:
                sets[other] = _sets_of(fields[other])
            similarity = _similarity(mine, sets[other])
            if similarity >= least:
                groups.join(other, place, similarity)
                break
        else:
            if len(others) < _MOST_COMPARED:
                others.append(place)


def _rows_of(bins: "array[int]", band: int) -> bytes:
    rows = len(bins) // _BANDS
    return bins[band * rows : (band + 1) * rows].tobytes()


class _Groups:
    """Disjoint sets of places."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))
        self._least = [1.0] * count

    def same(self, one: int, other: int) -> bool:
        return self._first(one) == self._first(other)

    def join(self, one: int, other: int, similarity: float) -> None:
        low, high = sorted((self._first(one), self._first(other)))
        self._above[high] = low
        self._least[low] = min(self._least[low], self._least[high], similarity)

    def named(self, ids: Sequence[str]) -> list[NearGroup]:
        """Those of two and more."""
        members: dict[int, list[str]] = {}
        for place, name in enumerate(ids):
            members.setdefault(self._first(place), []).append(name)
        found = [
            NearGroup(names, self._least[first])
            for first, names in members.items()
            if len(names) > 1
        ]
        return sorted(found, key=lambda group: -len(group.ids))

    def _first(self, place: int) -> int:
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place
