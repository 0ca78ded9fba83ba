"""What an experiment is made with, and what is to be done."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from trimtab.datasets.suite import Suite
from trimtab.evals.answering import Answerer
from trimtab.evals.frame import Frame
from trimtab.evals.looks import Look, looks_of, planned_of
from trimtab.evals.registry import SuiteEvaluators
from trimtab.evals.result import Estimate
from trimtab.evals.setups import Ready
from trimtab.store.protocol import Experiments
from trimtab.types.clock import Clock

__all__ = ["Kind", "Lab", "Order"]

Kind = Literal["run", "gate", "aa"]


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
        advisory: why a metric gates nothing, by its name, as far as is known before the run.
        candidate: what is tried.
        baseline: what it is compared with; None for a run of one, or a first release.
        repeats: of each case.
        budget_nanousd: None for no limit.
        fresh: answers that are there are asked for again.
        judge_again: judges are asked again about answers that they have judged.
    """

    id: str
    kind: Kind
    suite: Suite
    evaluators: SuiteEvaluators
    advisory: Mapping[str, str]
    candidate: Ready
    baseline: Ready | None
    repeats: int
    budget_nanousd: int | None = None
    fresh: bool = False
    judge_again: bool = False

    @property
    def setups(self) -> list[Ready]:
        """Each once, the candidate first."""
        found = {self.candidate.setup.hash: self.candidate}
        if self.baseline is not None:
            found.setdefault(self.baseline.setup.hash, self.baseline)
        return list(found.values())

    @property
    def looks(self) -> list[Look]:
        """At what is answered, in their order; other experiments than a gate take one."""
        policy = self.suite.gate
        if self.kind != "gate":
            return [Look("planned", self.repeats, policy)]
        return looks_of(policy, self.repeats)

    def frame(
        self,
        look: Look | None = None,
        advisory: Mapping[str, str] | None = None,
        corrected: Mapping[str, Estimate] | None = None,
    ) -> Frame:
        """What verdicts are given in.

        Args:
            look: at which; by default the one at all planned answers.
            advisory: as is known after a run; by default as before it.
            corrected: figures of judges without what they are known to get wrong.
        """
        known = self.advisory if advisory is None else advisory
        policy = (look or planned_of(self.looks)).policy
        return Frame(self.suite.cases, policy, known, corrected or {})
