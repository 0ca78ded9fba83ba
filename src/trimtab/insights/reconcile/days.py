"""Their side: exports of one vendor, added up by day and model."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

import msgspec

from trimtab.errors import UsageError
from trimtab.insights.exports.export import CostRow, Export, ExportKind, Period, UsageRow
from trimtab.insights.reconcile.report import Field
from trimtab.types.clock import NS_PER_S

__all__ = ["DAY_NS", "Day", "Theirs", "days_of", "name_of", "notes_on", "told_by"]

DAY_NS: Final = 86_400 * NS_PER_S
_KINDS: Final[tuple[ExportKind, ...]] = ("usage", "cost")


class Theirs(msgspec.Struct):
    """What the exports say of one model on one day; zero where they say nothing.

    Attributes:
        requests: calls, or None where they do not tell.
        priced: some row told what it cost.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0
    requests: int | None = None
    priced: bool = False


class Day(msgspec.Struct):
    """One day of the exports.

    Attributes:
        spans: what each kind covers of it, neighbours joined.
        models: by name.
        items: money that is of no model, by what it is for.
        total_nanousd: money that is told for everything together, or None.
    """

    spans: dict[ExportKind, list[Period]]
    models: dict[str, Theirs]
    items: dict[str, int]
    total_nanousd: int | None = None


def days_of(exports: Sequence[Export]) -> dict[int, Day]:
    """The exports by day, each named by the UTC ns of its start.

    Raises:
        UsageError: they tell something twice.
    """
    _check_overlaps(exports)
    days: defaultdict[int, Day] = defaultdict(lambda: Day({}, {}, {}))
    for export in exports:
        in_dollars = bool(export.costs) or not export.foreign
        for period in export.periods if in_dollars else ():
            day = days[_start_of(period)]
            day.spans[export.kind] = _joined([*day.spans.get(export.kind, []), period])
        for row in export.usage:
            _add_usage(days[_start_of(row.period)], row)
        for cost in export.costs:
            _add_cost(days[_start_of(cost.period)], cost)
    for day_ns, day in days.items():
        if day.total_nanousd is not None and (
            day.items or any(one.priced for one in day.models.values())
        ):
            raise UsageError(
                f"The cost of {name_of(day_ns)} is told both by model and as a whole. Give one "
                "export of costs, best the one by model (group_by=line_item, or description)."
            )
    return dict(days)


def _add_usage(day: Day, row: UsageRow) -> None:
    found = day.models.setdefault(row.model, Theirs())
    found.input_tokens += row.input_tokens
    found.cache_read_tokens += row.cache_read_tokens or 0
    found.cache_write_tokens += row.cache_write_tokens or 0
    found.output_tokens += row.output_tokens
    if row.requests is not None:
        found.requests = (found.requests or 0) + row.requests


def _add_cost(day: Day, row: CostRow) -> None:
    if row.model:
        found = day.models.setdefault(row.model, Theirs())
        found.cost_nanousd += row.amount_nanousd
        found.priced = True
    elif row.item:
        day.items[row.item] = day.items.get(row.item, 0) + row.amount_nanousd
    else:
        day.total_nanousd = (day.total_nanousd or 0) + row.amount_nanousd


def _joined(periods: Iterable[Period]) -> list[Period]:
    """The same time in as few periods as can be."""
    joined: list[Period] = []
    for period in sorted(periods):
        if joined and period.start_ns <= joined[-1].end_ns:
            joined[-1] = Period(joined[-1].start_ns, max(joined[-1].end_ns, period.end_ns))
        else:
            joined.append(period)
    return joined


def _check_overlaps(exports: Sequence[Export]) -> None:
    """Twice the same bucket would count twice."""
    for kind in _KINDS:
        buckets = sorted(
            (period, export.file)
            for export in exports
            if export.kind == kind
            for period in export.periods
        )
        for (one, file), (other, again) in pairwise(buckets):
            if other.start_ns < one.end_ns:
                where = f"in {file}" if file == again else f"in {file} and in {again}"
                at = datetime.fromtimestamp(other.start_ns // NS_PER_S, UTC)
                raise UsageError(
                    f"The {kind} of {at:%Y-%m-%d %H:%M} UTC is told twice, {where}. "
                    "Give each page once, and only one export of the same days."
                )


def notes_on(exports: Sequence[Export]) -> list[str]:
    """What the exports themselves leave out."""
    notes: list[str] = []
    for kind in _KINDS:
        ends = [export for export in exports if export.kind == kind]
        if ends:
            last = max(ends, key=lambda export: max(export.periods))
            if last.more:
                notes.append(
                    f"{last.file} says that there are further pages of {kind}, and they are not "
                    "among the files: later days are missing."
                )
    for export in exports:
        for currency, amount in sorted(export.foreign.items()):
            notes.append(f"{amount} {currency} in {export.file} are not compared: only US dollars.")
    return notes


def told_by(exports: Sequence[Export]) -> frozenset[Field]:
    """The fields that these exports tell; what is left out somewhere else is zero there."""
    rows = [row for export in exports for row in export.usage]
    told: set[Field] = {"input_tokens", "output_tokens", "cost_nanousd"}
    if any(row.cache_read_tokens is not None for row in rows):
        told.add("cache_read_tokens")
    if any(row.cache_write_tokens is not None for row in rows):
        told.add("cache_write_tokens")
    return frozenset(told)


def name_of(day_ns: int) -> str:
    """A day as `2026-10-01`."""
    return datetime.fromtimestamp(day_ns // NS_PER_S, UTC).date().isoformat()


def _start_of(period: Period) -> int:
    return period.start_ns - period.start_ns % DAY_NS
