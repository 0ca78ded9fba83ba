"""Does the provider's bill say what the ledger says, day by day and model by model?"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec

from trimtab.errors import UsageError
from trimtab.insights.exports.export import Export, Period
from trimtab.insights.reconcile.days import DAY_NS, Day, days_of, name_of, notes_on, told_by
from trimtab.insights.reconcile.match import Group, grouped
from trimtab.insights.reconcile.report import (
    FIELDS,
    Field,
    Figures,
    ReconcileReport,
    ReconcileRow,
    Side,
    totals_of,
)
from trimtab.store.protocol import Reader
from trimtab.store.records import EventQuery, GroupSummary
from trimtab.types.refs import ModelRef

__all__ = ["ALL", "parse_percent", "reconcile"]

ALL: Final = "(all models)"
"""In the place of a model, where an export tells the cost of everything together."""

_PAGE: Final = 1_000
_MOST_EVENTS: Final = 200_000  # looked at for one day and provider, to learn which model served
_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)\s*%")


class _Ours(NamedTuple):
    """What the ledger says of one day: of each kind's spans, by model."""

    usage: dict[str, list[GroupSummary]]
    cost: dict[str, list[GroupSummary]]


def parse_percent(text: str) -> tuple[str, Fraction]:
    """`0.5%` as the text of the number and as a share.

    Raises:
        UsageError: it is no percentage from 0 to 100.
    """
    match = _PERCENT.fullmatch(text.strip())
    share = Fraction(Decimal(match[1])) / 100 if match else None
    if match is None or share is None or share > 1:
        raise UsageError(f"{text!r} is not a percentage. Write a number and %, such as 0.5%.")
    return match[1], share


class _Asked(NamedTuple):
    """The comparison that is wanted.

    Attributes:
        told: the fields that the exports tell.
    """

    reader: Reader
    providers: Collection[str]
    now_ns: int
    told: frozenset[Field]


def reconcile(
    exports: Sequence[Export],
    reader: Reader,
    providers: Collection[str],
    *,
    threshold: str,
    now_ns: int,
) -> ReconcileReport:
    """Compare exports of one vendor with what the ledger has of `providers`.

    Args:
        exports: pages and files, in any order; each bucket once.
        reader: the records.
        providers: providers of the project whose calls the exports are about.
        threshold: as `parse_percent` reads it.
        now_ns: UTC nanoseconds; days that are not over are marked.

    Raises:
        UsageError: the exports are of several vendors, or tell something twice.
    """
    if not exports:
        raise UsageError("No export was given. Name at least one file.")
    percent, share = parse_percent(threshold)
    vendors = sorted({export.vendor for export in exports})
    if len(vendors) > 1:
        raise UsageError(f"These files are of {' and '.join(vendors)}. Compare one at a time.")
    asked = _Asked(reader, providers, now_ns, told_by(exports))
    days = days_of(exports)
    if not days:
        raise UsageError("These files tell no cost in US dollars, so there is nothing to compare.")
    notes = notes_on(exports)
    rows: list[ReconcileRow] = []
    for day_ns in sorted(days):
        rows += _rows_of(day_ns, days[day_ns], asked, notes=notes)
    found = tuple(rows)
    totals = totals_of(found, share)
    first_ns, last_ns = min(days), max(days) + DAY_NS
    open_intents = [
        entry.intent
        for entry in reader.unsettled(first_ns, last_ns)
        if not entry.in_flight and entry.intent.provider in providers
    ]
    return ReconcileReport(
        vendor=exports[0].vendor,
        providers=tuple(sorted(providers)),
        first_day=name_of(min(days)),
        last_day=name_of(max(days)),
        threshold_percent=percent,
        rows=found,
        totals=totals,
        above=any(total.above for total in totals),
        estimated_nanousd=sum(row.estimated_nanousd for row in found),
        unsettled=len(open_intents),
        unsettled_nanousd=sum(intent.hold_nanousd for intent in open_intents),
        notes=tuple(notes),
    )


def _ours(asked: _Asked, spans: Iterable[Period]) -> dict[str, list[GroupSummary]]:
    """What the ledger has of some time, by model."""
    found: defaultdict[str, list[GroupSummary]] = defaultdict(list)
    for span in spans:
        for group in asked.reader.usage_by("model", span.start_ns, span.end_ns, measures=()):
            ref = ModelRef.parse(group.value)
            if ref.provider in asked.providers:
                found[ref.model].append(group)
    return dict(found)


