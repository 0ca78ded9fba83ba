"""A histogram that can be merged and gives every percentile within 1 % of the true value.

Buckets grow by a constant factor, so the relative error is the same from a microsecond to a day.
Source: Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees", VLDB 2019.
"""

from collections.abc import Mapping
from math import ceil, log
from typing import Final, Self

import msgspec
from typing_extensions import override

__all__ = ["ZERO_BUCKET", "LogHistogram"]

# A little under 1 %, so that rounding in floating point stays inside the promise.
_ALPHA: Final = 0.0099
_GAMMA: Final = (1 + _ALPHA) / (1 - _ALPHA)
_SCALE: Final = 1 / log(_GAMMA)
_MIDDLE: Final = 2 / (1 + _GAMMA)

ZERO_BUCKET: Final = -1  # values <= 0; the smallest positive value, 1, is in bucket 0

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[int, int]).decode


class LogHistogram:
    """Counts of integers in buckets `(g^(i-1), g^i]`, with g = 1.02: sparse, exact to merge.

    The same buckets work wherever integer maps can be added, for instance ClickHouse's `sumMap`.
    """

    __slots__ = ("_counts",)

    def __init__(self, buckets: Mapping[int, int] | None = None) -> None:
        self._counts: dict[int, int] = dict(buckets) if buckets else {}

    @staticmethod
    def bucket_of(value: int) -> int:
        """The index of the bucket that `value` falls into."""
        return ceil(log(value) * _SCALE) if value > 0 else ZERO_BUCKET

    def add(self, value: int, count: int = 1) -> None:
        """Count `value` `count` times."""
        index = ceil(log(value) * _SCALE) if value > 0 else ZERO_BUCKET
        self._counts[index] = self._counts.get(index, 0) + count

    def merge(self, other: "LogHistogram") -> None:
        """Add everything that `other` counted; as if each value had been added here."""
        self.merge_counts(other._counts)  # noqa: SLF001 - of the same class

    def merge_counts(self, counts: Mapping[int, int]) -> None:
        """Add counts of buckets, by index."""
        mine = self._counts
        if not mine:
            self._counts = dict(counts)
            return
        for index, count in counts.items():
            mine[index] = mine.get(index, 0) + count

    def merge_bytes(self, data: bytes) -> None:
        """Add a histogram as `to_bytes` wrote it.

        Raises:
            msgspec.DecodeError: `data` is something else.
        """
        self.merge_counts(_decode(data))

    @property
    def count(self) -> int:
        """How many values were added."""
        return sum(self._counts.values())

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
        if not 0 <= q <= 1:
            raise ValueError(f"q is {q}; it must be in 0..1 (0.99 for the 99th percentile).")
        rank = max(ceil(q * self.count), 1)
        seen = 0
        for index in sorted(self._counts):
            seen += self._counts[index]
            if seen >= rank:
                return 0.0 if index == ZERO_BUCKET else _MIDDLE * _GAMMA**index
        return None

    def buckets(self) -> dict[int, int]:
        """Bucket index to count, in order of index; a copy."""
        return dict(sorted(self._counts.items()))

    def to_bytes(self) -> bytes:
        """A compact form (MessagePack, short integers); equal histograms give equal bytes."""
        return _encode(self.buckets())

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` wrote.

        Raises:
            msgspec.DecodeError: `data` is something else.
        """
        histogram = cls()
        histogram._counts = _decode(data)
        return histogram

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, LogHistogram) and self._counts == other._counts

    __hash__ = None  # pyright: ignore[reportAssignmentType] - mutable

    @override
    def __repr__(self) -> str:
        return f"LogHistogram(count={self.count}, p50={self.percentile(0.5)})"
