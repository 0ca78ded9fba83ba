"""What a comparison of a provider's export with the ledger says, and what follows from it."""

import hashlib
from fractions import Fraction
from typing import Final, Literal, NamedTuple, cast

import msgspec

from trimtab.insights.exports.export import Vendor
from trimtab.types.alerts import Alert
from trimtab.types.money import format_usd

__all__ = [
    "FIELDS",
    "Field",
    "FieldTotal",
    "Figures",
    "ReconcileReport",
    "ReconcileRow",
    "Side",
    "reconcile_alert",
    "totals_of",
]

Side = Literal["both", "only_theirs", "only_ours"]
Field = Literal[
    "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "cost_nanousd"
]
FIELDS: Final[tuple[Field, ...]] = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost_nanousd",
)
_HASH_CHARS: Final = 12
_WORDS: Final = {field: field.removesuffix("_tokens").replace("_", " ") for field in FIELDS}


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one side counted. None where the export does not tell, and so nothing is compared.

    Attributes:
        input_tokens: all input, cached parts included.
    """

    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    cost_nanousd: int | None = None


class ReconcileRow(msgspec.Struct, frozen=True, kw_only=True):
    """One day and one group of models.

    Attributes:
        day: of UTC, `2026-10-01`.
        side: who knows it.
        their_models: names in the export; an item such as "Web search" that is of no model; empty
            if only we know it.
        our_models: `provider:model`; empty if only they know it.
        whole_day: the export covers all of the day, and the day was over.
        deltas: ours less theirs, of what can be compared.
        their_requests: calls by their count, failed ones of their choice included, or None.
        our_inferences: inferences that ended. Retries are several calls of one inference.
        estimated_nanousd: the part of our cost whose usage we estimated.
    """

    day: str
    side: Side
    their_models: tuple[str, ...]
    our_models: tuple[str, ...]
    whole_day: bool
    theirs: Figures
    ours: Figures
    deltas: Figures
    their_requests: int | None = None
    our_inferences: int = 0
    estimated_nanousd: int = 0


class FieldTotal(msgspec.Struct, frozen=True, kw_only=True):
    """One field over all rows that have it.

    Attributes:
        delta: ours less theirs.
        off: the sum of all differences without their signs, so that too much here does not hide
            too little there. The threshold is about this.
        off_percent: of `theirs`; None where theirs is zero.
        above: `off` is more than the threshold allows.
    """

    field: Field
    theirs: int
    ours: int
    delta: int
    off: int
    off_percent: float | None
    above: bool


class ReconcileReport(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison.

    Attributes:
        providers: providers of the project that it is about.
        threshold_percent: as it was given.
        rows: by day, then by model.
        totals: of the fields that some row has.
        above: some total is above the threshold.
        estimated_nanousd: the part of our cost whose usage we estimated, because a call was cut
            before the provider reported it.
        unsettled: attempts whose end a crash left unknown; they are in no row.
        unsettled_nanousd: their holds.
        notes: what could not be compared, and why.
    """

    vendor: Vendor
    providers: tuple[str, ...]
    first_day: str
    last_day: str
    threshold_percent: str
    rows: tuple[ReconcileRow, ...]
    totals: tuple[FieldTotal, ...]
    above: bool
    estimated_nanousd: int
    unsettled: int
    unsettled_nanousd: int
    notes: tuple[str, ...]


class _Pair(NamedTuple):
    theirs: int
    ours: int


def totals_of(rows: tuple[ReconcileRow, ...], threshold: Fraction) -> tuple[FieldTotal, ...]:
    """The totals of all fields that some row has.

    Args:
        rows: what was compared.
        threshold: the largest share of theirs that may be off.
    """
    found: list[FieldTotal] = []
    for field in FIELDS:
        pairs = [
            _Pair(cast("int", getattr(row.theirs, field)), cast("int", getattr(row.ours, field)))
            for row in rows
            if getattr(row.deltas, field) is not None
        ]
        if pairs:
            found.append(_total(field, pairs, threshold))
    return tuple(found)


def _total(field: Field, pairs: list[_Pair], threshold: Fraction) -> FieldTotal:
    theirs, ours = sum(pair.theirs for pair in pairs), sum(pair.ours for pair in pairs)
    off = sum(abs(pair.ours - pair.theirs) for pair in pairs)
    return FieldTotal(
        field=field,
        theirs=theirs,
        ours=ours,
        delta=ours - theirs,
        off=off,
        off_percent=100 * off / abs(theirs) if theirs else None,
        above=off > threshold * abs(theirs),
    )


def reconcile_alert(report: ReconcileReport, at_ns: int) -> Alert | None:
    """What people should know of it; None where nothing is above the threshold.

    Its key is that of the days and the figures, so the same comparison is told once.
    """
    if not report.above:
        return None
    parts = [_in_words(total) for total in report.totals if total.above]
    figures = repr([(total.field, total.theirs, total.ours, total.off) for total in report.totals])
    digest = hashlib.sha256(figures.encode()).hexdigest()[:_HASH_CHARS]
    facts: dict[str, str | int | float] = {
        "vendor": report.vendor,
        "first_day": report.first_day,
        "last_day": report.last_day,
        "threshold_percent": report.threshold_percent,
    }
    for total in report.totals:
        facts |= {f"their_{total.field}": total.theirs, f"our_{total.field}": total.ours}
        facts[f"off_{total.field}"] = total.off
    return Alert(
        kind="reconcile",
        key=f"reconcile/{report.vendor}/{report.first_day}/{report.last_day}/{digest}",
        at_ns=at_ns,
        message=(
            f"What {report.vendor} says of {report.first_day} to {report.last_day} differs from "
            f"the ledger by more than {report.threshold_percent} %: {'; '.join(parts)}."
        ),
        facts=facts,
    )


def _in_words(total: FieldTotal) -> str:
    share = "" if total.off_percent is None else f" ({total.off_percent:.2f} %)"
    if total.field == "cost_nanousd":
        return f"cost by {format_usd(total.off)}{share}"
    return f"{_WORDS[total.field]} by {total.off:,} tokens{share}"
