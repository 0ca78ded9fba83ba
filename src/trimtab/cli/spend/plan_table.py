"""The plan as a table."""

from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from trimtab.cli.output import NARROW, console, print_table, table
from trimtab.insights.estimates import PlannedBill
from trimtab.types.money import format_usd

__all__ = ["print_plan"]


def print_plan(file: Path, bills: Sequence[PlannedBill]) -> None:
    """Print every estimate and what it comes to; those that hold today in bold."""
    if not bills:
        console.print(
            "There is no estimate yet. Write one down with:\n"
            "  trimtab spend plan --users 1000 --requests 8 --input 900 --output 250 --model NAME",
            markup=False,
        )
        return
    wide = console.width >= NARROW
    columns = ["from", "class", "model", "users", "requests", "tokens in", "tokens out"]
    if wide:
        columns += ["growth", "turns", "cached"]
    shown = table(str(file), *columns, "a day", "30 days")
    shown.title = Text(str(file))
    for bill in bills:
        cells: list[str | Text] = [
            bill.since,
            Text(bill.user_class),
            Text(bill.model),
            f"{bill.users:,}",
            f"{bill.requests_per_user_per_day:g}",
            f"{bill.input_tokens:,.0f}",
            f"{bill.output_tokens:,.0f}",
        ]
        if wide:
            turns = bill.turns_per_session
            cells += [
                f"{bill.users_growth:+.0%}" if bill.users_growth else "-",
                "-" if turns is None else f"{turns:g}",
                f"{bill.cached_share:.0%}",
            ]
        amounts = format_usd(bill.day_nanousd), format_usd(bill.month_nanousd)
        shown.add_row(*cells, *amounts, style="bold" if bill.holds else None)
    print_table(shown)
    holding = [bill for bill in bills if bill.holds]
    if holding:
        month = format_usd(sum(bill.month_nanousd for bill in holding))
        console.print(f"\nThe plan that holds today: {month} in its first 30 days.")
