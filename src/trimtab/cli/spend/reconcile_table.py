"""The comparison as a table."""

from rich.text import Text

from trimtab.cli.output import NARROW, console, print_table, table
from trimtab.insights.reconcile.report import (
    Field,
    FieldTotal,
    ReconcileReport,
    ReconcileRow,
)
from trimtab.types.money import format_usd

__all__ = ["print_reconciliation"]

_HEADS: dict[Field, str] = {
    "input_tokens": "input",
    "cache_read_tokens": "cache read",
    "cache_write_tokens": "cache write",
    "output_tokens": "output",
    "cost_nanousd": "cost",
}
_SIDES = {"both": "", "only_theirs": "only theirs", "only_ours": "only ours"}


def print_reconciliation(report: ReconcileReport) -> None:
    """Print each day and model with what is off, then the totals and what they mean."""
    fields: list[Field] = [total.field for total in report.totals]
    days = f"{report.first_day} to {report.last_day}"
    title = f"Ledger less {report.vendor}'s export, {days} (UTC), {', '.join(report.providers)}"
    shown = table(title, "day", "model", "known to", *(_HEADS[field] for field in fields))
    shown.columns[1].justify = shown.columns[2].justify = "left"
    for row in report.rows:
        shown.add_row(
            row.day + ("" if row.whole_day else " *"),
            Text(_models(row)),  # names come from outside: as Text they cannot carry markup
            _SIDES[row.side],
            *(_delta(row, field) for field in fields),
        )
    print_table(shown)
    if any(not row.whole_day for row in report.rows):
        console.print("* part of the day: the export does not cover all of it, or it is not over.")
    console.print()
    _print_totals(report)
    if report.estimated_nanousd:
        console.print(
            f"Of our cost {format_usd(report.estimated_nanousd)} is estimated: the calls were cut "
            "off before the provider reported their usage."
        )
    if report.unsettled:
        console.print(
            f"Besides, {report.unsettled:,} attempts are unsettled, held at "
            f"{format_usd(report.unsettled_nanousd)}: a crash came before their end was known."
        )
    for note in report.notes:
        console.print(Text(f"Note: {note}"))
    console.print(_verdict(report))


def _print_totals(report: ReconcileReport) -> None:
    shown = table("Total", "field", "theirs", "ours", "ours less theirs", "off", "")
    for total in report.totals:
        amount = _money if total.field == "cost_nanousd" else _tokens
        shown.add_row(
            _HEADS[total.field],
            amount(total.theirs),
            amount(total.ours),
            _signed(total.delta, total.field),
            _percent(total),
            "above" if total.above else "",
        )
    print_table(shown)


def _models(row: ReconcileRow) -> str:
    ours = " + ".join(name.partition(":")[2] for name in row.our_models)
    theirs = " + ".join(row.their_models)
    if not ours or not theirs or ours == theirs:
        return theirs or " + ".join(row.our_models)
    return f"{ours} = {theirs}" if console.width >= NARROW else theirs


def _delta(row: ReconcileRow, field: Field) -> str:
    delta: int | None = getattr(row.deltas, field)
    if delta is None:
        return "-"
    theirs: int = getattr(row.theirs, field)
    share = f" ({100 * delta / abs(theirs):+.2f} %)" if theirs and delta else ""
    return _signed(delta, field) + share


def _signed(delta: int, field: Field) -> str:
    if field == "cost_nanousd":
        return f"+{format_usd(delta)}" if delta > 0 else format_usd(delta)
    return f"{delta:+,}" if delta else "0"


def _percent(total: FieldTotal) -> str:
    if total.off_percent is None:
        return "all of it" if total.off else "0 %"
    return f"{total.off_percent:.2f} %"


def _money(nanousd: int) -> str:
    return format_usd(nanousd)


def _tokens(count: int) -> str:
    return f"{count:,}"


def _verdict(report: ReconcileReport) -> str:
    above = [_HEADS[total.field] for total in report.totals if total.above]
    if not above:
        return f"Nothing is off by more than {report.threshold_percent} %."
    return f"Above the threshold of {report.threshold_percent} %: {', '.join(above)}."
