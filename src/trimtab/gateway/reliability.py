"""What all inferences of the process share: providers' health, and counters. Outlives reloads."""

from random import Random

from trimtab.config.schema import Project
from trimtab.gateway.breakers import BreakerBoard
from trimtab.gateway.extras import HedgeTimer, RetryBudget
from trimtab.gateway.tally import Tally
from trimtab.types.clock import Clock

__all__ = ["Reliability"]


class Reliability:
    """Breakers, the budget for extra attempts, and how long routes take to begin.

    Attributes:
        board: a breaker for each model at each provider.
        budget: for retries and hedges.
        random: for the jitter of waits.
        tally: what attempts and inferences came to.
    """

    def __init__(self, project: Project, clock: Clock, random: Random | None = None) -> None:
        self._clock = clock
        self.random = random or Random()  # noqa: S311 - spreads waits, hides nothing
        self._timers: dict[str, HedgeTimer] = {}
        self.board = BreakerBoard(project.breakers, clock)
        self.budget = RetryBudget(project.retries.budget_share, clock)
        self.tally = Tally()

    def use(self, project: Project) -> None:
        """Take up a changed project. What was learnt stays."""
        self.board.use(project.breakers)
        self.budget.share = project.retries.budget_share

    def timer(self, route: str) -> HedgeTimer:
        """How long a route takes to begin; routes come from the project, so they are few."""
        timer = self._timers.get(route)
        if timer is None:
            timer = self._timers[route] = HedgeTimer(self._clock)
        return timer
