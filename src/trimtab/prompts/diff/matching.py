"""What two sequences have in common, with an end to the work whatever they are.

`difflib` gives results that people find right, and takes quadratic time or worse where an item
occurs often. So long sequences are divided first, at items that occur once in each of them (the
"patience" way of comparing files), and what cannot be divided is taken for different.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

__all__ = ["Block", "matching_blocks"]

_MOST_ITEMS: Final = 2_000
_MOST_PAIRS: Final = 200_000
_DEEPEST: Final = 12


class Block(NamedTuple):
    """A stretch that both have: where it begins in each, and its length."""

    old: int
    new: int
    size: int


class _Region(NamedTuple):
    old: int
    old_end: int
    new: int
    new_end: int
    depth: int = 0

    @property
    def is_empty(self) -> bool:
        return self.old == self.old_end or self.new == self.new_end


def matching_blocks(old: Sequence[str], new: Sequence[str]) -> list[Block]:
    """Stretches that both have, in order, none touching the next on both sides."""
    found: list[Block] = []
    regions = [_Region(0, len(old), 0, len(new))]
    while regions:
        region = regions.pop()
        before, inner, after = _trimmed(old, new, region)
        found += [block for block in (before, after) if block.size]
        if inner.is_empty:
            continue
        if _is_small(old, new, inner):
            found += _by_difflib(old, new, inner)
        elif inner.depth < _DEEPEST:
            regions += _divided(old, new, inner)
    return list(_joined(sorted(found)))


def _trimmed(
    old: Sequence[str], new: Sequence[str], region: _Region
) -> tuple[Block, _Region, Block]:
    """The common beginning, what is between, and the common end."""
    start, old_end, new_start, new_end, depth = region
    most = min(old_end - start, new_end - new_start)
    before = 0
    while before < most and old[start + before] == new[new_start + before]:
        before += 1
    after = 0
    while after < most - before and old[old_end - after - 1] == new[new_end - after - 1]:
        after += 1
    return (
        Block(start, new_start, before),
        _Region(start + before, old_end - after, new_start + before, new_end - after, depth),
        Block(old_end - after, new_end - after, after),
    )


def _counts(
    old: Sequence[str], new: Sequence[str], region: _Region
) -> tuple[Counter[str], Counter[str]]:
    return (
        Counter(old[region.old : region.old_end]),
        Counter(new[region.new : region.new_end]),
    )


def _is_small(old: Sequence[str], new: Sequence[str], region: _Region) -> bool:
    if max(region.old_end - region.old, region.new_end - region.new) > _MOST_ITEMS:
        return False
    olds, news = _counts(old, new, region)
    return sum(count * news[item] for item, count in olds.items()) <= _MOST_PAIRS


def _by_difflib(old: Sequence[str], new: Sequence[str], region: _Region) -> list[Block]:
    matcher = SequenceMatcher(
        None, old[region.old : region.old_end], new[region.new : region.new_end], autojunk=False
    )
    return [
        Block(region.old + block.a, region.new + block.b, block.size)
        for block in matcher.get_matching_blocks()
        if block.size
    ]


def _divided(old: Sequence[str], new: Sequence[str], region: _Region) -> list[_Region]:
    """The region in pieces, each of which begins with an item that only it has; none if none is."""
    anchors = _anchors(old, new, region)
    if not anchors:
        return []
    starts = [(region.old, region.new), *anchors]
    ends = [*anchors, (region.old_end, region.new_end)]
    return [
        _Region(start[0], end[0], start[1], end[1], region.depth + 1)
        for start, end in zip(starts, ends, strict=True)
    ]


def _anchors(old: Sequence[str], new: Sequence[str], region: _Region) -> list[tuple[int, int]]:
    """Places of items that occur once in both, as many as stand in the same order."""
    olds, news = _counts(old, new, region)
    places = {new[at]: at for at in range(region.new, region.new_end) if news[new[at]] == 1}
    pairs = [
        (at, places[old[at]])
        for at in range(region.old, region.old_end)
        if olds[old[at]] == 1 and old[at] in places
    ]
    # The longest increasing subsequence of the second places, by piles.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [place]
        piles[pile : pile + 1] = [number]
    chosen: list[tuple[int, int]] = []
    number = piles[-1] if piles else -1
    while number >= 0:
        chosen.append(pairs[number])
        number = before[number]
    return chosen[::-1]


def _joined(blocks: list[Block]) -> Iterator[Block]:
    last: Block | None = None
    for block in blocks:
        if last is None:
            last = block
        elif (last.old + last.size, last.new + last.size) == (block.old, block.new):
            last = Block(last.old, last.new, last.size + block.size)
        else:
            yield last
            last = block
    if last is not None:
        yield last
