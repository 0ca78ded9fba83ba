"""What verdicts are given in: cases, policy, and how far each metric can be trusted."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trimtab.datasets.case import Case
from trimtab.datasets.suite import GatePolicy
from trimtab.evals.result import Estimate

__all__ = ["Frame"]


class Frame(NamedTuple):
    """What a comparison is made in.

    Attributes:
        cases: of the suite.
        policy: of the suite.
        advisory: why a metric gates nothing, by its name.
        corrected: by metric, the candidate's figure without what its judge is known to get wrong.
    """

    cases: Sequence[Case]
    policy: GatePolicy
    advisory: Mapping[str, str]
    corrected: Mapping[str, Estimate] = {}

    @property
    def clusters(self) -> list[str]:
        """Of the cases."""
        return [case.cluster for case in self.cases]
