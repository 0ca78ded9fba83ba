"""Budgets as bars: who has used how much of each, and when nothing will be left of it."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec

from trimtab.config.money import Per
from trimtab.config.schema import Project
from trimtab.console.query import link
from trimtab.insights.budgets import BudgetState, budget_report
from trimtab.insights.burn import BurnOf
from trimtab.looks.words import zone_time
from trimtab.store.protocol import Reader

__all__ = ["BudgetBar", "SubjectBar", "budget_bars"]

_SHOWN = 5
_OVER = {
    "refuse": "refused above it",
    "warn": "warned above it",
    "downgrade": "downgraded above it",
}

NameOf = Callable[[str], str]
"""Id of a key -> what people call it."""


class SubjectBar(msgspec.Struct, frozen=True, kw_only=True):
    """One of those who have a budget. Amounts in nano-dollars.

    Attributes:
        name: "" for everyone together.
        to: address of its page, or "".
        width: used share in thousandths, at most all of it.
        used: share of the limit.
        state: "over", "warned" or "".
        warned: the largest share that a warning is given at and that is passed, in words, or "".
        used_up: when nothing is left, as people read it; "" where it lasts.
    """

    name: str
    to: str
    width: int
    used: float
    state: str
    warned: str
    spent_nanousd: int
    limit_nanousd: int
    per_day_nanousd: int
    used_up: str


class BudgetBar(msgspec.Struct, frozen=True, kw_only=True):
    """One budget, and those who will be out of it first.

    Attributes:
        words: whose, for how long, and what happens above it.
        warn_at: thousandths of a bar at which a warning is given.
        left_off: how many others have spent something of it.
    """

    name: str
    per: Per
    words: str
    warn_at: list[int]
    subjects: list[SubjectBar]
    left_off: int
    unsettled_nanousd: int


def budget_bars(
    reader: Reader,
    project: Project,
    *,
    now_ns: int,
    name_of: NameOf,
    user: str | None = None,
) -> list[BudgetBar]:
    """All budgets, or those per user of one user, as `trimtab spend budgets` has them."""
    zone = ZoneInfo(project.spend.time_zone)
    states = budget_report(reader, project, now_ns)
    if user is not None:
        states = [_only(state, user) for state in states if state.budget.per == "user"]
        states = [state for state in states if state.rows]
    return [_bar(state, zone, name_of) for state in states]


def _only(state: BudgetState, user: str) -> BudgetState:
    rows = [row for row in state.rows if row.name == user]
    return msgspec.structs.replace(state, rows=rows, unsettled_nanousd=0)


def _bar(state: BudgetState, zone: ZoneInfo, name_of: NameOf) -> BudgetBar:
    budget = state.budget
    each = "all together" if budget.per == "total" else f"each {budget.per}"
    until = "rolling" if budget.rolling else f"until {zone_time(state.end_ns, zone)}"
    return BudgetBar(
        name=state.name,
        per=budget.per,
        words=f"{each}, per {budget.window}, {until}; {_OVER[budget.over]}",
        warn_at=[round(share * 1000) for share in sorted(set(budget.warn_at)) if share < 1],
        subjects=[_subject(row, state, zone, name_of) for row in state.rows[:_SHOWN]],
        left_off=max(0, len(state.rows) - _SHOWN),
        unsettled_nanousd=state.unsettled_nanousd,
    )


def _subject(row: BurnOf, state: BudgetState, zone: ZoneInfo, name_of: NameOf) -> SubjectBar:  # noqa: PLR0917 - a row and what it is a row of
    burn, per = row.burn, state.budget.per
    used = burn.spent_nanousd / burn.limit_nanousd if burn.limit_nanousd else 1.0
    passed = max((share for share in state.budget.warn_at if used >= share), default=None)
    over = burn.spent_nanousd >= burn.limit_nanousd
    used_up = ""
    if not over and burn.exhausted_ns is not None:
        used_up = zone_time(burn.exhausted_ns, zone)
    name = name_of(row.name) if per == "key" else row.name
    return SubjectBar(
        name=name,
        to=_page(per, name),
        width=round(min(used, 1.0) * 1000),
        used=used,
        state="over" if over else "warned" if passed is not None else "",
        warned="" if over or passed is None else f"{passed:.0%}",
        spent_nanousd=burn.spent_nanousd,
        limit_nanousd=burn.limit_nanousd,
        per_day_nanousd=burn.per_day_nanousd,
        used_up=used_up,
    )


def _page(per: Per, name: str) -> str:
    if per == "total":
        return ""
    if per == "user":
        return link("/console/user", name=name)
    return link("/console", by=per, value=name)