def _rows_of(day_ns: int, day: Day, asked: _Asked, *, notes: list[str]) -> list[ReconcileRow]:
    ours = _Ours(_ours(asked, day.spans.get("usage", [])), _ours(asked, day.spans.get("cost", [])))
    fields = _compared(day, asked)
    rows: list[ReconcileRow] = []
    if fields:
        names = set(ours.usage)
        if "cost_nanousd" in fields:
            names |= set(ours.cost)
        served: set[tuple[str, str]] = set()
        if names and day.models.keys() - names:
            served = _served(day_ns, asked, notes=notes)
        rows += [
            _row(day_ns, group, (day, ours), fields=fields, now_ns=asked.now_ns)
            for group in grouped(day.models, names, served)
        ]
    rows += [
        _money_row(day_ns, (day, (item,)), amounts=(amount, 0), now_ns=asked.now_ns)
        for item, amount in sorted(day.items.items())
    ]
    if day.total_nanousd is not None:
        cost = sum(one.cost_nanousd for found in ours.cost.values() for one in found)
        amounts = (day.total_nanousd, cost)
        rows.append(_money_row(day_ns, (day, (ALL,)), amounts=amounts, now_ns=asked.now_ns))
    return rows


def _compared(day: Day, asked: _Asked) -> tuple[Field, ...]:
    """What can be compared model by model on a day."""
    has_cost = "cost" in day.spans and day.total_nanousd is None
    return tuple(
        field
        for field in FIELDS
        if field in asked.told and (has_cost if field == "cost_nanousd" else "usage" in day.spans)
    )


def _served(day_ns: int, asked: _Asked, *, notes: list[str]) -> set[tuple[str, str]]:
    """Which model served for which, by the inferences of a day."""
    first = asked.reader.first_day()
    if first is None or first > name_of(day_ns):
        notes.append(
            f"Single inferences of {name_of(day_ns)} are not kept any more, so models are matched "
            "by their names alone."
        )
        return set()
    found: set[tuple[str, str]] = set()
    for provider in sorted(asked.providers):
        query = EventQuery(
            since_ns=day_ns,
            until_ns=day_ns + DAY_NS,
            where={"provider": provider},
            limit=_PAGE,
        )
        for _ in range(_MOST_EVENTS // _PAGE):
            page = asked.reader.event_page(query)
            found.update((event.model, event.served_model) for event in page.events)
            if not page.next:
                break
            query = msgspec.structs.replace(query, after=page.next)
        else:
            notes.append(
                f"Of {provider} only {_MOST_EVENTS:,} inferences of {name_of(day_ns)} were looked "
                "at to learn which model served."
            )
    return found


def _row(
    day_ns: int,
    group: Group,
    sides: tuple[Day, _Ours],
    *,
    fields: Collection[Field],
    now_ns: int,
) -> ReconcileRow:
    day, ours = sides
    told = [day.models[name] for name in group.theirs]
    used = [one for name in group.ours for one in ours.usage.get(name, [])]
    paid = [one for name in group.ours for one in ours.cost.get(name, [])]
    theirs = Figures(**{field: sum(getattr(one, field) for one in told) for field in fields})
    known = Figures(
        **{
            field: sum(getattr(one, field) for one in (paid if field == "cost_nanousd" else used))
            for field in fields
        }
    )
    requests = [one.requests for one in told if one.requests is not None]
    groups = paid if "cost_nanousd" in fields else used
    side: Side = "both" if told and group.ours else "only_theirs" if told else "only_ours"
    return ReconcileRow(
        day=name_of(day_ns),
        side=side,
        their_models=group.theirs,
        our_models=tuple(sorted({one.value for one in (*used, *paid)})),
        whole_day=_is_whole(day_ns, day, now_ns),
        theirs=theirs,
        ours=known,
        deltas=_deltas(theirs, known),
        their_requests=sum(requests) if requests else None,
        our_inferences=sum(one.requests for one in groups),
        estimated_nanousd=sum(one.estimated_nanousd for one in groups),
    )


def _money_row(
    day_ns: int, told: tuple[Day, tuple[str]], *, amounts: tuple[int, int], now_ns: int
) -> ReconcileRow:
    """Money that is of no single model."""
    day, names = told
    theirs, ours = (Figures(cost_nanousd=amount) for amount in amounts)
    return ReconcileRow(
        day=name_of(day_ns),
        side="both" if names == (ALL,) else "only_theirs",
        their_models=names,
        our_models=(),
        whole_day=_is_whole(day_ns, day, now_ns),
        theirs=theirs,
        ours=ours,
        deltas=_deltas(theirs, ours),
    )


def _deltas(theirs: Figures, ours: Figures) -> Figures:
    return Figures(
        **{
            field: getattr(ours, field) - getattr(theirs, field)
            for field in FIELDS
            if getattr(theirs, field) is not None
        }
    )


def _is_whole(day_ns: int, day: Day, now_ns: int) -> bool:
    end_ns = day_ns + DAY_NS
    return end_ns <= now_ns and all(
        spans == [Period(day_ns, end_ns)] for spans in day.spans.values()
    )
