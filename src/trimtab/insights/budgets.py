"""Where each budget of the project stands: spent, unsettled, how fast, and until when it lasts."""

from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from trimtab.config.money import Budget
from trimtab.config.schema import Project
from trimtab.insights.burn import BurnOf, Spent, burns_of
from trimtab.spend.orphans import find_orphans, lease_ns_of
from trimtab.spend.spent import spent_by
from trimtab.spend.windows import ROLLING, Window, window_at
from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S

__all__ = ["BudgetState", "budget_report"]

_DAY_NS: Final = 86_400 * NS_PER_S


class BudgetState(msgspec.Struct, frozen=True, kw_only=True):
    """One budget in its present window. Amounts in nano-dollars.

    Attributes:
        name: of its table in the project.
        budget: as the project declares it.
        begin_ns, end_ns: UTC nanoseconds of the window; a rolling one ends now.
        rows: everyone who has spent something of it, who is out of it first. What is unsettled is
            part of what they spent, as it is for the gateway.
        unsettled_nanousd: the part of it that attempts count at whose end nobody knows, because a
            crash came between.
    """

    name: str
    budget: Budget
    begin_ns: int
    end_ns: int
    rows: list[BurnOf]
    unsettled_nanousd: int


def budget_report(reader: Reader, project: Project, now_ns: int) -> list[BudgetState]:
    """All budgets of the project, in the order of its file.

    The rate of each is that of the last 24 hours, or of the window where that is shorter.
    """
    zone = ZoneInfo(project.spend.time_zone)
    return [_state(reader, project, name, now_ns=now_ns, zone=zone) for name in project.budgets]


def _state(
    reader: Reader, project: Project, name: str, *, now_ns: int, zone: ZoneInfo
) -> BudgetState:
    budget = project.budgets[name]
    window = _window(budget, now_ns, zone)
    costs = spent_by(reader, budget.per, Window(window.begin_ns, now_ns))
    lease_ns = lease_ns_of(project)
    orphans = find_orphans(reader, budget.per, window, lease_ns=lease_ns, now_ns=now_ns)
    for orphan in orphans:
        costs[orphan.subject] = costs.get(orphan.subject, 0) + orphan.counts_at(now_ns)
    recent = None
    if now_ns - window.begin_ns > _DAY_NS:
        since_ns = now_ns - _DAY_NS
        recent = Spent(spent_by(reader, budget.per, Window(since_ns, now_ns)), since_ns, now_ns)
    return BudgetState(
        name=name,
        budget=budget,
        begin_ns=window.begin_ns,
        end_ns=window.end_ns,
        rows=burns_of(
            budget,
            Spent(costs, *window),
            now_ns=now_ns,
            recent=recent,
            classes=project.classes,
        ),
        unsettled_nanousd=sum(orphan.counts_at(now_ns) for orphan in orphans),
    )


def _window(budget: Budget, now_ns: int, zone: ZoneInfo) -> Window:
    if not budget.rolling:
        return window_at(budget.window, now_ns, zone)
    rolling = ROLLING[budget.window]
    step_ns = rolling.step_s * NS_PER_S
    return Window(now_ns // step_ns * step_ns - rolling.length_s * NS_PER_S, now_ns)
