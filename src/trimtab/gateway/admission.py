"""One request on its way to its first attempt, where budgets have a say: learn, wait, go on.

Most never wait: what was spent is known, there is room, and the attempt begins in the same step.
"""

import asyncio
from collections.abc import Callable, Sequence

from typing_extensions import override

from trimtab.errors import CallerGone, ShuttingDown
from trimtab.gateway.funds import Fund
from trimtab.gateway.outlet import Outlet, OutletListener
from trimtab.gateway.purse import Purse
from trimtab.gateway.spawn import Spawn
from trimtab.gateway.treasury import Treasury

__all__ = ["Admission", "enter_at_once"]


def enter_at_once(purse: Purse, outlet: Outlet) -> Sequence[Fund]:
    """Hold what the first attempt needs, and note what its caller should know of budgets.

    All that was spent before must be known.

    Returns:
        The funds that lack room for now; none if it may begin.

    Raises:
        BudgetExceeded: what is left of a budget does not pay for it.
    """
    if purse.any_near_used():  # a budget that is not has no word to say
        downgrading = purse.downgrade()
        if downgrading is not None:
            outlet.note(b"x-trimtab-downgraded: %b\r\n" % downgrading.name.encode())
        for fund in purse.near_used():
            line = f"x-trimtab-budget: {fund.name}; used={fund.used:.0%}\r\n"
            outlet.note(line.encode())
    return purse.enter(in_line=False)


class Admission(OutletListener):
    """Ends by itself, with a call of `launch` or an error at the outlet, and one of `on_over`.

    Args:
        purse: what the inference may spend.
        treasury: has the line.
        outlet: the caller.
        launch: begins the inference, or raises.
        refuse: hears why it will not begin, where that turns out later.
        on_over: hears that this is over.

    Attributes:
        answered: as of an inference; never.
    """

    answered = 0

    def __init__(
        self,
        purse: Purse,
        treasury: Treasury,
        outlet: Outlet,
        *,
        launch: Callable[[Purse], None],
        refuse: Callable[[Exception], None],
        on_over: "Callable[[Admission], None]",
    ) -> None:
        self._purse = purse
        self._treasury = treasury
        self._outlet = outlet
        self._launch = launch
        self._refuse = refuse
        self._on_over = on_over
        self._over = False
        self._lacking: Sequence[Fund] = ()
        self._timer: asyncio.TimerHandle | None = None

    def learn(self, spawn: Spawn) -> None:
        """Go on as soon as it is known what was spent before.

        Raises:
            CallerGone: the caller has left.
        """
        self._listen()
        spawn(self._learn())

    def wait(self, lacking: Sequence[Fund]) -> None:
        """Stand in line for room in some funds, and go on when it is there.

        Raises:
            CallerGone: the caller has left.
        """
        self._listen()
        self._stand(lacking)

    def stop(self) -> None:
        """End it now, because the process ends."""
        if not self._over:
            self._end(ShuttingDown("The gateway was stopped. Try again elsewhere."))

    def check_time(self) -> None:
        """It has a timer of its own."""

    def try_again(self) -> Sequence[Fund]:
        """See `Waiter`."""
        try:
            self._enter(in_line=True)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            self._end(error)
        return () if self._over else self._lacking

    def _listen(self) -> None:
        if self._outlet.gone:
            raise CallerGone("The caller closed the connection.")
        self._outlet.listener = self

    def _enter(self, *, in_line: bool) -> None:
        """Take the hold and begin, or stand in line.

        Raises:
            TrimtabError: it may not go on.
        """
        if in_line:
            self._lacking = self._purse.enter(in_line=True)
        else:
            self._lacking = enter_at_once(self._purse, self._outlet)
        if not self._lacking:
            self._leave()
            try:
                self._launch(self._purse)
            except BaseException:
                self._purse.close()
                raise
            finally:
                self._on_over(self)
        elif not in_line:
            self._stand(self._lacking)

    def _stand(self, lacking: Sequence[Fund]) -> None:
        self._lacking = lacking
        self._treasury.wait(self, lacking)
        timeouts = self._purse.call.target.timeouts
        # The other half is left for the provider, whose time counts from the same beginning.
        longest_s = min(timeouts.ttft_s, timeouts.total_s) / 2
        self._timer = asyncio.get_running_loop().call_later(longest_s, self._give_up)

    async def _learn(self) -> None:
        try:
            while not self._over and self._purse.unknown():
                await self._purse.learn()  # again if the project changed meanwhile
            if not self._over:
                self._enter(in_line=False)
        except Exception as error:  # noqa: BLE001 - as above
            self._end(error)

    def _give_up(self) -> None:
        self._end(self._purse.busy(self._lacking))

    def _leave(self) -> None:
        """Nothing is waited for any more."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._treasury.leave(self)

    def _end(self, error: Exception) -> None:
        """It has not begun and will not."""
        if not self._over:
            self._leave()
            self._on_over(self)
        self._refuse(error)

    # ------------------------------------------------------------ OutletListener

    @override
    def on_gone(self) -> None:
        if not self._over:
            self._end(CallerGone("The caller closed the connection."))

    @override
    def on_paused(self) -> None:
        pass  # nothing is sent yet

    @override
    def on_resumed(self) -> None:
        pass
