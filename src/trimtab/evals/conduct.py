"""An experiment from its order to its result: collect, judge, perhaps extend, keep."""

from collections.abc import Callable
from typing import Final

import msgspec

from trimtab.datasets.case import Case
from trimtab.evals.collect import Collected, Collector, Work
from trimtab.evals.critical import SAFETY
from trimtab.evals.frame import Frame
from trimtab.evals.gate import Judgement, judge, judge_alone
from trimtab.evals.looks import Ending, Look, why_end
from trimtab.evals.order import Lab, Order
from trimtab.evals.quoting import Quote, quote_of
from trimtab.evals.result import Result, Stopped
from trimtab.evals.run import Progress
from trimtab.evals.standing import standing_of
from trimtab.evals.summary import Account, Finished, build_result
from trimtab.types.experiments import Experiment

__all__ = ["Conduct"]

_ENDED: Final[dict[Stopped, str]] = {
    "budget": "the budget ended the run",
    "told": "somebody ended the run",
    "down": "the run gave up",
}

_EARLY: Final[dict[Ending, str]] = {
    "clear": "It was clear",
    "hopeless": "Neither a pass nor a fail was to be expected of the rest: it ended",
}


class Conduct:
    """One experiment. `quote` first, then `carry_out`.

    Args:
        lab: what it is made with.
        order: what is to be done.
    """

    def __init__(self, lab: Lab, order: Order) -> None:
        self._lab = lab
        self._order = order
        self._quote: Quote | None = None
        self._collector: Collector | None = None
        self._stopped = False

    def stop(self) -> None:
        """Begin no more requests; what is there is judged."""
        self._stopped = True
        if self._collector is not None:
            self._collector.stop()

    def quote(self) -> Quote:
        """What it will take, as things were when this was first asked."""
        if self._quote is None:
            self._quote = quote_of(self._lab, self._order)
        return self._quote

    async def carry_out(self, on_progress: Callable[[Progress], None]) -> Result:
        """Collect, judge and keep.

        Raises:
            StoreError: answers cannot be kept.
            ConfigError: a calibration of a judge is not as it must be.
        """
        order, lab = self._order, self._lab
        detects = {one.metric: one.detects for one in self.quote().outlooks if one.detects}
        begun_s = lab.clock.monotonic_s()
        experiment = self._experiment(lab.clock.wall_ns())
        lab.store.keep_experiment(experiment)
        finished, ending = await self._look_by_look(experiment, on_progress)
        judgement = finished.judgement
        ended = msgspec.structs.replace(
            experiment,
            ended_ns=lab.clock.wall_ns(),
            repeats=finished.work.repeats,
            verdict=judgement.verdict if judgement is not None else "",
            spent_nanousd=finished.collected.spent_nanousd,
        )
        account = Account(
            asked=self._asked,
            why_not=order.evaluators.not_measured,
            detects=detects,
            took_s=lab.clock.monotonic_s() - begun_s,
            notes=self._notes(finished, ending),
        )
        result = build_result(finished._replace(experiment=ended), account)
        lab.store.keep_experiment(
            msgspec.structs.replace(ended, summary=msgspec.json.encode(result))
        )
        return result

    def _experiment(self, started_ns: int) -> Experiment:
        order = self._order
        return Experiment(
            id=order.id,
            suite=order.suite.name,
            suite_hash=order.suite.hash,
            kind=order.kind,
            candidate=order.candidate.setup,
            baseline=order.baseline.setup if order.baseline is not None else None,
            repeats=order.repeats,
            started_ns=started_ns,
        )

    async def _look_by_look(
        self, experiment: Experiment, on_progress: Callable[[Progress], None]
    ) -> tuple[Finished, Ending]:
        """Until it is clear, or nothing is left to ask; and why it ended early, if it did."""
        looks = self._order.looks
        tally = _Tally(self.quote().missing, on_progress)
        finished = await self._take(experiment, looks[0], None, on_progress=tally.hear)
        for look in looks[1:]:
            if finished.collected.stopped:
                break
            ending = self._ending(finished)
            if ending:
                return finished, ending
            if look.kind == "extended" and not self._may_extend(finished):
                break
            tally.begin()
            finished = await self._take(experiment, look, finished, on_progress=tally.hear)
        return finished, ""

    async def _take(
        self,
        experiment: Experiment,
        look: Look,
        last: Finished | None,
        *,
        on_progress: Callable[[Progress], None],
    ) -> Finished:
        """Collect what a look asks for, and judge it."""
        order, lab = self._order, self._lab
        before = last.collected if last is not None else None
        spent_nanousd = before.spent_nanousd if before is not None else 0
        budget = order.budget_nanousd
        work = Work(
            suite=order.suite,
            evaluators=order.evaluators.evaluators,
            candidate=order.candidate,
            baseline=order.baseline,
            repeats=look.repeats,
            budget_nanousd=None if budget is None else max(budget - spent_nanousd, 0),
            since_ns=experiment.started_ns if order.fresh else 0,
            judge_again_from=(last.look.repeats if last else 0) if order.judge_again else None,
        )
        self._collector = Collector(work, lab.store, lab.answerer, on_progress=on_progress)
        if self._stopped:
            self._collector.stop()
        collected = await self._collector.collect()
        if before is not None:
            collected = collected._replace(
                spent_nanousd=spent_nanousd + collected.spent_nanousd,
                judge_nanousd=before.judge_nanousd + collected.judge_nanousd,
            )
        standing = standing_of(order, collected)
        frame = order.frame(look, standing.advisory, standing.corrected)
        return Finished(
            experiment, look, work, collected, self._judge(collected, frame), frame, standing.notes
        )

    def _judge(self, collected: Collected, frame: Frame) -> Judgement | None:
        if self._order.kind != "gate":
            return None
        new = collected.candidate.metrics()
        if collected.baseline is None:
            judgement = judge_alone(new, frame)
        else:
            judgement = judge(new, collected.baseline.metrics(), frame)
        if collected.stopped:
            # Neither a fail nor a pass of what was not seen to its end.
            reason = f"{_ENDED[collected.stopped]} before all rows were there"
            return judgement._replace(
                verdict="inconclusive", why=[reason, *judgement.why], repeats_may_settle=False
            )
        return judgement

    def _ending(self, finished: Finished) -> Ending:
        order, judgement = self._order, finished.judgement
        if finished.look.kind != "early" or judgement is None:
            return ""
        safety = any(one.metric == SAFETY for one in order.evaluators.evaluators)
        watched = safety or any(case.critical for case in order.suite.cases)
        return why_end(judgement, finished.look, order.looks, watched=watched)

    def _may_extend(self, finished: Finished) -> bool:
        judgement = finished.judgement
        return judgement is not None and judgement.repeats_may_settle

    def _notes(self, finished: Finished, ending: Ending) -> list[str]:
        order, look = self._order, finished.look
        notes = [*order.evaluators.notes, *finished.notes]
        if look.kind == "extended":
            notes.append(
                f"Inconclusive with {order.repeats} answers to each case, so it was extended to "
                f"{look.repeats}."
            )
        elif ending:
            counts = f"{look.repeats} of {order.repeats} answers to each case"
            notes.append(f"{_EARLY[ending]} after {counts}.")
        elif self._cannot_settle(finished):
            notes.append("More answers to these cases would not settle it, so none were asked for.")
        if len(order.looks) > 1:
            notes.append(self._levels(look))
        if len(order.setups) == 1 and order.baseline is not None:
            notes.append("Candidate and baseline are the same setup, so nothing can differ.")
        return notes

    def _levels(self, look: Look) -> str:
        looks = self._order.looks
        return (
            f"Since this gate may look {len(looks)} times, this look is at alpha "
            f"{look.policy.alpha:.4f}, which keeps {self._order.suite.gate.alpha:g} in all."
        )

    def _cannot_settle(self, finished: Finished) -> bool:
        judgement = finished.judgement
        return (
            self._order.looks[-1].kind == "extended"
            and not finished.collected.stopped
            and judgement is not None
            and judgement.verdict == "inconclusive"
        )

    def _asked(self, case: Case) -> str:
        return self._lab.answerer.asked_text(self._order.candidate, case)


class _Tally:
    """Progress over all looks, whose runs count by themselves.

    Args:
        missing: rows that are to be asked for, if the gate goes on to its planned end.
        on_progress: hears of the whole.
    """

    def __init__(self, missing: int, on_progress: Callable[[Progress], None]) -> None:
        self._missing = missing
        self._on_progress = on_progress
        self._before = self._last = Progress(0, 0, 0, 0, 0)

    def begin(self) -> None:
        """What is heard from now on is of another look."""
        self._before = self._last

    def hear(self, progress: Progress) -> None:
        """Of one look's run."""
        before = self._before
        self._last = progress._replace(
            done=before.done + progress.done,
            planned=max(self._missing, before.done + progress.planned),
            failed=before.failed + progress.failed,
            spent_nanousd=before.spent_nanousd + progress.spent_nanousd,
        )
        self._on_progress(self._last)
