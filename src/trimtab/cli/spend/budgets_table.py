"""Budgets as tables, one each."""

from datetime import datetime
from zoneinfo import ZoneInfo

from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.insights.budgets import BudgetState
from trimtab.insights.burn import Burn, BurnOf
from trimtab.types.money import format_usd

__all__ = ["print_budgets"]

_OVER = {
    "refuse": "refused above it",
    "warn": "warned above it",
    "downgrade": "downgraded above it",
}


def print_budgets(states: list[BudgetState], time_zone: str, *, top: int | None) -> None:
    """Print each budget, who is out of it first, in local times of the finance time zone."""
    if not states:
        console.print("The project has no budgets. Declare one as [budgets.NAME] in trimtab.toml.")
        return
    zone = ZoneInfo(time_zone)
    for state in states:
        _print_state(state, zone, top=top)
    console.print(f"Times are those of {time_zone}.")


def _print_state(state: BudgetState, zone: ZoneInfo, *, top: int | None) -> None:
    budget = state.budget
    until = "rolling" if budget.rolling else f"until {_time(state.end_ns, zone)}"
    title = f"{state.name}: per {budget.per} and {budget.window}, {until}, {_OVER[budget.over]}"
    shown = table(title, budget.per, "spent", "limit", "used", "per day", "used up")
    for one in state.rows[:top]:
        shown.add_row(*_cells(one, zone))
    print_table(shown)
    if not state.rows:
        console.print("Nothing was spent of it yet.")
    elif top is not None and len(state.rows) > top:
        console.print(f"{len(state.rows) - top:,} more; see them with --top 0.")
    if state.unsettled_nanousd:
        console.print(
            f"Of this {format_usd(state.unsettled_nanousd)} is unsettled: a crash came before the "
            "end of these calls was known, so they count at what they might have cost."
        )
    console.print()


def _cells(one: BurnOf, zone: ZoneInfo) -> list[str | Text]:
    burn = one.burn
    used = burn.spent_nanousd / burn.limit_nanousd if burn.limit_nanousd else 1.0
    return [
        Text(one.name or "(none)"),
        format_usd(burn.spent_nanousd),
        format_usd(burn.limit_nanousd),
        f"{used:.0%}",
        format_usd(burn.per_day_nanousd),
        _exhausted(burn, zone),
    ]


def _exhausted(burn: Burn, zone: ZoneInfo) -> str:
    if burn.spent_nanousd >= burn.limit_nanousd:
        return "yes"
    return "-" if burn.exhausted_ns is None else _time(burn.exhausted_ns, zone)


def _time(at_ns: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, zone).strftime("%Y-%m-%d %H:%M")
