"""A process seen from outside: its memory and its files over time, and whether they grow."""

from collections.abc import Sequence
from itertools import combinations, groupby
from math import sqrt
from pathlib import Path
from statistics import NormalDist, median
from typing import NamedTuple

from server.wire import resident_bytes

MB = 1_000_000
_SURE = 0.95


class Files(NamedTuple):
    """Open file descriptors of a process."""

    sockets: int
    others: int


class Sample(NamedTuple):
    """At a moment: seconds since the first, resident megabytes, open descriptors."""

    at_s: float
    memory_mb: float
    files: Files


class Slope(NamedTuple):
    """Growth in megabytes per 10 minutes, with its 95 % interval."""

    per_10_min: float
    low: float
    high: float

    @property
    def flat(self) -> bool:
        """Less than a megabyte in 10 minutes, or not to be told from none at all."""
        return self.per_10_min < 1.0 or self.low <= 0.0


def open_files(pid: int) -> Files:
    """Count them; one that is closed meanwhile is not counted."""
    sockets = others = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            sockets += 1
        else:
            others += 1
    return Files(sockets, others)


def sample(pid: int, at_s: float) -> Sample:
    return Sample(at_s, resident_bytes(pid) / MB, open_files(pid))


def slope_of(samples: Sequence[Sample], block_s: float) -> Slope:
    """Theil and Sen's slope, with the interval of Kendall's statistic (Sen 1968).

    Memory moves in steps and stays there, so neighbours are not independent, as the interval wants
    them to be: medians of blocks are compared.
    """
    blocks = [list(group) for _, group in groupby(samples, lambda one: int(one.at_s / block_s))]
    points = [
        (median(one.at_s for one in block), median(one.memory_mb for one in block))
        for block in blocks
    ]
    slopes = sorted((y2 - y1) / (x2 - x1) * 600 for (x1, y1), (x2, y2) in combinations(points, 2))
    size, pairs = len(points), len(slopes)
    spread = NormalDist().inv_cdf((1 + _SURE) / 2) * sqrt(size * (size - 1) * (2 * size + 5) / 18)
    low = max(int((pairs - spread) / 2), 0)
    high = min(int((pairs + spread) / 2) + 1, pairs - 1)
    return Slope(median(slopes), slopes[low], slopes[high])
