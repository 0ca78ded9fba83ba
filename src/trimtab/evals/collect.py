"""From a plan to rows and marks: asks, marks, asks again what a change of the model made void."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import Final, Generic, NamedTuple, TypeVar

from trimtab.datasets.case import Case
from trimtab.datasets.suite import Suite
from trimtab.errors import TrimtabError
from trimtab.evals.allowance import Allowance
from trimtab.evals.answering import Answerer
from trimtab.evals.keeper import Keeper
from trimtab.evals.marking import Context, Marker, compares
from trimtab.evals.registry import SuiteEvaluator
from trimtab.evals.result import Stopped
from trimtab.evals.run import Planned, Progress, RowRun, plan_rows
from trimtab.evals.scores import Scores
from trimtab.evals.serving import model_now, side_of
from trimtab.evals.setups import Ready
from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Mark, Row

__all__ = ["Collected", "Collector", "Work"]

_NOT: Final[Stopped] = ""
_ROUNDS: Final = 3
"""Once; what failed, or was answered by a model that is served no more, once more, and again."""


class Work(NamedTuple):
    """What is to be collected.

    Attributes:
        suite: with its cases.
        evaluators: of the suite.
        candidate: what is tried.
        baseline: what it is compared with; None for one setup alone.
        repeats: of each case.
        budget_nanousd: None for no limit.
        since_ns: answers from before this time (UTC) are asked for again.
        judge_again_from: what models have said of answers is asked again, from this repeat on;
            None to keep it.
    """

    suite: Suite
    evaluators: Sequence[SuiteEvaluator]
    candidate: Ready
    baseline: Ready | None
    repeats: int
    budget_nanousd: int | None
    since_ns: int = 0
    judge_again_from: int | None = None

    @property
    def setups(self) -> list[Ready]:
        """Each once, the candidate first."""
        found = {self.candidate.setup.hash: self.candidate}
        if self.baseline is not None:
            found.setdefault(self.baseline.setup.hash, self.baseline)
        return list(found.values())


class Collected(NamedTuple):
    """What there is by now.

    Attributes:
        candidate, baseline: scores.
        stopped: why not all of it is there.
        trouble: what went wrong last, where the run gave up.
        planned: rows of all setups.
        spent_nanousd: by this run, judges included.
        judge_nanousd: by judges.
    """

    candidate: Scores
    baseline: Scores | None
    stopped: Stopped
    trouble: str
    planned: int
    spent_nanousd: int
    judge_nanousd: int


class Collector:
    """Collects once. `stop` may be called meanwhile.

    Args:
        work: what.
        store: keeps rows and marks.
        answerer: gives answers.
        on_progress: hears after each row.
    """

    def __init__(
        self,
        work: Work,
        store: Experiments,
        answerer: Answerer,
        *,
        on_progress: Callable[[Progress], None],
    ) -> None:
        self._work = work
        self._store = store
        self._answerer = answerer
        self._on_progress = on_progress
        self._allowance = Allowance(work.budget_nanousd)
        self._keeper = Keeper(store, since_ns=work.since_ns)
        self._asking = {one.name for one in work.evaluators if one.asks}
        self._markers = {
            ready.setup.hash: Marker(work.evaluators, answerer, self._allowance)
            for ready in work.setups
        }
        self._told = False
        self._judged: set[tuple[str, ...]] = set()  # in this run; where judges are asked again
        self._run = RowRun(
            answerer,
            self._keeper,
            self._allowance,
            at_once=work.suite.concurrency,
            on_row=self._on_row,
        )

    def stop(self) -> None:
        """Begin no more requests, to judges neither."""
        self._told = True
        self._run.stop()
        for marker in self._markers.values():
            marker.stop()

    async def collect(self) -> Collected:
        """Ask for what is missing, mark it, and read everything.

        Raises:
            StoreError: answers cannot be kept.
        """
        work, stopped = self._work, _NOT
        for again in range(_ROUNDS):
            planned = plan_rows(
                work.setups, work.suite, work.repeats, store=self._store, since_ns=work.since_ns
            )
            if not planned:
                break
            stopped = await self._run.run(planned)
            if stopped == "down" and again:
                stopped = _NOT  # what fails once more says nothing about all the others
                break
            if stopped:
                break
        base = work.baseline.setup.hash if work.baseline is not None else ""
        self._markers[work.candidate.setup.hash].baseline = side_of(self._store, base)
        await self._mark_all()
        return self._collected("told" if self._told else stopped)

    def _collected(self, stopped: Stopped) -> Collected:
        work = self._work
        markers = list(self._markers.values())
        unaffordable = sum(marker.unaffordable for marker in markers)
        return Collected(
            candidate=self._scores(work.candidate),
            baseline=None if work.baseline is None else self._scores(work.baseline),
            stopped=stopped or ("budget" if unaffordable else ""),
            trouble=self._run.endurance.reason if stopped == "down" else "",
            planned=len(work.suite.cases) * work.repeats * len(work.setups),
            spent_nanousd=self._allowance.spent_nanousd,
            judge_nanousd=sum(marker.asked_nanousd for marker in markers),
        )

    def _scores(self, ready: Ready) -> Scores:
        work, marker = self._work, self._markers[ready.setup.hash]
        return Scores(
            self._store,
            ready.setup.hash,
            work.suite.cases,
            evaluators=work.evaluators,
            repeats=work.repeats,
            baseline=marker.baseline if ready is work.candidate else "",
        )

    # ------------------------------------------------------------ marks

    async def _on_row(self, planned: Planned, row: Row) -> None:
        marker = self._markers[planned.ready.setup.hash]
        context = self._context(planned.ready, planned.case, None)
        marks = await marker.mark(row, planned.case, context)
        if marks:
            await self._keeper.keep(marks=marks)
        if self._work.judge_again_from is not None:
            self._judged.add(_row_of(row))
        self._on_progress(self._run.progress)

    def _context(self, ready: Ready, case: Case, baseline_text: str | None) -> Context:
        served = ready.served
        schema = served.prompt.behaviour.output if served is not None else None
        return Context(self._answerer.asked_text(ready, case), schema, baseline_text)

    async def _mark_all(self) -> None:
        """Mark what has no marks yet: after a kill, a change of evaluators, or a comparison."""
        for ready in self._work.setups:
            try:
                await self._mark_setup(ready)
            except* TrimtabError as errors:
                raise errors.exceptions[0] from None

    async def _mark_setup(self, ready: Ready) -> None:
        at_once = asyncio.Semaphore(self._work.suite.concurrency)
        async with asyncio.TaskGroup() as group, aclosing(self._unmarked(ready)) as unmarked:
            async for one in unmarked:
                await at_once.acquire()
                task = group.create_task(self._mark(ready, one))
                task.add_done_callback(lambda _task: at_once.release())

    async def _mark(self, ready: Ready, one: "_Unmarked") -> None:
        marker = self._markers[ready.setup.hash]
        marks = await marker.mark(one.row, one.case, one.context, known=one.known)
        if marks:
            await self._keeper.keep(marks=marks)

    async def _unmarked(self, ready: Ready) -> "AsyncGenerator[_Unmarked]":
        """Rows that lack marks, each with its case and the marks that are there."""
        marker, scores = self._markers[ready.setup.hash], self._scores(ready)
        cases = self._work.suite.cases
        wanted = {name for case in cases for name in marker.hashes(case)}
        known = Following(self._store.marks(ready.setup.hash, wanted), _key)
        texts = self._baseline_rows() if ready is self._work.candidate else None
        for place, row in scores.rows():
            case = cases[place]
            there = {one.evaluator_hash for one in known.at(_key(row)) if not self._is_open(one)}
            if row.status != "ok" or marker.hashes(case).keys() <= there:
                continue
            beside = texts.at(_asked(row)) if texts is not None else []
            context = self._context(ready, case, beside[0].text if beside else None)
            yield _Unmarked(row, case, context, there)

    def _is_open(self, mark: Mark) -> bool:
        """Whether a model is asked once more: it could not tell, which is as an error is."""
        since = self._work.judge_again_from
        again = since is not None and mark.repeat >= since and _row_of(mark) not in self._judged
        return (again or mark.status == "unmeasured") and mark.evaluator in self._asking

    def _baseline_rows(self) -> "Following[Row, tuple[str, int]] | None":
        """The baseline's answers in order, if somebody compares."""
        base = self._work.baseline
        if base is None or not any(compares(one) for one in self._work.evaluators):
            return None
        served = model_now(self._store.row_heads(base.setup.hash))
        rows = self._store.rows(base.setup.hash)
        answers = (row for row in rows if row.status == "ok" and row.served_model == served)
        return Following(answers, _asked)


