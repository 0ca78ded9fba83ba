"""What each day, or hour, cost."""

from collections.abc import Sequence
from itertools import pairwise

from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S

__all__ = ["spend_between"]

_HOUR_NS = 3_600 * NS_PER_S


def spend_between(reader: Reader, edges_ns: Sequence[int]) -> list[int]:
    """Nano-dollars between each two neighbours of `edges_ns` (UTC), moved back to full hours."""
    hours = [edge_ns - edge_ns % _HOUR_NS for edge_ns in edges_ns]
    costs = dict.fromkeys(hours[:-1], 0)
    for fact in reader.spend_facts(edges_ns):
        costs[fact.since_ns] += fact.cost_nanousd
    return [costs[begin] for begin, _ in pairwise(hours)]
