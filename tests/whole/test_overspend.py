"""The promise of a budget: never more than it, hardly less, and nothing held for ever."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness import wait_until
from whole import overspend
from whole.overspend import Crowd, Spent


def _run(folder: Path, *, callers: int, budget: int, kills: int, stops: int) -> Spent:
    with overspend.stage(folder, budget) as provider:

        async def crowd_of() -> Crowd:
            crowd = Crowd(folder, Random(20261125))
            await crowd.run(callers, kills=kills, stops=stops)
            return crowd

        crowd = asyncio.run(crowd_of())
        try:
            wait_until(lambda: overspend.ask_cheaply(crowd.gateway) == 200)
            later = overspend.ask_cheaply(crowd.gateway)
        finally:
            overspend.close(crowd)
        spent = overspend.total(folder, budget, provider, crowd)
    assert later == 200, "what is left must be there for who asks for no more than it"
    assert spent.booked <= budget
    assert spent.billed <= budget
    assert spent.booked >= 0.95 * budget
    assert spent.statuses.total() == callers
    assert spent.statuses[429] > callers // 3
    return spent


def test_two_hundred_at_once_spend_the_budget_and_no_more(project_folder: Path):
    spent = _run(project_folder, callers=200, budget=20_000_000, kills=0, stops=2)
    assert spent.statuses[200] > 20
    assert spent.billed >= 0.9 * spent.budget, "without a crash the provider says nearly the same"


def test_a_crash_in_the_middle_lets_nobody_spend_more(project_folder: Path):
    # What was under way counts at its hold for a while, so less of the budget is really used.
    _run(project_folder, callers=200, budget=20_000_000, kills=1, stops=1)


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_a_thousand_at_once_spend_the_budget_and_no_more(project_folder: Path):
    _run(project_folder, callers=1_000, budget=100_000_000, kills=2, stops=3)