class _Unmarked(NamedTuple):
    """A row that lacks marks, beside those that are `known`."""

    row: Row
    case: Case
    context: Context
    known: set[str]


T = TypeVar("T")
K = TypeVar("K", bound=tuple[str | int, ...])


class Following(Generic[T, K]):
    """Things in order of a key, looked up in the same order, without having all in memory."""

    def __init__(self, things: Iterable[T], key: Callable[[T], K]) -> None:
        self._groups = groupby(things, key)
        self._ahead: tuple[K, list[T]] | None = None
        self._next()

    def at(self, key: K) -> list[T]:
        """Those with a key, which is not below one that was looked up before."""
        while self._ahead is not None and self._ahead[0] < key:
            self._next()
        return self._ahead[1] if self._ahead is not None and self._ahead[0] == key else []

    def _next(self) -> None:
        found = next(self._groups, None)
        self._ahead = None if found is None else (found[0], list(found[1]))


def _key(of: Row | Mark) -> tuple[str, int, str]:
    return of.case_hash, of.repeat, of.served_model


def _row_of(of: Row | Mark) -> tuple[str, ...]:
    return of.setup_hash, of.case_hash, str(of.repeat), of.served_model


def _asked(row: Row) -> tuple[str, int]:
    return row.case_hash, row.repeat
