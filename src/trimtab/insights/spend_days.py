"""What each day, or hour, cost."""

from bisect import bisect_right
from collections.abc import Sequence

from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S

__all__ = ["spend_between"]

_HOUR_S = 3_600


def spend_between(reader: Reader, edges_ns: Sequence[int]) -> list[int]:
    """Nano-dollars between each two neighbours of `edges_ns` (UTC), moved back to full hours."""
    edges_ns = [edge_ns - edge_ns % (_HOUR_S * NS_PER_S) for edge_ns in edges_ns]
    costs = [0] * (len(edges_ns) - 1)
    for hour in reader.usage_over_time(
        "total", "", edges_ns[0], edges_ns[-1], step_s=_HOUR_S, measures=()
    ):
        costs[bisect_right(edges_ns, hour.since_ns) - 1] += hour.cost_nanousd
    return costs
