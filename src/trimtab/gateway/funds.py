"""The budgets that an inference falls under, each with what was spent of it before.

A fund is one budget of one subject in its present window. What was spent before this process began
is read from the store when the fund is first asked for, off the event loop; afterwards the fund
itself knows. One that nobody has used for long may be dropped: the store knows it all.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final
from zoneinfo import ZoneInfo

from trimtab.config.money import Budget, Per
from trimtab.config.schema import Project, Rung
from trimtab.errors import BudgetBusy
from trimtab.gateway.call import Call
from trimtab.spend.credit import Account, RollingAccount
from trimtab.spend.orphans import Orphan, find_orphans, lease_ns_of
from trimtab.spend.spent import spent_by, spent_by_step
from trimtab.spend.subjects import subjects_of
from trimtab.spend.windows import ROLLING, Window, window_at
from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S, Clock
from trimtab.types.refs import ModelRef

__all__ = ["Backing", "Fund", "Funds"]

_MOST_KEPT: Final = 50_000
_NEVER: Final = 1 << 62
_KEPT_NS: Final = 3_600 * NS_PER_S  # much longer than any inference: no fund goes while one uses it


class Fund:
    """One budget of one subject.

    Attributes:
        budget, name: its table in the project, and the name of the table.
        subject: the user, key, team, model or route; "" for the total.
        account: what is spent and held. Its limit is None where nothing is refused.
        amount_nanousd: the amount of the budget, refused above or not; None for none.
        window: the calendar window; of a rolling one the begin is what the store was asked for.
        loaded: what was spent before is known.
        marks: shares of the amount that are told of; to be used up is always one.
        first_mark_nanousd: the amount of the first of them.
        next_mark_nanousd: the amount of the next that is to be told of.
        user_class: of the callers for whom the amount was read; None before it was.
        passed: the highest mark that was passed and told of; 0 for none.
        orphans: attempts of dead processes that count at their hold, by the end of their lease.
        asked_ns: when the latest inference began that asked for it; UTC.
    """

    __slots__ = (
        "account", "amount_nanousd", "asked_ns", "budget", "first_mark_nanousd", "loaded", "marks",
        "name", "next_mark_nanousd", "orphans", "passed", "subject", "user_class", "window",
    )  # fmt: skip

    def __init__(self, name: str, budget: Budget, subject: str, *, window: Window) -> None:
        self.name = name
        self.budget = budget
        self.subject = subject
        self.window = window
        self.loaded = False
        self.marks: tuple[float, ...] = ()
        self.passed = 0.0
        self.first_mark_nanousd = self.next_mark_nanousd = _NEVER
        self.orphans: list[Orphan] = []
        self.asked_ns = 0
        self.amount_nanousd: int | None = None
        self.user_class: str | None = None
        if budget.rolling:
            self.account: Account = RollingAccount(name, None, ROLLING[budget.window])
        else:
            self.account = Account(name, None)

    def use(self, budget: Budget, user_class: str) -> None:
        """Read the amount, which depends on the project and on the class of the user."""
        self.budget = budget
        self.user_class = user_class
        self.marks = tuple(sorted({*budget.warn_at, 1.0}))
        self.amount_nanousd = amount = budget.limit_nanousd(self.subject, user_class)
        self.account.limit_nanousd = amount if budget.over == "refuse" else None
        self.first_mark_nanousd = self._mark_nanousd(self.marks[0])
        self.passed = min(self.passed, self._mark())  # a raised amount can be used up once more
        self._set_next_mark()

    @property
    def exhausted(self) -> bool:
        """Nothing is left of its amount."""
        return self.amount_nanousd is not None and self.account.spent_nanousd >= self.amount_nanousd

    @property
    def used(self) -> float:
        """The share of its amount that is spent; 0 where there is none."""
        return self.account.spent_nanousd / self.amount_nanousd if self.amount_nanousd else 0.0

    def passes_mark(self) -> bool:
        """Whether it has passed a mark that it had not passed before."""
        if self.account.spent_nanousd < self.next_mark_nanousd:
            return False
        self.passed = self._mark()
        self._set_next_mark()
        return True

    def _mark(self) -> float:
        """The highest mark that is passed by now; 0 for none."""
        spent_nanousd = self.account.spent_nanousd
        return max((m for m in self.marks if spent_nanousd >= self._mark_nanousd(m)), default=0.0)

    def _mark_nanousd(self, mark: float) -> int:
        return _NEVER if self.amount_nanousd is None else ceil(self.amount_nanousd * mark)

    def _set_next_mark(self) -> None:
        following = [mark for mark in self.marks if mark > self.passed]
        self.next_mark_nanousd = self._mark_nanousd(following[0]) if following else _NEVER

    def count_orphans(self, orphans: Iterable[Orphan]) -> None:
        """Count attempts of dead processes: at their hold, until their lease ends."""
        for orphan in orphans:
            self.account.spend(orphan.hold_nanousd, orphan.started_ns)
            self.orphans.append(orphan)
        self.orphans.sort(key=_expiry)

    def end_leases(self, now_ns: int) -> None:
        """Give back what orphans have surely not used, as far as that is known."""
        while self.orphans and self.orphans[0].expires_ns <= now_ns:
            orphan = self.orphans.pop(0)
            self.account.spend(orphan.likely_nanousd - orphan.hold_nanousd, orphan.started_ns)

    def frees_at_ns(self, need_nanousd: int, now_ns: int) -> int:
        """UTC nanoseconds at which `need_nanousd` fit again, as far as can be told at `now_ns`.

        What is more than the whole amount never fits; then it is the length of a window away.
        """
        left = self.account.left_nanousd or 0
        for orphan in self.orphans:
            left += orphan.hold_nanousd - orphan.likely_nanousd
            if left >= need_nanousd:
                return orphan.expires_ns
        if isinstance(self.account, RollingAccount):
            frees_s = self.account.frees_at_s(need_nanousd)
            length_ns = self.window.end_ns - self.window.begin_ns
            return now_ns + length_ns if frees_s is None else frees_s * NS_PER_S
        return self.window.end_ns


class Backing:
    """The funds that a call falls under, found together.

    Attributes:
        funds: loaded or not.
        accounts: those of the funds.
        limited: something is refused where one of them is used up.
        known: all were loaded when they were found. Where not, each is to be asked.
        begin_ns, end_ns: an inference of the same caller and model that begins between these falls
            under the same; an empty span where that cannot be told.
    """

    __slots__ = ("accounts", "begin_ns", "end_ns", "funds", "known", "limited")

    def __init__(self, funds: Sequence[Fund]) -> None:
        self.funds = funds
        self.accounts = [fund.account for fund in funds]
        self.limited = any(account.limit_nanousd is not None for account in self.accounts)
        self.known = all(fund.loaded for fund in funds)
        changes = any(fund.orphans or fund.budget.rolling for fund in funds)
        lasts = self.known and not changes
        self.begin_ns = max((fund.window.begin_ns for fund in funds), default=0)
        self.end_ns = min((fund.window.end_ns for fund in funds), default=_NEVER) if lasts else 0

    def check_known(self) -> None:
        """See that it is known what was spent before.

        Raises:
            BudgetBusy: a budget is new, and it is not known yet.
        """
        if not (self.known or all(fund.loaded for fund in self.funds)):
            raise BudgetBusy("The budgets of the project have just changed. Try again.")


_Whose = tuple[str, str, str, str, str, ModelRef]
"""Key, team, user, class and route of a call, and its model: they decide which funds it has."""


class Funds:
    """All funds of the process. Belongs to the event loop's thread.

    Args:
        project: declares the budgets.
        reader: knows what was spent.
        clock: UTC.
    """

    def __init__(self, project: Project, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._all: dict[tuple[str, str], Fund] = {}
        self._past: dict[tuple[str, str], Fund] = {}  # of the windows before, for what began there
        self._backings: dict[_Whose, Backing] = {}  # of the last few seconds
        self._zone = ZoneInfo(project.spend.time_zone)
        self.use(project)

    def use(self, project: Project) -> None:
        """Take up a changed project. What is spent stays spent, where the window is the same."""
        zone, self._zone = self._zone, ZoneInfo(project.spend.time_zone)
        self._budgets = project.budgets
        self._backings.clear()
        # Else a fund's amount depends on who asked last.
        self._keeps = not any(budget.class_limits_usd for budget in self._budgets.values())
        self._lease_ns = lease_ns_of(project)
        self._all, self._past = (
            {
                key: fund
                for key, fund in funds.items()
                if key[0] in self._budgets
                and _same_window(fund.budget, self._budgets[key[0]])
                and (fund.budget.rolling or zone == self._zone)
            }
            for funds in (self._all, self._past)
        )

    def of(self, call: Call, rung: Rung) -> Backing:
        """The funds that a call of a model falls under, loaded or not."""
        caller = call.caller
        whose = (
            caller.key_id,
            caller.team,
            caller.user,
            caller.user_class,
            call.target.route,
            rung.ref,
        )
        backing = self._backings.get(whose)
        if backing is None or not backing.begin_ns <= call.started_ns < backing.end_ns:
            backing = Backing(self._find_all(call, rung))
            if self._keeps and backing.end_ns:
                self._backings[whose] = backing
        return backing

    def _find_all(self, call: Call, rung: Rung) -> list[Fund]:
        caller, began_ns = call.caller, call.started_ns
        subjects = subjects_of(caller, route=call.target.route, model=str(rung.ref))
        found: list[Fund] = []
        for name, budget in self._budgets.items():
            fund = self._find((name, subjects[budget.per]), budget, began_ns)
            if budget is not fund.budget or caller.user_class != fund.user_class:
                fund.use(budget, caller.user_class)
            if fund.amount_nanousd is not None:
                found.append(fund)
        return found

    async def load(self, funds: Iterable[Fund]) -> None:
        """Learn what was spent before of those that do not know it yet."""
        groups: defaultdict[tuple[str, Window], dict[str, Fund]] = defaultdict(dict)
        for fund in funds:
            if not fund.loaded:
                groups[fund.name, fund.window][fund.subject] = fund
        for (_, window), wanted in groups.items():
            budget = next(iter(wanted.values())).budget  # the project may have changed meanwhile
            spent = await asyncio.to_thread(self._ask, budget, window, list(wanted))
            orphans = await asyncio.to_thread(self._orphans, budget.per, window)
            for subject, fund in wanted.items():
                if fund.loaded:  # another inference was faster
                    continue
                fund.loaded = True
                for began_ns, cost_nanousd in spent[subject]:
                    fund.account.spend(cost_nanousd, began_ns)
                fund.count_orphans(one for one in orphans if one.subject == subject)

    def drop_idle(self) -> None:
        """Forget funds that are over, and the oldest of too many; none that is in use."""
        self._backings.clear()  # else nobody would see that their funds are asked for
        before_ns = self._clock.wall_ns() - _KEPT_NS
        surplus = len(self._all) - _MOST_KEPT
        for funds in (self._past, self._all):
            for key, fund in list(funds.items()):
                over = not fund.budget.rolling and fund.window.end_ns <= before_ns
                idle = fund.asked_ns <= before_ns and not fund.account.held_nanousd
                if idle and (over or surplus > 0):
                    del funds[key]
                    surplus -= funds is self._all

    def _find(self, key: tuple[str, str], budget: Budget, began_ns: int) -> Fund:
        fund = self._all.get(key)
        if fund is None:
            fund = self._all[key] = self._open(key, budget, began_ns)
            return fund
        window = fund.window
        if window.begin_ns <= began_ns < window.end_ns and not (fund.orphans or budget.rolling):
            fund.asked_ns = max(fund.asked_ns, began_ns)
            return fund
        if fund.orphans:
            fund.end_leases(began_ns)
        if budget.rolling:
            if isinstance(fund.account, RollingAccount) and fund.loaded:
                fund.account.forget(began_ns)
        elif began_ns >= fund.window.end_ns:
            # A new window, in which nothing was spent: holds of the old one settle there.
            self._past[key] = fund
            fund = self._open(key, budget, began_ns)
            fund.loaded = True
            del self._all[key]  # so that those in use stand last
            self._all[key] = fund
        elif began_ns < fund.window.begin_ns:
            fund = self._past.get(key, fund)  # it began before, and goes on in its own window
        fund.asked_ns = max(fund.asked_ns, began_ns)
        return fund

    def _open(self, key: tuple[str, str], budget: Budget, began_ns: int) -> Fund:
        window = window_at(budget.window, began_ns, self._zone)
        if budget.rolling:
            rolling = ROLLING[budget.window]
            step_ns = rolling.step_s * NS_PER_S
            begin_ns = began_ns // step_ns * step_ns - rolling.length_s * NS_PER_S
            window = Window(begin_ns, begin_ns + (rolling.length_s + rolling.step_s) * NS_PER_S)
        return Fund(key[0], budget, key[1], window=window)

    # ------------------------------------------------------------ on another thread

    def _ask(
        self, budget: Budget, window: Window, subjects: list[str]
    ) -> dict[str, list[tuple[int, int]]]:
        """What each subject spent in a window: when (UTC ns) and how much."""
        if budget.rolling:
            return {subject: self._ask_steps(budget, window, subject) for subject in subjects}
        spent = spent_by(self._reader, budget.per, window, subjects=subjects)
        return {subject: [(window.begin_ns, spent.get(subject, 0))] for subject in subjects}

    def _orphans(self, per: Per, window: Window) -> list[Orphan]:
        return find_orphans(
            self._reader, per, window, lease_ns=self._lease_ns, now_ns=self._clock.wall_ns()
        )

    def _ask_steps(self, budget: Budget, window: Window, subject: str) -> list[tuple[int, int]]:
        # Users, keys and teams are added up by the hour, so a step of minutes is not to be had.
        by_minute = budget.per in {"total", "route", "model"}
        step_s = ROLLING[budget.window].step_s if by_minute else 3_600
        spent = spent_by_step(self._reader, budget.per, window, subject=subject, step_s=step_s)
        last_ns = (step_s - 1) * NS_PER_S  # spent as late in its step as can be
        now_ns = self._clock.wall_ns()
        return [(min(at_ns + last_ns, now_ns), cost) for at_ns, cost in spent.items()]


def _expiry(orphan: Orphan) -> int:
    return orphan.expires_ns


def _same_window(old: Budget, new: Budget) -> bool:
    return (old.per, old.window, old.rolling) == (new.per, new.window, new.rolling)
