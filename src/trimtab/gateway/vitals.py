"""The figures of this moment, gathered from the parts of the gateway that have them."""

from collections.abc import Callable
from typing import NamedTuple

from trimtab.alerts.tally import AlertState
from trimtab.gateway.gateway import Gateway
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.response_cache import ResponseCache
from trimtab.gateway.treasury import Treasury
from trimtab.store.protocol import Ledger
from trimtab.telemetry.snapshot import (
    AlertTotals,
    BudgetFigures,
    CacheFigures,
    LedgerFigures,
    ProviderCalls,
    Snapshot,
)
from trimtab.types.alerts import AlertKind

__all__ = ["Vitals"]


class Vitals(NamedTuple):
    """Whom to ask. All of them belong to the event loop's thread."""

    gateway: Gateway
    reliability: Reliability
    ledger: Ledger
    cache: ResponseCache
    alerts: Callable[[], dict[tuple[AlertKind, AlertState], int]]
    treasury: Treasury

    def read(self) -> Snapshot:
        """A snapshot; it costs a microsecond or two for each series and waits for nothing."""
        gateway, reliability, ledger, cache, alerts, treasury = self
        return Snapshot(
            attempts=reliability.tally.attempts(),
            inferences=reliability.tally.inferences(),
            inflight=gateway.inflight,
            providers=tuple(
                ProviderCalls(provider=one.name, busy=one.slots.busy, waiting=one.slots.waiting)
                for one in gateway.serving.upstreams.values()
            ),
            breakers=tuple(reliability.board.records().breakers),
            extra_attempts_made=reliability.budget.made,
            extra_attempts_refused=reliability.budget.refused,
            ledger=LedgerFigures(
                trouble=ledger.trouble is not None,
                backlog=ledger.backlog,
                dropped_bodies=ledger.dropped_bodies,
            ),
            cache=CacheFigures(
                hits=cache.hits,
                stale_hits=cache.stale_hits,
                misses=cache.misses,
                dropped=cache.dropped,
                size_bytes=cache.bytes,
            ),
            alerts=tuple(
                AlertTotals(kind=kind, state=state, alerts=count)
                for (kind, state), count in alerts().items()
            ),
            budgets=BudgetFigures(
                holds=treasury.open_holds,
                waiting=treasury.waiting,
                cuts=treasury.cuts,
                excesses=treasury.excesses,
            ),
        )
