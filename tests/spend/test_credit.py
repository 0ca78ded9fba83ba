"""Accounts and holds beside a model that knows nothing of how they are kept."""

import gc
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from trimtab.spend.credit import Account, Hold, RollingAccount, take
from trimtab.spend.windows import ROLLING, Rolling
from trimtab.types.clock import NS_PER_S

LENGTH_S, STEP_S = 600, 60
WINDOW = Rolling(LENGTH_S, STEP_S)
AMOUNTS = st.integers(0, 60)


class Told:
    """What the model remembers of one hold: which accounts, how much, since when."""

    def __init__(self, where: list[int], amount: int, began_s: int) -> None:
        self.where = where
        self.amount = amount
        self.began_s = began_s
        self.hold: Hold | None = None


class Machine(RuleBasedStateMachine):
    """Three accounts, one of which is rolling and one of which only counts."""

    holds = Bundle("holds")

    @initialize()
    def open(self) -> None:
        self.now_s = 10_000
        self.rolling = RollingAccount("rolling", 100, WINDOW)
        self.accounts: list[Account] = [Account("plain", 100), self.rolling, Account("soft", None)]
        self.limits: list[int | None] = [100, 100, None]
        self.excused: set[int] = set()  # where a limit was lowered, or a cost passed its hold
        self.told: list[Told] = []
        self.paid: list[tuple[int, int, int]] = []  # account, when its inference began, how much

    # ------------------------------------------------------------ the model

    def spent(self, at: int) -> int:
        return sum(cost for account, _, cost in self.paid if account == at)

    def held(self, at: int) -> int:
        return sum(one.amount for one in self.told if at in one.where)

    def counts(self, began_s: int) -> bool:
        """Whether spending still counts in the rolling window: by whole steps."""
        return self.now_s < began_s // STEP_S * STEP_S + LENGTH_S + STEP_S

    def fits(self, where: list[int], amount: int) -> bool:
        if amount == 0:
            return True
        for at in where:
            limit = self.limits[at]
            if limit is not None and self.spent(at) + self.held(at) + amount > limit:
                return False
        return True

    # ------------------------------------------------------------ what may happen

    @rule(
        target=holds,
        where=st.sets(st.integers(0, 2)).map(sorted),
        amount=AMOUNTS,
        ago_s=st.integers(0, LENGTH_S),
    )
    def take(self, where: list[int], amount: int, ago_s: int) -> Any:
        told = Told(where, amount, self.now_s - ago_s)
        before = [account.held_nanousd for account in self.accounts]
        accounts = [self.accounts[at] for at in where]
        told.hold = take(accounts, amount, began_ns=told.began_s * NS_PER_S)
        assert (told.hold is not None) == self.fits(where, amount)
        if told.hold is None:
            assert [account.held_nanousd for account in self.accounts] == before
            return multiple()
        assert list(told.hold.accounts) == accounts
        self.told.append(told)
        return told

    @rule(told=holds, more=AMOUNTS)
    def extend(self, told: Told, more: int) -> None:
        assert told.hold is not None
        fits = self.fits(told.where, more)
        assert told.hold.extend(more) == fits
        told.amount += more if fits else 0

    @rule(told=consumes(holds), share=st.floats(0, 1))
    def settle_within(self, told: Told, share: float) -> None:
        self.settle(told, int(told.amount * share))

    @rule(told=consumes(holds), excess=st.integers(1, 50))
    def settle_beyond(self, told: Told, excess: int) -> None:
        self.excused.update(told.where)
        self.settle(told, told.amount + excess)

    def settle(self, told: Told, cost: int) -> None:
        assert told.hold is not None
        self.told.remove(told)
        assert told.hold.settle(cost) == max(0, cost - told.amount)
        assert not told.hold.open
        assert told.hold.settle(1_000) == 0, "only the first time counts"
        assert not told.hold.extend(1)
        self.paid += [(at, told.began_s, cost) for at in told.where]

    @rule(told=consumes(holds))
    def forget_a_hold(self, told: Told) -> None:
        self.told.remove(told)
        told.hold = None  # nobody can settle it any more
        gc.collect(0)

    @rule(at=st.integers(0, 1), limit=st.none() | st.integers(0, 200))
    def change_a_limit(self, at: int, limit: int | None) -> None:
        before = self.limits[at]
        if limit is not None and (before is None or limit < before):
            self.excused.add(at)
        self.accounts[at].limit_nanousd = self.limits[at] = limit

    @rule(by_s=st.integers(1, LENGTH_S // 2))
    def time_passes(self, by_s: int) -> None:
        self.now_s += by_s
        self.rolling.forget(self.now_s * NS_PER_S)
        self.paid = [
            (at, began_s, cost)
            for at, began_s, cost in self.paid
            if at != 1 or self.counts(began_s)
        ]

    @rule(need=st.integers(1, 120))
    def ask_when_it_fits(self, need: int) -> None:
        self.rolling.forget(self.now_s * NS_PER_S)
        self.paid = [one for one in self.paid if one[0] != 1 or self.counts(one[1])]
        frees_s = self.rolling.frees_at_s(need)
        limit = self.limits[1]
        if limit is None or limit - self.spent(1) >= need:
            assert frees_s is None, "it fits already"
        elif need > limit:
            assert frees_s is None, "it never fits"
        else:
            assert frees_s is not None
            assert self.left_at(frees_s, limit) >= need
            assert self.left_at(frees_s - 1, limit) < need

    def left_at(self, then_s: int, limit: int) -> int:
        now_s, self.now_s = self.now_s, then_s
        spent = sum(cost for at, began_s, cost in self.paid if at == 1 and self.counts(began_s))
        self.now_s = now_s
        return limit - spent

    # ------------------------------------------------------------ what always holds

    @invariant()
    def is_as_the_model_says(self) -> None:
        for at, account in enumerate(self.accounts):
            assert account.held_nanousd == self.held(at) >= 0
            assert account.spent_nanousd == self.spent(at)
            limit = self.limits[at]
            left = None if limit is None else limit - self.spent(at)
            assert account.left_nanousd == left
            if limit is not None and at not in self.excused:
                assert account.spent_nanousd + account.held_nanousd <= limit

    @invariant()
    def what_costs_nothing_fits(self) -> None:
        hold = take(self.accounts, 0, began_ns=0)
        assert hold is not None
        hold.settle(0)

    def teardown(self) -> None:
        if not hasattr(self, "told"):
            return
        for told in list(self.told):
            self.settle(told, told.amount // 2)
        assert [account.held_nanousd for account in self.accounts] == [0, 0, 0]


Machine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestCredit = Machine.TestCase


@given(
    length=st.sampled_from(["hour", "day", "week", "month"]),
    began_s=st.integers(10**9, 10**9 + 10**8),
    early_s=st.integers(0, 10**7),
    late_s=st.integers(0, 10**7),
)
def test_a_rolling_window_forgets_after_its_length_and_at_most_a_step_later(
    length: Any, began_s: int, early_s: int, late_s: int
):
    window = ROLLING[length]
    account = RollingAccount("a", 10, window)
    account.spend(7, began_s * NS_PER_S)
    account.forget((began_s + min(early_s, window.length_s)) * NS_PER_S)
    assert account.spent_nanousd == 7, "never too early"
    account.forget((began_s + window.length_s + window.step_s + late_s) * NS_PER_S)
    assert account.spent_nanousd == 0


def test_spending_of_an_inference_that_took_long_leaves_by_its_beginning():
    account = RollingAccount("a", 100, WINDOW)
    account.spend(1, 1_200 * NS_PER_S)
    account.spend(2, 600 * NS_PER_S)  # it ends among later ones
    account.spend(4, 610 * NS_PER_S)
    assert account.spent_nanousd == 7
    account.forget((600 + LENGTH_S + STEP_S) * NS_PER_S)
    assert account.spent_nanousd == 1


def test_an_account_without_a_limit_frees_nothing_since_all_fits():
    account = RollingAccount("a", None, WINDOW)
    account.spend(10**12, 0)
    assert account.frees_at_s(10**12) is None
    assert account.left_nanousd is None
