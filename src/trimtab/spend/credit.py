"""Accounts and holds: who may still spend how much. Pure: no clock, no I/O, no waiting.

    room = limit - spent - held

A hold is taken from all accounts of an inference in one step, or from none. It belongs to one
attempt, grows while a stream flows, and ends by `settle`, which turns what was used into spending
and gives back the rest. Nothing else changes an account, so `held` is at any time the sum of
the open holds, and with every cost within its hold, `spent` never passes the limit.

Prepaid telephony reserves credit in the same slices (RFC 8506, Diameter Credit-Control).
"""

from collections import deque
from collections.abc import Sequence

from typing_extensions import override

from trimtab.spend.windows import Rolling
from trimtab.types.clock import NS_PER_S

__all__ = ["Account", "Hold", "RollingAccount", "take"]


class Account:
    """One budget of one subject, in one window.

    Attributes:
        name: budget and subject, for messages.
        limit_nanousd: what may be spent; None if it is only counted (a soft budget).
        spent_nanousd: what was.
        held_nanousd: the sum of the open holds.
        rolls: it has to `remember` when it was spent.
    """

    __slots__ = ("held_nanousd", "limit_nanousd", "name", "spent_nanousd")

    rolls = False

    def __init__(self, name: str, limit_nanousd: int | None, spent_nanousd: int = 0) -> None:
        self.name = name
        self.limit_nanousd = limit_nanousd
        self.spent_nanousd = spent_nanousd
        self.held_nanousd = 0

    @property
    def left_nanousd(self) -> int | None:
        """What is not spent; negative if too much is. None without a limit."""
        return None if self.limit_nanousd is None else self.limit_nanousd - self.spent_nanousd

    def spend(self, cost_nanousd: int, began_ns: int) -> None:
        """Count what an attempt cost, of an inference that began at a UTC time."""
        self.spent_nanousd += cost_nanousd
        if self.rolls:
            self.remember(cost_nanousd, began_ns)

    def remember(self, cost_nanousd: int, began_ns: int) -> None:
        """Keep when something was spent, for whoever lets it go again."""


class RollingAccount(Account):
    """One whose window ends now; spending leaves it step by step."""

    __slots__ = ("_steps", "_window")

    rolls = True

    def __init__(self, name: str, limit_nanousd: int | None, window: Rolling) -> None:
        super().__init__(name, limit_nanousd)
        self._window = window
        self._steps: deque[list[int]] = deque()  # [start in seconds, nano-dollars], by start

    @override
    def remember(self, cost_nanousd: int, began_ns: int) -> None:
        start_s = began_ns // NS_PER_S // self._window.step_s * self._window.step_s
        at = len(self._steps)
        while at and self._steps[at - 1][0] > start_s:  # a long inference ends among later ones
            at -= 1
        if at and self._steps[at - 1][0] == start_s:
            self._steps[at - 1][1] += cost_nanousd
        else:
            self._steps.insert(at, [start_s, cost_nanousd])

    def forget(self, now_ns: int) -> None:
        """Let go what is older than the window at a UTC time."""
        oldest_s = self._oldest_s(now_ns)
        while self._steps and self._steps[0][0] < oldest_s:
            self.spent_nanousd -= self._steps.popleft()[1]

    def frees_at_s(self, need_nanousd: int) -> int | None:
        """UTC second at which `need_nanousd` fit, if nothing more is spent; None if never."""
        left = self.left_nanousd
        if left is None or left >= need_nanousd:
            return None
        for start_s, amount in self._steps:
            left += amount
            if left >= need_nanousd:
                return start_s + self._window.length_s + self._window.step_s
        return None

    def _oldest_s(self, now_ns: int) -> int:
        step_s = self._window.step_s
        return now_ns // NS_PER_S // step_s * step_s - self._window.length_s


class Hold:
    """What one attempt may still turn out to cost. Made by `take`.

    Attributes:
        amount_nanousd: held in each of its accounts.
        open: it is neither settled nor given back.
    """

    __slots__ = ("_accounts", "_began_ns", "amount_nanousd", "open")

    def __init__(self, accounts: Sequence[Account], amount_nanousd: int, began_ns: int) -> None:
        self._accounts = accounts
        self._began_ns = began_ns
        self.amount_nanousd = amount_nanousd
        self.open = True
        for account in accounts:
            account.held_nanousd += amount_nanousd

    @property
    def accounts(self) -> Sequence[Account]:
        """Those that it holds from."""
        return self._accounts

    def extend(self, more_nanousd: int) -> bool:
        """Hold more, if every account has room for it."""
        if not self.open or not _fits(self._accounts, more_nanousd):
            return False
        self.amount_nanousd += more_nanousd
        for account in self._accounts:
            account.held_nanousd += more_nanousd
        return True

    def __del__(self) -> None:
        """Nobody can settle it any more: it was forgotten, which is a defect and must not cost."""
        if self.open:
            self.settle(0)

    def settle(self, cost_nanousd: int) -> int:
        """Spend what was used and give back the rest. Only the first time counts.

        Returns:
            By how much the cost passed the hold: 0 unless a bound was wrong.
        """
        if not self.open:
            return 0
        self.open = False
        held_nanousd = self.amount_nanousd
        for account in self._accounts:
            account.held_nanousd -= held_nanousd
            account.spent_nanousd += cost_nanousd
            if account.rolls:
                account.remember(cost_nanousd, self._began_ns)
        return cost_nanousd - held_nanousd if cost_nanousd > held_nanousd else 0


def take(accounts: Sequence[Account], amount_nanousd: int, *, began_ns: int) -> Hold | None:
    """Hold an amount in all of `accounts`, or in none.

    Args:
        accounts: all that an inference falls under.
        amount_nanousd: how much; what costs nothing fits even where nothing is left.
        began_ns: UTC nanoseconds at which the inference began.
    """
    if not _fits(accounts, amount_nanousd):
        return None
    return Hold(accounts, amount_nanousd, began_ns)


def _fits(accounts: Sequence[Account], amount_nanousd: int) -> bool:
    if amount_nanousd <= 0:
        return True
    for account in accounts:
        limit = account.limit_nanousd
        if limit is not None and (
            account.spent_nanousd + account.held_nanousd + amount_nanousd > limit
        ):
            return False
    return True
