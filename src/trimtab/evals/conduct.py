"""An experiment from its order to its result: quote, collect, judge, keep, prove."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from trimtab.datasets.case import Case
from trimtab.datasets.suite import Suite
from trimtab.errors import TrimtabError
from trimtab.evals.answering import Answerer
from trimtab.evals.collect import Collected, Collector, Work
from trimtab.evals.compare import Frame
from trimtab.evals.gate import Judgement, judge, judge_alone
from trimtab.evals.judges.gating import advisory_metrics
from trimtab.evals.outlook import Outlook, outlooks
from trimtab.evals.registry import SuiteEvaluators
from trimtab.evals.result import Result
from trimtab.evals.run import Planned, Progress, plan_rows
from trimtab.evals.scores import Scores
from trimtab.evals.serving import side_of
from trimtab.evals.setups import Ready
from trimtab.evals.summary import Account, Finished, build_result
from trimtab.stats.group_sequential import nominal_alpha
from trimtab.store.protocol import Experiments
from trimtab.types.clock import Clock
from trimtab.types.experiments import Experiment

__all__ = ["Conduct", "Lab", "Order", "Quote"]

_LOOKS: Final = 2
"""Of a gate that may be extended: what is asked twice finds by chance more often."""


class Lab(NamedTuple):
    """What experiments are made with.

    Attributes:
        store: keeps answers.
        answerer: gives them.
        clock: tells the time.
    """

    store: Experiments
    answerer: Answerer
    clock: Clock


class Order(NamedTuple):
    """What is to be done.

    Attributes:
        id: of the experiment.
        kind: what for.
        suite: with its cases.
        evaluators: of the suite.
        advisory: why a metric gates nothing, by its name.
        candidate: what is tried.
        baseline: what it is compared with; None for a run of one, or a first release.
        repeats: of each case.
        budget_nanousd: None for no limit.
    """

    id: str
    kind: Literal["run", "gate", "aa"]
    suite: Suite
    evaluators: SuiteEvaluators
    advisory: Mapping[str, str]
    candidate: Ready
    baseline: Ready | None
    repeats: int
    budget_nanousd: int | None

    @property
    def setups(self) -> list[Ready]:
        """The candidate first."""
        return [self.candidate] if self.baseline is None else [self.candidate, self.baseline]

    @property
    def extends(self) -> bool:
        """Whether an inconclusive gate asks once more."""
        return self.kind == "gate" and self.suite.gate.inconclusive == "extend"

    def frame(self, judged_by: Mapping[str, set[str]] | None = None) -> Frame:
        """What verdicts are given in.

        Args:
            judged_by: the models that were asked, by the name of the evaluator: only with those
                that it was calibrated with may a judge gate.
        """
        policy, advisory = self.suite.gate, dict(self.advisory)
        if judged_by:
            found = advisory_metrics(
                self.suite.folder, self.evaluators.evaluators, judged_by=judged_by
            )
            advisory = {**found, **advisory}
        if self.extends:
            alpha = nominal_alpha(policy.alpha, looks=_LOOKS)
            policy = msgspec.structs.replace(policy, alpha=alpha)
        return Frame(self.suite.cases, policy, advisory)


class Quote(NamedTuple):
    """What it will take, before anything is spent.

    Attributes:
        planned: rows of all setups.
        missing: of these, that must be asked for.
        most_nanousd: what they can cost; retries left out.
        likely_nanousd: by what rows of these setups have cost; None where there are none.
        likely_s: by how long they took; None where there are none.
        outlooks: what the gate will be able to tell.
    """

    planned: int
    missing: int
    most_nanousd: int
    likely_nanousd: int | None
    likely_s: float | None
    outlooks: list[Outlook]


class Conduct:
    """One experiment. `quote` first, then `carry_out`.

    Args:
        lab: what it is made with.
        order: what is to be done.
    """

    def __init__(self, lab: Lab, order: Order) -> None:
        self._lab = lab
        self._order = order
        self._collector: Collector | None = None
        self._stopped = False

    def stop(self) -> None:
        """Begin no more requests; what is there is judged."""
        self._stopped = True
        if self._collector is not None:
            self._collector.stop()

    def quote(self) -> Quote:
        """What it will take."""
        order, lab = self._order, self._lab
        missing = self._missing(order.repeats)
        scores = self._all_scores()
        return Quote(
            planned=len(order.suite.cases) * order.repeats * len(order.setups),
            missing=len(missing),
            most_nanousd=_most_nanousd(lab.answerer, missing),
            likely_nanousd=_likely(scores, missing),
            likely_s=_likely_s(scores, missing, order.suite.concurrency),
            outlooks=self._outlooks(scores),
        )

    async def carry_out(self, on_progress: Callable[[Progress], None]) -> Result:
        """Collect, judge and keep.

        Raises:
            StoreError: answers cannot be kept.
        """
        order, lab = self._order, self._lab
        begun_s, started_ns = lab.clock.monotonic_s(), lab.clock.wall_ns()
        experiment = Experiment(
            id=order.id,
            suite=order.suite.name,
            suite_hash=order.suite.hash,
            kind=order.kind,
            candidate=order.candidate.setup,
            baseline=order.baseline.setup if order.baseline is not None else None,
            repeats=order.repeats,
            started_ns=started_ns,
        )
        lab.store.keep_experiment(experiment)
        outlooks = self._outlooks(self._all_scores())
        detects = {one.metric: one.detects for one in outlooks if one.detects}
        work, collected = await self._collect(order.repeats, None, on_progress=on_progress)
        judgement = self._judge(collected)
        if judgement is not None and self._may_extend(judgement, collected):
            more = order.suite.gate.extend_repeats or _LOOKS * order.repeats
            work, collected = await self._collect(more, collected, on_progress=on_progress)
            judgement = self._judge(collected)
        finished = Finished(experiment, work, collected, judgement, self._frame(collected))
        account = Account(
            asked=self._asked,
            why_not=order.evaluators.not_measured,
            detects=detects,
            took_s=lab.clock.monotonic_s() - begun_s,
            notes=self._notes(work),
        )
        ended = msgspec.structs.replace(
            experiment,
            ended_ns=lab.clock.wall_ns(),
            repeats=work.repeats,
            verdict=judgement.verdict if judgement is not None else "",
            spent_nanousd=collected.spent_nanousd,
        )
        result = build_result(finished._replace(experiment=ended), account, lab.store)
        kept = msgspec.structs.replace(ended, summary=msgspec.json.encode(result))
        lab.store.keep_experiment(kept)
        return result

    async def _collect(
        self, repeats: int, before: Collected | None, *, on_progress: Callable[[Progress], None]
    ) -> tuple[Work, Collected]:
        order, lab = self._order, self._lab
        spent_nanousd = before.spent_nanousd if before is not None else 0
        budget = order.budget_nanousd
        work = Work(
            suite=order.suite,
            evaluators=order.evaluators.evaluators,
            candidate=order.candidate,
            baseline=order.baseline,
            repeats=repeats,
            budget_nanousd=None if budget is None else max(budget - spent_nanousd, 0),
        )
        self._collector = Collector(work, lab.store, lab.answerer, on_progress=on_progress)
        if self._stopped:
            self._collector.stop()
        collected = await self._collector.collect()
        if before is None:
            return work, collected
        return work, collected._replace(
            spent_nanousd=spent_nanousd + collected.spent_nanousd,
            judge_nanousd=before.judge_nanousd + collected.judge_nanousd,
        )

    def _judge(self, collected: Collected) -> Judgement | None:
        if self._order.kind != "gate":
            return None
        frame, new = self._frame(collected), collected.candidate.metrics()
        if collected.baseline is None:
            judgement = judge_alone(new, frame)
        else:
            judgement = judge(new, collected.baseline.metrics(), frame)
        if collected.stopped:
            # Neither a fail nor a pass of what was not seen to its end.
            words = "the budget ended the run" if collected.stopped == "budget" else "it was ended"
            why = [f"{words} before all rows were there", *judgement.why]
            return judgement._replace(verdict="inconclusive", why=why)
        return judgement

    def _frame(self, collected: Collected) -> Frame:
        judged_by: dict[str, set[str]] = {}
        for scores in (collected.candidate, collected.baseline):
            for name, models in (scores.judged_by if scores is not None else {}).items():
                judged_by[name] = judged_by.get(name, set()) | models
        return self._order.frame(judged_by)

    def _may_extend(self, judgement: Judgement, collected: Collected) -> bool:
        return judgement.verdict == "inconclusive" and self._order.extends and not collected.stopped

    def _notes(self, work: Work) -> list[str]:
        order = self._order
        notes = list(order.evaluators.notes)
        if order.baseline is not None and order.baseline.setup.hash == order.candidate.setup.hash:
            notes.append("Candidate and baseline are the same setup, so they share their answers.")
        if work.repeats > order.repeats:
            notes.append(
                f"Inconclusive with {order.repeats} repeats of each case, so it was extended to "
                f"{work.repeats}."
            )
        if order.extends:
            alpha = order.frame().policy.alpha
            notes.append(
                f"Since a gate may look twice, each look is at alpha {alpha:.4f} (Pocock), which "
                f"keeps {order.suite.gate.alpha:g} in all."
            )
        return notes

    def _asked(self, case: Case) -> str:
        return self._lab.answerer.asked_text(self._order.candidate, case)

    def _missing(self, repeats: int) -> list[Planned]:
        order = self._order
        return plan_rows(
            order.setups, order.suite.cases, repeats, store=self._lab.store, seed=order.suite.seed
        )

    def _all_scores(self) -> list[Scores]:
        """What is known before the run, the candidate's first."""
        return [self._scores(ready) for ready in self._order.setups]

    def _outlooks(self, scores: Sequence[Scores]) -> list[Outlook]:
        order = self._order
        new, old = scores[0].metrics(), scores[1].metrics() if len(scores) > 1 else []
        return outlooks(new, old, order.frame(), repeats=order.repeats)

    def _scores(self, ready: Ready) -> Scores:
        order = self._order
        base = order.baseline.setup.hash if order.baseline is not None else ""
        beside = side_of(self._lab.store, base) if ready is order.candidate else ""
        return Scores(
            self._lab.store,
            ready.setup.hash,
            order.suite.cases,
            evaluators=order.evaluators.evaluators,
            repeats=order.repeats,
            baseline=beside,
        )


def _most_nanousd(answerer: Answerer, missing: Sequence[Planned]) -> int:
    """Repeats of a case cost the same at most."""
    ways = {(one.ready.setup.hash, one.case.id): one for one in missing}
    times = Counter((one.ready.setup.hash, one.case.id) for one in missing)
    return sum(times[key] * _most_of_one(answerer, one) for key, one in ways.items())


def _most_of_one(answerer: Answerer, one: Planned) -> int:
    try:
        return answerer.most_nanousd(one.ready, one.case)
    except TrimtabError:  # it will be an error then, and cost nothing
        return 0


def _likely(scores: Sequence[Scores], missing: Sequence[Planned]) -> int | None:
    """What the missing rows will cost by what the others have."""
    known = np.concatenate([one.facts.cost_nanousd[one.facts.answered] for one in scores])
    return int(known.mean() * len(missing)) if known.size else None


def _likely_s(scores: Sequence[Scores], missing: Sequence[Planned], at_once: int) -> float | None:
    known = np.concatenate([one.facts.latency_ms[one.facts.answered] for one in scores])
    return float(known.mean()) / 1000 * len(missing) / at_once if known.size else None
