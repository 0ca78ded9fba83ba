"""What one inference may spend: how much is held for an attempt, and what its provider is told."""

from collections.abc import Sequence

from msgspec import Struct

from trimtab.config.schema import Rung
from trimtab.errors import BudgetBusy, BudgetExceeded
from trimtab.gateway.call import Call
from trimtab.gateway.downgrade import card_of, downgraded
from trimtab.gateway.funds import Backing, Fund
from trimtab.gateway.grant import FIRST_SLICE, LEAST_TOKENS, MOST_AT_FIRST, ROOM_SHARE, Grant
from trimtab.gateway.treasury import Treasury
from trimtab.spend.bounds import Bounds, RequestSize, size_of
from trimtab.spend.rates import RateCard
from trimtab.types.clock import NS_PER_S

__all__ = ["Purse"]


class _Plan(Struct, frozen=True, gc=False):
    """What is wanted of the funds for one attempt, in tokens and nano-dollars.

    Attributes:
        amount_nanousd: what is held at once.
        input_tokens: the most that the input can be.
        first: output that is held at once.
        most: output that it may grow to.
        limit: what the provider is told of it; None if the request says it already.
    """

    amount_nanousd: int
    input_tokens: int
    first: int
    most: int
    limit: int | None


class Purse:
    """Belongs to one inference.

    Attributes:
        call: the inference, as it is served: perhaps by a cheaper model than it asked for.
    """

    _first: tuple[Rung, Grant] | None = None
    _size: RequestSize | None = None

    def __init__(self, call: Call, treasury: Treasury) -> None:
        self._treasury = treasury
        self.call = call
        self._firsts = treasury.funds.of(call, call.target.rungs[0])  # as of now

    # ------------------------------------------------------------ before the first attempt

    def unknown(self) -> list[Fund]:
        """Funds of which must be learnt first what was spent before."""
        target = self.call.target
        if self._firsts.known and len(target.rungs) == 1 and target.downgrade is None:
            return []  # nearly always
        others = target.rungs[1:]
        if target.downgrade is not None:
            others = (*others, target.downgrade)
        backings = [self._firsts, *map(self._backing, others)]
        return [fund for backing in backings for fund in backing.funds if not fund.loaded]

    async def learn(self) -> None:
        """Learn it."""
        await self._treasury.funds.load(self.unknown())
        self._firsts = self._backing(self.call.target.rungs[0])  # the project may have changed

    def downgrade(self) -> Fund | None:
        """Turn to the cheapest model of the route if a budget wants that; which one does.

        Raises:
            BudgetExceeded: one wants it of a call that must not be changed.
        """
        for fund in self._firsts.funds:
            if fund.budget.over == "downgrade" and fund.exhausted:
                if self.call.exact:
                    raise self._unchangeable(fund)
                self.call = downgraded(self.call)
                self._firsts = self._backing(self.call.target.rungs[0])
                return fund
        return None

    def enter(self, *, in_line: bool) -> Sequence[Fund]:
        """Hold what the first attempt needs at first; else the funds that lack room for now.

        Args:
            in_line: it has waited for its turn; others must not overtake those who wait.

        Raises:
            BudgetExceeded: what is left of a budget does not pay for it.
            BudgetBusy: a budget is new, and what was spent of it is not known yet.
        """
        rung = self.call.target.rungs[0]
        if in_line:
            self._firsts = self._backing(rung)  # a window may have ended meanwhile
        backing = self._firsts
        if not backing.known:
            backing.check_known()
        card = card_of(self.call, rung)
        bounds = self._treasury.bounds_of(rung)
        plan = self._whole(rung, card, bounds, backing=backing)
        wanted = () if in_line else self._treasury.wanted_of(backing.funds)
        grant = None
        if plan is None or (self._is_blind(bounds) and not wanted):
            grant = self._take(card, bounds, backing=backing, plan=plan)  # what fits is paid for
        if grant is None:
            plan = self._plan(plan, card, bounds, backing=backing)
            if plan is not None and wanted:
                return wanted
            grant = self._take(card, bounds, backing=backing, plan=plan)
        if grant is None:
            return _without_room(backing, _amount(plan))
        self._first = rung, grant
        return ()

    # ------------------------------------------------------------ for each attempt

    def grant(self, rung: Rung, *, shown_bytes: int = 0) -> Grant:
        """What an attempt at a model may spend.

        Args:
            rung: which model.
            shown_bytes: of an answer that the attempt goes on with, as input.

        Raises:
            BudgetExceeded: what is left of a budget does not pay for it.
            BudgetBusy: what is left is held by others.
        """
        first, self._first = self._first, None
        if first is not None:
            if first[0] is rung:
                return first[1]
            first[1].settle(0)
        backing = self._backing(rung)
        backing.check_known()
        card, bounds = card_of(self.call, rung), self._treasury.bounds_of(rung)
        whole = self._whole(rung, card, bounds, backing=backing, shown_bytes=shown_bytes)
        plan = self._plan(whole, card, bounds, backing=backing)
        grant = self._take(card, bounds, backing=backing, plan=plan)
        if grant is None:
            raise BudgetBusy(_busy(_without_room(backing, _amount(plan))))
        return grant

    def close(self) -> None:
        """No attempt will be made."""
        if self._first is not None:
            self._first[1].settle(0)
            self._first = None

    def busy(self, funds: Sequence[Fund]) -> BudgetBusy:
        """The error for who has waited too long."""
        return BudgetBusy(_busy(funds))

    def any_near_used(self) -> bool:
        """Whether there are any `near_used`: mostly there are none."""
        for fund in self._firsts.funds:
            if fund.account.spent_nanousd >= fund.first_mark_nanousd:
                return True
        return False

    def near_used(self) -> list[Fund]:
        """Budgets of the first attempt that are nearly or wholly used."""
        return [
            fund
            for fund in self._firsts.funds
            if fund.account.spent_nanousd >= fund.first_mark_nanousd
        ]

    def _backing(self, rung: Rung) -> Backing:
        return self._treasury.funds.of(self.call, rung)

    def _whole(
        self,
        rung: Rung,
        card: RateCard,
        bounds: Bounds,
        *,
        backing: Backing,
        shown_bytes: int = 0,
    ) -> _Plan | None:
        """All that an attempt may come to, whatever is left; None where nothing is refused."""
        if not backing.limited:
            return None
        size = self._size
        if size is None:
            size = self._size = size_of(self.call.body)
        request = self.call.request
        input_tokens = bounds.input_tokens(size) + shown_bytes
        own = request.own_output_limit
        most = rung.max_output_tokens * request.choices if own is None else own
        amount_nanousd = card.hold_nanousd(input_tokens, most)
        if amount_nanousd == 0:
            return None  # also where more is spent than the limit, which may have been lowered
        return _Plan(amount_nanousd, input_tokens, most, most, most if own is None else None)

    def _plan(
        self, whole: _Plan | None, card: RateCard, bounds: Bounds, *, backing: Backing
    ) -> _Plan | None:
        """What an attempt needs of `whole`, as far as what is left pays for it.

        Raises:
            BudgetExceeded: it pays for too little.
        """
        left_nanousd = _left_of(backing)
        if whole is None or left_nanousd is None:
            return None
        input_tokens, wanted = whole.input_tokens, whole.most
        choices = self.call.request.choices
        pays = whole.amount_nanousd <= left_nanousd  # nearly always
        affordable = wanted if pays else card.affords(input_tokens, left_nanousd)
        least = wanted if self.call.exact else min(wanted, LEAST_TOKENS * choices)
        if affordable < least:
            raise self._exceeded(backing, card.hold_nanousd(input_tokens, least))
        if self._is_blind(bounds):
            if pays:
                return whole
            amount_nanousd = card.hold_nanousd(input_tokens, affordable)
            return _Plan(amount_nanousd, input_tokens, affordable, affordable, affordable)
        # Where the request does not say how long its answer may be, all that is left is for it.
        most = affordable if whole.limit is None else card.affords(input_tokens, left_nanousd)
        share = card.affords(input_tokens, _room_of(backing)) // ROOM_SHARE
        slice_tokens = min(max(share, FIRST_SLICE, 2 * bounds.reserve), MOST_AT_FIRST)
        first = min(most, slice_tokens * choices)
        amount_nanousd = card.hold_nanousd(input_tokens, first)
        limit = most if most < wanted else None
        return _Plan(amount_nanousd, input_tokens, first, most, limit)

    def _is_blind(self, bounds: Bounds) -> bool:
        """Whether output may be made that nobody sees flow."""
        request = self.call.request
        return not request.stream or bounds.hides or request.reasoning_effort is not None

    def _take(
        self, card: RateCard, bounds: Bounds, *, backing: Backing, plan: _Plan | None
    ) -> Grant | None:
        began_ns = self.call.started_ns
        if plan is None:
            return self._treasury.grant(backing, 0, began_ns=began_ns, bounds=bounds)
        amount_nanousd = plan.amount_nanousd
        grant = self._treasury.grant(backing, amount_nanousd, began_ns=began_ns, bounds=bounds)
        if grant is not None:
            grant.cover(card, input_tokens=plan.input_tokens, first=plan.first, most=plan.most)
            grant.limit_tokens = plan.limit
            grant.size = self._size
        return grant

    def _unchangeable(self, fund: Fund) -> BudgetExceeded:
        now_ns = self.call.started_ns
        return BudgetExceeded(
            f"Budget {fund.name!r} is used up, and then turns to a cheaper model. This request is "
            "for one model only: raise the budget, or wait until its window ends.",
            retry_after_s=max((fund.frees_at_ns(1, now_ns) - now_ns) / NS_PER_S, 1.0),
        )

    def _exceeded(self, backing: Backing, need_nanousd: int) -> BudgetExceeded:
        now_ns = self.call.started_ns
        lacking = [
            fund
            for fund in backing.funds
            if (left := fund.account.left_nanousd) is not None and left < need_nanousd
        ]
        until_ns, fund = max(
            ((fund.frees_at_ns(need_nanousd, now_ns), fund) for fund in lacking), key=_first_of
        )
        whose = "" if fund.budget.per == "total" else f" of this {fund.budget.per}"
        return BudgetExceeded(
            f"Budget {fund.name!r}{whose} does not pay for this request until its "
            f"{fund.budget.window} ends. Retry-After says when.",
            retry_after_s=max((until_ns - now_ns) / NS_PER_S, 1.0),
        )


def _first_of(pair: tuple[int, Fund]) -> int:
    return pair[0]


def _left_of(backing: Backing) -> int | None:
    """What the tightest of some funds has left; None where none is limited."""
    least = None
    for account in backing.accounts:
        limit = account.limit_nanousd
        if limit is not None:
            left = limit - account.spent_nanousd
            if least is None or left < least:
                least = left
    return least


def _room_of(backing: Backing) -> int:
    """What the tightest of some funds, of which one is limited, has left that nobody holds."""
    return min(
        left - account.held_nanousd
        for account in backing.accounts
        if (left := account.left_nanousd) is not None
    )


def _amount(plan: _Plan | None) -> int:
    return 0 if plan is None else plan.amount_nanousd


def _without_room(backing: Backing, need_nanousd: int) -> list[Fund]:
    return [
        fund
        for fund in backing.funds
        if (left := fund.account.left_nanousd) is not None
        and left - fund.account.held_nanousd < need_nanousd
    ]


def _busy(funds: Sequence[Fund]) -> str:
    names = ", ".join(sorted({repr(fund.name) for fund in funds}))
    return (
        f"What is left of budget {names} is held by requests under way. Try again when they are "
        "over."
    )
