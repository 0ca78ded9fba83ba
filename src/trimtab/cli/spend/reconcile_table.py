"""The comparison as a table."""

from rich.text import Text

from trimtab.cli.output import NARROW, console, print_table, table
from trimtab.insights.reconcile.report import (
    FIELDS,
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
    """Print what is off by day and model, then the totals and what they mean."""
    days = f"{report.first_day} to {report.last_day}"
    title = f"Ledger against {report.vendor}'s export, {days} (UTC), {', '.join(report.providers)}"
    columns = ("day", "model", "known to", "field", "theirs", "ours", "ours less theirs", "off")
    shown = table(title, *columns)
    for column in shown.columns[1:4]:
        column.justify = "left"
    for row in report.rows:
        day = row.day + ("" if row.whole_day else " *")
        head = (day, Text(_models(row)), _SIDES[row.side])  # names come from outside: no markup
        lines = _lines(row)
        for number, line in enumerate(lines):
            shown.add_row(*(head if number == 0 else ("", "", "")), *line)
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
        line = _line(total.field, total.theirs, total.ours)
        shown.add_row(*line[:4], _percent(total), "above" if total.above else "")
    print_table(shown)


def _lines(row: ReconcileRow) -> list[tuple[str, ...]]:
    """A line for each field that is off, or one that says that none is."""
    told: list[Field] = [field for field in FIELDS if getattr(row.deltas, field) is not None]
    lines = [
        _line(field, getattr(row.theirs, field), getattr(row.ours, field))
        for field in told
        if getattr(row.deltas, field)
    ]
    return lines or [("all equal" if told else "not told", "", "", "", "")]


def _line(field: Field, theirs: int, ours: int) -> tuple[str, ...]:
    delta = ours - theirs
    share = f"{100 * abs(delta) / abs(theirs):.2f} %" if theirs else "all of it"
    amount = format_usd if field == "cost_nanousd" else _tokens
    sign = "+" if delta > 0 else ""
    return _HEADS[field], amount(theirs), amount(ours), f"{sign}{amount(delta)}", share


def _models(row: ReconcileRow) -> str:
    ours = " + ".join(name.partition(":")[2] for name in row.our_models)
    theirs = " + ".join(row.their_models)
    if not ours or not theirs or ours == theirs:
        return theirs or " + ".join(row.our_models)
    return f"{ours} = {theirs}" if console.width >= NARROW else theirs


def _percent(total: FieldTotal) -> str:
    if total.off_percent is None:
        return "all of it" if total.off else "0 %"
    return f"{total.off_percent:.2f} %"


def _tokens(count: int) -> str:
    return f"{count:,}"


def _verdict(report: ReconcileReport) -> str:
    above = [_HEADS[total.field] for total in report.totals if total.above]
    if not above:
        return f"Nothing is off by more than {report.threshold_percent} %."
    return f"Above the threshold of {report.threshold_percent} %: {', '.join(above)}."
