"""What all inferences share of budgets: funds, bounds, and the line of those that wait for room."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from typing_extensions import override

from trimtab.config.schema import Project, Rung
from trimtab.gateway.funds import Backing, Fund, Funds
from trimtab.gateway.grant import Grant, GrantOwner
from trimtab.spend.bounds import Bounds
from trimtab.spend.credit import take
from trimtab.store.protocol import Reader
from trimtab.types.alerts import Alert, AlertSink
from trimtab.types.clock import Clock
from trimtab.types.money import format_usd
from trimtab.types.refs import ModelRef

__all__ = ["Treasury", "Waiter"]


class Waiter(Protocol):
    """Somebody in line for room in a fund."""

    def try_again(self) -> Sequence[Fund]:
        """Go on and leave the line, or say which funds have too little room yet."""
        ...


class Treasury(GrantOwner):
    """One per process; belongs to the event loop's thread.

    Args:
        project: declares the budgets.
        reader: knows what was spent before.
        clock: UTC, for alerts.
        tell: takes alerts.

    Attributes:
        funds: by budget and subject.
        excesses: attempts that cost more than was held for them.
        cuts: streams that were cut because a budget was used up.
        open_holds: attempts under way for which something is held.
    """

    def __init__(self, project: Project, *, reader: Reader, clock: Clock, tell: AlertSink) -> None:
        self._clock = clock
        self._tell = tell
        self._bounds: dict[tuple[ModelRef, bool | None], Bounds] = {}
        self._line: dict[Waiter, Sequence[Fund]] = {}
        self._wanted: Counter[Fund] = Counter()
        self._looking = False
        self.funds = Funds(project, reader, clock)
        self.excesses = 0
        self.cuts = 0
        self.open_holds = 0

    @property
    def waiting(self) -> int:
        """How many inferences wait for room in a budget."""
        return len(self._line)

    def bounds_of(self, rung: Rung) -> Bounds:
        """What is known of how many tokens a model makes of bytes."""
        key = rung.ref, rung.hidden_reasoning  # which a changed project may say otherwise
        bounds = self._bounds.get(key)
        if bounds is None:
            bounds = self._bounds[key] = Bounds(hides=rung.hidden_reasoning)
        return bounds

    def grant(
        self, backing: Backing, amount_nanousd: int, *, began_ns: int, bounds: Bounds
    ) -> Grant | None:
        """Hold an amount in all funds of `backing`; None if one of them has no room for it.

        Args:
            backing: those that an attempt falls under.
            amount_nanousd: how much.
            began_ns: UTC nanoseconds at which its inference began.
            bounds: of its model.
        """
        hold = take(backing.accounts, amount_nanousd, began_ns=began_ns)
        if hold is None:
            return None
        self.open_holds += amount_nanousd > 0
        return Grant(hold, backing, bounds=bounds, owner=self)

    # ------------------------------------------------------------ the line

    def wait(self, waiter: Waiter, funds: Sequence[Fund]) -> None:
        """Stand in line for room in `funds`. Whoever goes, goes with `leave`."""
        self._line[waiter] = funds
        self._wanted.update(funds)
        self._look_soon()  # what those before it lacked may have come back meanwhile

    def leave(self, waiter: Waiter) -> None:
        """Out of the line, if in it. Those behind it may have waited for nothing else."""
        self._wanted.subtract(self._line.pop(waiter, ()))
        if not self._line:
            self._wanted.clear()
        self._look_soon()

    def wanted_of(self, funds: Sequence[Fund]) -> list[Fund]:
        """Those of `funds` that somebody waits for, so that nobody may overtake."""
        return [fund for fund in funds if self._wanted[fund] > 0] if self._line else []

    def _look_soon(self) -> None:
        if self._line and not self._looking:
            self._looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Let those go on for whom there is room now, in the order in which they came."""
        self._looking = False
        blocked: set[Fund] = set()
        for waiter, funds in list(self._line.items()):
            if waiter not in self._line or not blocked.isdisjoint(funds):
                continue
            lacking = waiter.try_again()
            if waiter in self._line:
                self._wanted.subtract(funds)
                self._wanted.update(lacking)
                self._line[waiter] = lacking
                blocked.update(lacking)

    # ------------------------------------------------------------ when something was spent

    @override
    def on_cut(self) -> None:
        self.cuts += 1

    @override
    def on_settled(self, grant: Grant, excess_nanousd: int) -> None:
        self.open_holds -= grant.hold.amount_nanousd > 0
        if excess_nanousd:
            self.excesses += 1
        for fund in grant.backing.funds:
            if fund.account.spent_nanousd >= fund.next_mark_nanousd and fund.passes_mark():
                self._tell(_alert(fund, self._clock.wall_ns()))
        if self._line:
            self._look_soon()


def _alert(fund: Fund, now_ns: int) -> Alert:
    share, amount = fund.passed, fund.amount_nanousd or 0
    return Alert(
        kind="budget",
        key=f"budget/{fund.name}/{fund.subject}/{fund.window.begin_ns}/{share:g}",
        at_ns=now_ns,
        message=_message(fund),
        facts={
            "budget": fund.name,
            "per": fund.budget.per,
            "subject": fund.subject,
            "share": share,
            "limit_nanousd": amount,
            "spent_nanousd": fund.account.spent_nanousd,
        },
    )


def _message(fund: Fund) -> str:
    per, amount = fund.budget.per, format_usd(fund.amount_nanousd or 0)
    whose = "" if per == "total" else f" of {per} {fund.subject or '(none)'}"
    limit = f"{amount} per {fund.budget.window}"
    if fund.passed >= 1.0:
        return f"Budget {fund.name}{whose} is used up: {limit}."
    spent = format_usd(fund.account.spent_nanousd)
    return f"Budget {fund.name}{whose} has passed {fund.passed:.0%}: {spent} of {limit}."
