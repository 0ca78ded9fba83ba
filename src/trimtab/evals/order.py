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

__all__ = ["Kind", "Lab", "Order", "gate_policy"]

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
        if self.kind != "gate":
            return 0
        return _extended(self.suite, self.repeats)

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
        policy = gate_policy(self.suite, self.repeats) if self.extended else self.suite.gate
        return Frame(self.suite.cases, policy, known, corrected or {})


def gate_policy(suite: Suite, repeats: int) -> GatePolicy:
    """What a gate asks at each of its looks.

    What is looked at twice finds by chance more often, so each look has a level of its own. The
    second one has all answers of the first. What the cases themselves differ by is in both, which
    makes the two more alike than these shares of information say.

    Args:
        suite: with its policy.
        repeats: of each case, at the first look.
    """
    policy, extended = suite.gate, _extended(suite, repeats)
    if not extended:
        return policy
    looks = [repeats / extended, 1.0]
    return msgspec.structs.replace(
        policy,
        alpha=nominal_alpha(policy.alpha, looks),
        critical_alpha=nominal_alpha(policy.critical_alpha, looks),
    )


def _extended(suite: Suite, repeats: int) -> int:
    """Repeats at the second look; 0 where there is none."""
    if suite.gate.inconclusive != "extend":
        return 0
    more = suite.gate.extend_repeats or _MORE * repeats
    return more if more > repeats else 0
