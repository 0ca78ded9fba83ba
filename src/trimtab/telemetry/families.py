"""From a snapshot to metric families: the names, units and labels that scrapers see.

Each name here has a row in `docs/metrics.md`; a test holds the two together.
"""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from itertools import accumulate
from platform import python_version
from typing import Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from trimtab.telemetry.snapshot import (
    AlertTotals,
    AttemptTotals,
    BudgetFigures,
    CacheFigures,
    Durations,
    InferenceTotals,
    LedgerFigures,
    ProviderCalls,
    Snapshot,
)
from trimtab.types.breakers import BreakerRecord
from trimtab.types.money import NANO_PER_USD

__all__ = ["families_of"]

_US_PER_S: Final = 1_000_000
_VERSION: Final = version("trimtab")  # once: it is looked up in files
_BREAKER_STATES: Final = ("closed", "open", "half-open")


def families_of(snapshot: Snapshot) -> Iterator[Metric]:
    """All families, each made when it is asked for. Those without a sample come too."""
    yield from _of_attempts(snapshot.attempts)
    yield from _of_inferences(snapshot.inferences)
    yield _gauge("inferences_in_flight", "Inferences under way.", snapshot.inflight)
    yield _of_providers(snapshot.providers)
    yield from _of_breakers(snapshot.breakers)
    extra = CounterMetricFamily(
        "trimtab_extra_attempts",
        "Retries and hedges that the retry budget was asked for.",
        labels=("decision",),
    )
    extra.add_metric(("made",), snapshot.extra_attempts_made)
    extra.add_metric(("refused",), snapshot.extra_attempts_refused)
    yield extra
    yield from _of_ledger(snapshot.ledger)
    yield from _of_cache(snapshot.cache)
    yield from _of_budgets(snapshot.budgets)
    yield _of_alerts(snapshot.alerts)
    yield InfoMetricFamily(
        "trimtab_build",
        "Versions of trimtab and of Python.",
        {"version": _VERSION, "python": python_version()},
    )


def _of_attempts(totals: Iterable[AttemptTotals]) -> Iterator[Metric]:
    labels = ("route", "provider", "model", "cause", "outcome")
    # A quotient of two integers is the nearest float there is. Its shortest decimal, which is what
    # is written, is the exact amount up to 15 digits: below a million dollars for each series.
    columns: tuple[tuple[str, str, str, Callable[[AttemptTotals], float]], ...] = (
        ("attempts", "Settled attempts.", "", lambda one: one.attempts),
        ("cost", "Cost of settled attempts.", "usd", lambda one: one.cost_nanousd / NANO_PER_USD),
        ("input_tokens", "Input, cached parts included.", "", lambda one: one.input_tokens),
        ("output_tokens", "Output, reasoning included.", "", lambda one: one.output_tokens),
    )
    for name, text, unit, value in columns:
        family = CounterMetricFamily(f"trimtab_{name}", text, labels=labels, unit=unit)
        for one in totals:
            names = (one.route, one.provider, one.model, one.cause, one.outcome)
            family.add_metric(names, value(one))
        yield family


def _of_inferences(totals: Iterable[InferenceTotals]) -> Iterator[Metric]:
    latency = HistogramMetricFamily(
        "trimtab_inference_duration",
        "From the beginning of an inference to its end; timeouts count at their deadline.",
        labels=("route", "outcome"),
        unit="seconds",
    )
    for one in totals:
        _add(latency, one, one.latency)
    yield latency
    ttft = HistogramMetricFamily(
        "trimtab_time_to_first_token",
        "From the beginning of a streamed inference to its first token.",
        labels=("route", "outcome"),
        unit="seconds",
    )
    for one in totals:
        if any(one.ttft.counts):
            _add(ttft, one, one.ttft)
    yield ttft


def _add(family: HistogramMetricFamily, one: InferenceTotals, durations: Durations) -> None:
    bounds = (*map(str, durations.bounds_s), "+Inf")
    buckets = list(zip(bounds, accumulate(durations.counts), strict=True))
    family.add_metric((one.route, one.outcome), buckets, durations.sum_us / _US_PER_S)


def _of_providers(providers: Iterable[ProviderCalls]) -> Metric:
    calls = GaugeMetricFamily(
        "trimtab_provider_calls",
        "Calls to a provider under way (busy), or waiting for their turn.",
        labels=("provider", "state"),
    )
    for one in providers:
        calls.add_metric((one.provider, "busy"), one.busy)
        calls.add_metric((one.provider, "waiting"), one.waiting)
    return calls


def _of_breakers(breakers: Iterable[BreakerRecord]) -> Iterator[Metric]:
    state = GaugeMetricFamily(
        "trimtab_breaker_state",
        "1 for the state that the breaker of a model is in, 0 for the others.",
        labels=("provider", "model", "state"),
    )
    failures = GaugeMetricFamily(
        "trimtab_breaker_failures_in_a_row",
        "Calls that failed since the last one that did not.",
        labels=("provider", "model"),
    )
    for one in breakers:
        for name in _BREAKER_STATES:
            state.add_metric((one.provider, one.model, name), int(one.state == name))
        failures.add_metric((one.provider, one.model), one.failures_in_a_row)
    yield state
    yield failures


def _of_ledger(ledger: LedgerFigures) -> Iterator[Metric]:
    yield _gauge("ledger_trouble", "1 while the ledger cannot be written.", int(ledger.trouble))
    yield _gauge("ledger_backlog", "Records that wait to be written.", ledger.backlog)
    yield _counter("bodies_dropped", "Texts that were not kept.", ledger.dropped_bodies)


def _of_cache(cache: CacheFigures) -> Iterator[Metric]:
    yield _counter("cache_hits", "Fresh cached responses that were found.", cache.hits)
    yield _counter("cache_stale_hits", "Stale ones that were given.", cache.stale_hits)
    yield _counter("cache_misses", "Times that a model had to be asked.", cache.misses)
    yield _counter("cache_dropped", "Responses that could not be kept.", cache.dropped)
    yield _gauge("cache_size", "Memory of cached responses.", cache.size_bytes, unit="bytes")


def _of_budgets(budgets: BudgetFigures) -> Iterator[Metric]:
    yield _gauge("budget_holds", "Attempts under way that budgets hold for.", budgets.holds)
    yield _gauge("budget_waiting", "Inferences that wait for what others hold.", budgets.waiting)
    yield _counter("budget_cuts", "Streams that were cut by a budget.", budgets.cuts)
    yield _counter("hold_exceeded", "Attempts that cost more than was held.", budgets.excesses)


def _of_alerts(totals: Iterable[AlertTotals]) -> Metric:
    alerts = CounterMetricFamily(
        "trimtab_alerts",
        "Alerts told or dropped, and their deliveries: delivered, failed tries, given up.",
        labels=("kind", "state"),
    )
    for one in totals:
        alerts.add_metric((one.kind, one.state), one.alerts)
    return alerts


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"trimtab_{name}", text, value)


def _gauge(name: str, text: str, value: int, *, unit: str = "") -> Metric:
    return GaugeMetricFamily(f"trimtab_{name}", text, value, unit=unit)
