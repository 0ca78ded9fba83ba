"""How many labels a judge needs before it may gate: simulated calibrations.

`python tests/evals/judges/simulated.py` prints the table of docs/judges.md.
"""

import sys
from typing import NamedTuple

import numpy as np

from trimtab.evals.judges.eligible import DEFAULT_POLICY
from trimtab.stats.agreement import Stratum, agree

__all__ = ["JUDGES", "LABELS", "SimulatedJudge", "share_eligible", "table_row"]

ROWS = 2_000
BAD = 0.15
LABELS = (50, 100, 200)


class SimulatedJudge(NamedTuple):
    """One that errs.

    Attributes:
        sensitivity: of good answers.
        specificity: of bad ones.
    """

    sensitivity: float
    specificity: float

    @property
    def kappa(self) -> float:
        """Of all answers."""
        agreed = (1 - BAD) * self.sensitivity + BAD * self.specificity
        passed = (1 - BAD) * self.sensitivity + BAD * (1 - self.specificity)
        by_chance = passed * (1 - BAD) + (1 - passed) * BAD
        return (agreed - by_chance) / (1 - by_chance)


JUDGES = (
    SimulatedJudge(1.0, 1.0),
    SimulatedJudge(0.99, 0.95),
    SimulatedJudge(0.98, 0.90),
    SimulatedJudge(0.97, 0.85),
    SimulatedJudge(0.95, 0.80),
    SimulatedJudge(0.90, 0.70),
)


def calibrated(rng: np.random.Generator, judge: SimulatedJudge, labels: int) -> list[Stratum]:
    """Labels that are drawn as a session draws them: at least a quarter of each verdict."""
    bad = rng.binomial(ROWS, BAD)
    good = ROWS - bad
    right_pass, right_fail = (
        rng.binomial(good, judge.sensitivity),
        rng.binomial(bad, judge.specificity),
    )
    strata: list[Stratum] = []
    failed = right_fail + good - right_pass
    share = max(failed / ROWS, 0.25)
    fails = min(rng.binomial(labels, share / (share + max(1 - failed / ROWS, 0.25))), failed)
    for verdict, right, rows, drawn in (
        (0, right_fail, failed, fails),
        (1, right_pass, ROWS - failed, labels - fails),
    ):
        agreed = rng.hypergeometric(right, rows - right, drawn) if drawn else 0
        said = (agreed, drawn - agreed) if verdict == 0 else (drawn - agreed, agreed)
        strata.append(Stratum(verdict, int(rows), (int(said[0]), int(said[1]))))
    return strata


def share_eligible(judge: SimulatedJudge, labels: int, runs: int) -> float:
    """How often the judge may gate with so many labels."""
    rng = np.random.default_rng(17)
    found = [agree(calibrated(rng, judge, labels)).kappa for _ in range(runs)]
    return sum(one is not None and one.low >= DEFAULT_POLICY.least_kappa for one in found) / runs


def table_row(judge: SimulatedJudge, shares: list[float]) -> str:
    """A line of the table."""
    cells = " | ".join(f"{share:.2f}" for share in shares)
    return f"| {judge.sensitivity:.0%} / {judge.specificity:.0%} | {judge.kappa:.2f} | {cells} |"


if __name__ == "__main__":
    for each in JUDGES:
        shares = [share_eligible(each, labels, 1_000) for labels in LABELS]
        sys.stdout.write(table_row(each, shares) + "\n")
