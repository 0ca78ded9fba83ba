"""What an experiment is made with, and what is to be done."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from trimtab.datasets.suite import GatePolicy, Suite
from trimtab.evals.answering import Answerer
from trimtab.evals.frame import Frame
from trimtab.evals.registry import SuiteEvaluators
from trimtab.evals.result import Estimate
from trimtab.evals.setups import Ready
from trimtab.stats.group_sequential import nominal_alpha
from trimtab.store.protocol import Experiments
from trimtab.types.clock import Clock

__all__ = ["Kind", "Lab", "Order"]

Kind = Literal["run", "gate", "aa"]

_MORE: Final = 2  # times as many repeats, where a suite does not say


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
    def extended(self) -> int:
        """Repeats of each case after an extension; 0 where an inconclusive gate asks no more."""
        if self.kind != "gate" or self.suite.gate.inconclusive != "extend":
            return 0
        more = self.suite.gate.extend_repeats or _MORE * self.repeats
        return more if more > self.repeats else 0

    def frame(
        self,
        advisory: Mapping[str, str] | None = None,
        corrected: Mapping[str, Estimate] | None = None,
    ) -> Frame:
        """What verdicts are given in.

        Args:
            advisory: as is known after a run; by default as before it.
            corrected: figures of judges without what they are known to get wrong.
        """
        known = self.advisory if advisory is None else advisory
        return Frame(self.suite.cases, self._policy(), known, corrected or {})

    def _policy(self) -> GatePolicy:
        """What is looked at twice finds by chance more often, so each look has a level of its own.

        The second look has all answers of the first. What the cases themselves differ by is in
        both, which makes the two more alike than these shares of information say.
        """
        policy = self.suite.gate
        if not self.extended:
            return policy
        looks = [self.repeats / self.extended, 1.0]
        return msgspec.structs.replace(
            policy,
            alpha=nominal_alpha(policy.alpha, looks),
            critical_alpha=nominal_alpha(policy.critical_alpha, looks),
        )
