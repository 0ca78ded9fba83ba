"""A run: asks for the rows that are not there yet, each on the disk before it is counted."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from random import Random
from typing import NamedTuple

from trimtab.datasets.case import Case, case_hash
from trimtab.datasets.suite import Suite
from trimtab.errors import BudgetExceeded, TrimtabError, reply_of
from trimtab.evals.allowance import Allowance
from trimtab.evals.answering import Answerer, later
from trimtab.evals.endurance import PATIENCE_S, Endurance
from trimtab.evals.keeper import Keeper
from trimtab.evals.pace import Pace
from trimtab.evals.patience import Patience
from trimtab.evals.result import Stopped
from trimtab.evals.serving import model_now
from trimtab.evals.setups import Ready
from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Row

__all__ = ["OnRow", "Planned", "Progress", "RowRun", "plan_rows"]


class Planned(NamedTuple):
    """A row to be asked for."""

    ready: Ready
    case: Case
    repeat: int


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        done: rows that are there, those of errors included.
        planned: of this run.
        failed: without an answer.
        spent_nanousd: of this run.
        at_once: requests under way at a time, at present.
    """

    done: int
    planned: int
    failed: int
    spent_nanousd: int
    at_once: int


OnRow = Callable[[Planned, Row], Awaitable[None]]
"""Hears of each row once it is on the disk."""


def plan_rows(
    setups: Sequence[Ready], suite: Suite, repeats: int, *, store: Experiments, since_ns: int = 0
) -> list[Planned]:
    """The rows that are missing, in the order in which they are asked for.

    One repeat of all cases after the other, the cases in random order, and the setups beside each
    other in random order: a bad hour of a provider hits them alike, and a run that ends early has
    seen all cases alike. Cases of a cluster follow each other, since what they share stands in
    their prompts and a provider may still have it in its cache.

    Args:
        setups: each once.
        suite: with its cases.
        repeats: of each case.
        store: has rows.
        since_ns: answers from before this time (UTC) count as missing.
    """
    known = {ready.setup.hash: _known(store, ready, since_ns) for ready in setups}
    order = Random(suite.seed)  # noqa: S311 - an order, not a secret
    cases = suite.cases
    hashes = [case_hash(case) for case in cases]
    planned: list[Planned] = []
    for repeat in range(repeats):
        for place in _by_cluster(cases, order):
            for ready in order.sample(list(setups), len(setups)):
                key = (hashes[place], repeat)
                if key not in known[ready.setup.hash]:
                    known[ready.setup.hash].add(key)  # cases that ask the same share an answer
                    planned.append(Planned(ready, cases[place], repeat))
    return planned


def _by_cluster(cases: Sequence[Case], order: Random) -> Iterator[int]:
    """Places in random order, those of a cluster one after the other."""
    clusters: defaultdict[str | int, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        clusters[case.cluster or place].append(place)
    for places in order.sample(list(clusters.values()), len(clusters)):
        yield from order.sample(places, len(places))


def _known(store: Experiments, ready: Ready, since_ns: int) -> set[tuple[str, int]]:
    """Rows with an answer of the model that serves now."""
    heads = store.row_heads(ready.setup.hash)
    now = model_now(heads)
    return {
        (head.case_hash, head.repeat)
        for head in heads
        if head.ok and head.served_model == now and head.at_ns >= since_ns
    }


class RowRun:
    """Asks for planned rows, so many at once.

    Args:
        answerer: gives answers.
        keeper: takes them to the disk.
        allowance: what may be spent.
        at_once: requests at a time, at most.
        on_row: hears of each row.
        patience_s: see `Endurance`.

    Attributes:
        endurance: what went wrong since the last answer.
    """

    def __init__(
        self,
        answerer: Answerer,
        keeper: Keeper,
        allowance: Allowance,
        *,
        at_once: int,
        on_row: OnRow,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.endurance = Endurance(patience_s)
        self._answerer = answerer
        self._keeper = keeper
        self._allowance = allowance
        self._pace = Pace(at_once)
        self._patience = Patience()
        self._workers = at_once
        self._on_row = on_row
        self._stopped: Stopped = ""
        self._planned = self._done = self._failed = 0

    @property
    def progress(self) -> Progress:
        """At this moment."""
        spent_nanousd = self._allowance.spent_nanousd
        return Progress(self._done, self._planned, self._failed, spent_nanousd, self._pace.limit)

    def stop(self) -> None:
        """Begin no more; what is under way is awaited, but not what would be asked later."""
        self._end("told")

    async def run(self, planned: Sequence[Planned]) -> Stopped:
        """Ask for all of them.

        Raises:
            StoreError: an answer cannot be kept; nothing more is asked for.
        """
        self._planned += len(planned)
        self.endurance.begin()
        waiting = iter(planned)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._workers, len(planned))):
                    group.create_task(self._work(waiting))
        except* TrimtabError as errors:
            raise errors.exceptions[0] from None
        return self._stopped

    def _end(self, why: Stopped) -> None:
        self._stopped = self._stopped or why
        self._patience.end()

    async def _work(self, waiting: Iterator[Planned]) -> None:
        while not self._stopped:
            one = next(waiting, None)
            row = await self._ask(one) if one is not None else None
            if one is None or row is None:
                return
            self._done += 1
            self._failed += row.status == "error"
            self.endurance.see(row)
            await self._on_row(one, row)
            if self.endurance.exhausted:
                self._end("down")

    async def _ask(self, one: Planned) -> Row | None:
        """A row that is on the disk; None where there is an end before."""
        try:
            row = await self._patience.ask(lambda: self._try(one))
        except BudgetExceeded:
            self._end("budget")
            return None
        except TrimtabError as error:
            if self._stopped and later(error):
                return None
            row = _failed(one, error)
        if row is None:
            return None
        (kept,) = await self._keeper.keep(rows=[row])
        return kept

    async def _try(self, one: Planned) -> Row | None:
        """One answer, when there is a place for it; None where there is an end before."""
        entered, too_fast = await self._pace.enter(), False
        try:
            return await self._pay(one)
        except TrimtabError as error:
            too_fast = later(error)
            if too_fast:
                self.endurance.put_off(error)
                if self.endurance.exhausted:
                    self._end("down")
            raise
        finally:
            self._pace.leave(entered, too_fast=too_fast)

    async def _pay(self, one: Planned) -> Row | None:
        """One answer, inside the allowance; None where it does not reach."""
        if self._stopped:
            return None
        most_nanousd = self._answerer.most_nanousd(one.ready, one.case)
        if not await self._allowance.hold(most_nanousd):
            self._end("budget")
            return None
        cost_nanousd = 0
        try:
            row = await self._answerer.answer(one.ready, one.case, one.repeat)
            cost_nanousd = row.cost_nanousd
        except TrimtabError as error:
            cost_nanousd = error.cost_nanousd
            raise
        finally:
            self._allowance.settle(most_nanousd, cost_nanousd)
        return row


def _failed(one: Planned, error: TrimtabError) -> Row:
    """The row of a case that could not even be asked."""
    return Row(
        setup_hash=one.ready.setup.hash,
        case_id=one.case.id,
        case_hash=case_hash(one.case),
        repeat=one.repeat,
        status="error",
        error_code=reply_of(error).code,
        error=str(error)[:300],
        cost_nanousd=error.cost_nanousd,
    )
