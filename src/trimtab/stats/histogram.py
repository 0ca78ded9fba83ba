"""A histogram that can be merged and gives every percentile within 1 % of the true value.

Buckets grow by a constant factor, so the relative error is the same from a microsecond to a day.
Source: Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil, log
from struct import Struct
from typing import Final, Self

import msgspec
from typing_extensions import override

__all__ = ["ZERO_BUCKET", "LogHistogram", "merged_bytes"]

# A little under 1 %, so that rounding in floating point stays inside the promise.
_ALPHA: Final = 0.0099
_GAMMA: Final = (1 + _ALPHA) / (1 - _ALPHA)
_SCALE: Final = 1 / log(_GAMMA)
_MIDDLE: Final = 2 / (1 + _GAMMA)

ZERO_BUCKET: Final = -1  # values <= 0; the smallest positive value, 1, is in bucket 0

# A few values are stored as the list of their buckets, 2 bytes each: shorter than counts of each,
# and many lists are added by putting one behind the other.
_LIST: Final = b"\xc0"  # a byte that no map in MessagePack begins with
_LISTED: Final = "h"
_LISTED_BYTES: Final = 2
_LONGEST_LIST: Final = 100
_ONE: Final = Struct("<ch")

# Of more values, where at least a quarter of the buckets between the first and the last are used,
# the counts are stored one after the other in 4 bytes each. Such a run is added as one long
# integer, ten times as fast as bucket by bucket; before a lane could spill into the next, all are
# emptied.
_RUN: Final = Struct("<chIQ")  # its first byte, the first bucket, how many, and the sum of all
_RUN_TAG: Final = b"\xc1"
_SHORTEST_RUN: Final = 32
_SPARSEST_RUN: Final = 4
_LANE_BITS: Final = 32
_MOST_IN_LANES: Final = (1 << _LANE_BITS) - 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode


class LogHistogram:
    """Counts of integers in buckets `(g^(i-1), g^i]`, with g = 1.02: sparse, exact to merge.

    The same buckets work wherever integer maps can be added, for instance ClickHouse's `sumMap`.
    """

    __slots__ = ("_counts", "_in_lanes", "_lanes", "_listed")

    def __init__(self, buckets: Mapping[int, int] | None = None) -> None:
        self._counts: dict[int, int] = dict(buckets) if buckets else {}
        # Runs that were added: bucket i is 32 bits, i + 1 lanes from the lowest.
        self._lanes = 0
        self._in_lanes = 0  # sum of all counts there
        self._listed = b""  # lists that were added, one behind the other

    @staticmethod
    def bucket_of(value: int) -> int:
        """The index of the bucket that `value` falls into."""
        return ceil(log(value) * _SCALE) if value > 0 else ZERO_BUCKET

    @staticmethod
    def value_of(index: int) -> float:
        """A value that is within 1 % of each that falls into a bucket."""
        return 0.0 if index == ZERO_BUCKET else _MIDDLE * _GAMMA**index

    def add(self, value: int, count: int = 1) -> None:
        """Count `value` `count` times."""
        self.add_bucket(self.bucket_of(value), count)

    def add_bucket(self, index: int, count: int = 1) -> None:
        """Count `count` values of a bucket."""
        self._counts[index] = self._counts.get(index, 0) + count

    def merge(self, other: "LogHistogram") -> None:
        """Add everything that `other` counted; as if each value had been added here."""
        self._add_lanes(other._lanes, other._in_lanes)  # noqa: SLF001 - of the same class
        self._listed += other._listed  # noqa: SLF001
        self.merge_counts(other._counts)  # noqa: SLF001

    def merge_counts(self, counts: Mapping[int, int]) -> None:
        """Add counts of buckets, by index."""
        mine = self._counts
        if not mine:
            self._counts = dict(counts)
            return
        for index, count in counts.items():
            mine[index] = mine.get(index, 0) + count

    def merge_bytes(self, *parts: bytes) -> None:
        """Add histograms as `to_bytes` wrote them; many at once are faster than one by one.

        Raises:
            msgspec.DecodeError: one of `parts` is something else.
        """
        lists = [self._listed]
        for data in parts:
            kind = data[:1]
            if kind == _LIST:
                lists.append(_list_in(data))
            elif kind == _RUN_TAG:
                self._add_run(data)
            else:
                self.merge_counts(_decode(data))
        self._listed = b"".join(lists)

    def _add_run(self, data: bytes) -> None:
        _, first, length, count = _RUN.unpack_from(data)
        if len(data) != _RUN.size + length * _LANE_BITS // 8:
            raise msgspec.DecodeError("A run of buckets is cut short.")
        run = int.from_bytes(data[_RUN.size :], "little")
        self._add_lanes(run << (first - ZERO_BUCKET) * _LANE_BITS, count)

    def _add_lanes(self, lanes: int, count: int) -> None:
        if self._in_lanes + count > _MOST_IN_LANES:
            self._all_counts()
        self._lanes += lanes
        self._in_lanes += count

    def _all_counts(self) -> dict[int, int]:
        """Count by bucket, with the runs and lists that were added."""
        if self._lanes:
            run, self._lanes, self._in_lanes = self._run(), 0, 0
            self.merge_counts(
                {index: count for index, count in enumerate(run, ZERO_BUCKET) if count}
            )
        if self._listed:
            listed, self._listed = array(_LISTED, self._listed), b""
            self.merge_counts(Counter(listed))
        return self._counts

    def _run(self) -> "array[int]":
        """The lanes one by one, that of `ZERO_BUCKET` first."""
        size = -(-self._lanes.bit_length() // _LANE_BITS) * _LANE_BITS // 8
        return array("I", self._lanes.to_bytes(size, "little"))

    def _whole_run(self) -> list[int]:
        """Counts of all buckets, that of `ZERO_BUCKET` first: runs, lists and the rest."""
        run = self._run().tolist()
        for counts in (self._counts, Counter(array(_LISTED, self._listed))):
            if not counts:
                continue
            run += [0] * (max(counts) - ZERO_BUCKET + 1 - len(run))
            for index, there in counts.items():
                run[index - ZERO_BUCKET] += there
        return run

    def without(self, other: "LogHistogram") -> "LogHistogram":
        """What is left of this one without what `other` counted, which is a part of it."""
        taken = other.buckets()
        left = {index: count - taken.get(index, 0) for index, count in self.buckets().items()}
        return LogHistogram({index: count for index, count in left.items() if count > 0})

    @property
    def count(self) -> int:
        """How many values were added."""
        listed = len(self._listed) // _LISTED_BYTES
        return self._in_lanes + listed + sum(self._counts.values())

    def percentile(self, q: float) -> float | None:
        """The value of nearest rank, `ceil(q * count)` of the sorted values, within 1 %.

        So the worst of a few values is their 99th percentile; it is not left out.

        Args:
            q: 0 for the smallest, 0.5 for the median, 1 for the largest.

        Returns:
            A value in the unit of what was added; 0 for values <= 0; None when nothing was added.

        Raises:
            ValueError: `q` is not in 0..1.
        """
        return self.percentiles([q])[0]

    def percentiles(self, shares: Sequence[float]) -> list[float | None]:
        """`percentile` of each of `shares`.

        Raises:
            ValueError: one is not in 0..1.
        """
        for q in shares:
            if not 0 <= q <= 1:
                raise ValueError(f"q is {q}; it must be in 0..1 (0.99 for the 99th percentile).")
        if not self.count:
            return [None] * len(shares)
        return [self.value_of(index) for index in self._ranked(shares)]

    def _ranked(self, shares: Sequence[float]) -> list[int]:
        """The bucket of each share's rank, of one value or more."""
        if not self._counts and not self._lanes:
            ordered = sorted(array(_LISTED, self._listed))
            return [ordered[_rank(q, len(ordered)) - 1] for q in shares]
        indexes: Sequence[int]
        if self._lanes:
            run = self._whole_run()
            indexes, upto = range(ZERO_BUCKET, ZERO_BUCKET + len(run)), list(accumulate(run))
        else:
            buckets = self.buckets()
            indexes, upto = list(buckets), list(accumulate(buckets.values()))
        return [indexes[bisect_left(upto, _rank(q, upto[-1]))] for q in shares]

    def buckets(self) -> dict[int, int]:
        """Bucket index to count, in order of index; a copy."""
        return dict(sorted(self._all_counts().items()))

    def to_bytes(self) -> bytes:
        """A compact form: a list, a run, or MessagePack; equal histograms give equal bytes."""
        count = self.count
        if count <= _LONGEST_LIST:
            return self._list_bytes(count)
        buckets = self.buckets()
        if len(buckets) < _SHORTEST_RUN:
            return _encode(buckets)
        first = next(iter(buckets))
        length = next(reversed(buckets)) - first + 1
        if length > _SPARSEST_RUN * len(buckets) or count > _MOST_IN_LANES:
            return _encode(buckets)
        run = array("I", bytes(length * _LANE_BITS // 8))
        for index, there in buckets.items():
            run[index - first] = there
        return _RUN.pack(_RUN_TAG, first, length, count) + run.tobytes()

    def _list_bytes(self, count: int) -> bytes:
        counts = self._counts
        if len(counts) == count == 1 and not self._lanes:  # most rows of a user's hour
            return _ONE.pack(_LIST, *counts)
        if counts or self._lanes:
            counts = self._all_counts()
            listed = array(_LISTED, [i for i, there in counts.items() for _ in range(there)])
        else:
            listed = array(_LISTED, self._listed)
        return _LIST + array(_LISTED, sorted(listed)).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` wrote.

        Raises:
            msgspec.DecodeError: `data` is something else.
        """
        histogram = cls()
        histogram.merge_bytes(data)
        return histogram

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogHistogram) and self.buckets() == other.buckets()

    __hash__ = None  # pyright: ignore[reportAssignmentType] - mutable

    @override
    def __repr__(self) -> str:
        return f"LogHistogram(count={self.count}, p50={self.percentile(0.5)})"


def merged_bytes(left: bytes, right: bytes) -> bytes:
    """The histogram of two, all of them as `to_bytes` writes it.

    Raises:
        msgspec.DecodeError: one is something else.
    """
    both = LogHistogram()
    both.merge_bytes(left, right)
    return both.to_bytes()


def _list_in(data: bytes) -> bytes:
    """The buckets of a list as it is stored."""
    if len(data) % _LISTED_BYTES != 1:
        raise msgspec.DecodeError("A list of buckets is cut short.")
    return data[1:]


def _rank(q: float, count: int) -> int:
    return max(ceil(q * count), 1)
