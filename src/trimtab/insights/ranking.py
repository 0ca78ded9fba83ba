"""The few who matter most, of very many."""

from collections.abc import Mapping
from heapq import nlargest

__all__ = ["costliest"]


def costliest(costs: Mapping[str, int], top: int) -> list[str]:
    """The `top` users with the largest cost, the largest first; equal ones by name."""
    least = min(nlargest(top, costs.values()), default=0)
    found = [user for user, cost in costs.items() if cost >= least]
    return sorted(found, key=lambda user: (-costs[user], user))[:top]
