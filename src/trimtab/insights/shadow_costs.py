"""What versions of prompts have cost while they were tried in the shadow."""

from collections.abc import Iterable

from trimtab.store.protocol import Reader
from trimtab.store.records import EventQuery

__all__ = ["shadow_costs"]

_PAGE = 5_000
_NEVER_NS = 1 << 62


def shadow_costs(reader: Reader, hashes: Iterable[str]) -> dict[str, int]:
    """Nano-dollars by the hash of the version; 0 for one that nobody has tried.

    Shadows whose events were deleted by retention do not count any more.
    """
    return {version_hash: _cost_of(reader, version_hash) for version_hash in hashes}


def _cost_of(reader: Reader, version_hash: str) -> int:
    total, after = 0, ""
    while True:
        query = EventQuery(
            since_ns=0,
            until_ns=_NEVER_NS,
            where={"prompt_arm": "shadow", "prompt_hash": version_hash},
            limit=_PAGE,
            after=after,
        )
        page = reader.event_page(query)
        total += sum(event.cost_nanousd for event in page.events)
        after = page.next
        if not after:
            return total
