"""The figures of one moment, as plain numbers: all that a scrape is made of.

No value here may come from a caller. Names are those of the project and of its providers, so there
are as many series as the project has routes and models, however many requests come.
"""

import msgspec

from trimtab.types.breakers import BreakerRecord
from trimtab.types.records import Cause, Outcome

__all__ = [
    "AlertTotals",
    "AttemptTotals",
    "BudgetFigures",
    "CacheFigures",
    "Durations",
    "InferenceTotals",
    "LedgerFigures",
    "ProviderCalls",
    "Snapshot",
]


class AttemptTotals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the settled attempts of one kind came to, since the start of the process."""

    route: str
    provider: str
    model: str
    cause: Cause
    outcome: Outcome
    attempts: int
    cost_nanousd: int
    input_tokens: int
    output_tokens: int


class Durations(msgspec.Struct, frozen=True, gc=False):
    """A histogram.

    Attributes:
        bounds_s: upper bounds of the buckets in seconds, each in its bucket.
        counts: one for each bound, and one for what is longer than all of them.
        sum_us: of all durations, in microseconds.
    """

    bounds_s: tuple[float, ...]
    counts: tuple[int, ...]
    sum_us: int


class InferenceTotals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How long the inferences of a route took that ended in one way.

    Attributes:
        latency: from beginning to end.
        ttft: from the beginning to the first token; of streams only, so it may be empty.
    """

    route: str
    outcome: Outcome
    latency: Durations
    ttft: Durations


class ProviderCalls(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Calls to one provider at this moment: under way, and waiting for their turn."""

    provider: str
    busy: int
    waiting: int


class LedgerFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How the ledger is.

    Attributes:
        trouble: the last write failed, so that requests are refused.
        backlog: records that wait to be written.
        dropped_bodies: texts that were not kept, since the start.
    """

    trouble: bool
    backlog: int
    dropped_bodies: int


class CacheFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The response cache since the start; `size_bytes` is what it takes in memory now."""

    hits: int
    stale_hits: int
    misses: int
    dropped: int
    size_bytes: int


class AlertTotals(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Alerts of one kind that went one way, since the start."""

    kind: str
    state: str
    alerts: int


class BudgetFigures(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What budgets do.

    Attributes:
        holds: attempts under way for which something is held.
        waiting: inferences that wait for what others hold.
        cuts: streams that were cut because a budget paid for no more, since the start.
        excesses: attempts that cost more than was held for them, since the start.
    """

    holds: int = 0
    waiting: int = 0
    cuts: int = 0
    excesses: int = 0


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everything at one moment.

    Attributes:
        inflight: inferences under way.
        extra_attempts_made, extra_attempts_refused: decisions of the retry budget.
    """

    attempts: tuple[AttemptTotals, ...]
    inferences: tuple[InferenceTotals, ...]
    inflight: int
    providers: tuple[ProviderCalls, ...]
    breakers: tuple[BreakerRecord, ...]
    extra_attempts_made: int
    extra_attempts_refused: int
    ledger: LedgerFigures
    cache: CacheFigures
    alerts: tuple[AlertTotals, ...] = ()
    budgets: BudgetFigures = BudgetFigures()
