"""What history costs at other prices: kept beside what was charged, never in its place."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

import msgspec

from trimtab.types.records import Intent, Settle

__all__ = ["RepricedRow", "Repricing", "RepricingStore", "SettledCall"]


class SettledCall(NamedTuple):
    """An attempt of the ledger whose end is known."""

    intent: Intent
    settle: Settle


class RepricedRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The calls of one model on one day, charged by one price and corrected by another.

    Attributes:
        day: UTC, as in `2026-10-01`, by the start of the inference.
        model: `provider:model`.
        charged_version: price book version that they were charged by.
        corrected_version: the one of the correction; "" where there is no price any more.
        calls: attempts that used anything.
        charged_nanousd: as it stands in the ledger.
        corrected_nanousd: by the other price; None where there is none.
        tier_unknown_nanousd: the part of `charged_nanousd` whose service tier is not on record
            though the price depends on it; it is corrected as the standard tier.
    """

    day: str
    model: str
    charged_version: str
    corrected_version: str
    calls: int
    charged_nanousd: int
    corrected_nanousd: int | None
    tier_unknown_nanousd: int


class Repricing(msgspec.Struct, frozen=True, kw_only=True):
    """One set of corrections.

    Attributes:
        set_id: a digest of what is in it, so that the same one is made only once.
        created_ns: UTC nanoseconds at which it was made.
        since_ns, until_ns: inferences that began in between, the end excluded.
        rows: sorted by day, model and versions.
    """

    set_id: str
    created_ns: int
    since_ns: int
    until_ns: int
    rows: tuple[RepricedRow, ...]


class RepricingStore(Protocol):
    """Where corrections are kept. For commands, not for the request path: it blocks."""

    def settled(self, since_ns: int, until_ns: int) -> Iterator[SettledCall]:
        """Every settled attempt of inferences that began in a range, in no order."""
        ...

    def keep(self, repricing: Repricing) -> int:
        """Keep a set; returns when it was made, which is earlier if it was there already."""
        ...

    def sets(self) -> Iterable[Repricing]:
        """All that is kept, the oldest first."""
        ...
