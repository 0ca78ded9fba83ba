"""A suite: its cases, how answers are judged, and what a gate asks of them."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from trimtab.datasets.case import Case

__all__ = ["HEADLINE_METRICS", "EvaluatorUse", "GatePolicy", "Inconclusive", "Suite"]

Inconclusive = Literal["block", "warn", "extend"]

HEADLINE_METRICS = ("accuracy", "format", "refusal", "hallucination")
"""Always reported: measured, or said to be unmeasured and why."""


class EvaluatorUse(msgspec.Struct, frozen=True, kw_only=True):
    """One `[[evaluators]]` of `suite.toml`.

    Attributes:
        use: name of the evaluator in the entry-point group.
        name: how the suite calls it; unique in the suite, `use` by default.
        metric: which metric its marks belong to; "" for the evaluator's own default.
        options: everything else of the table; the evaluator says what it takes.
        line: of the table in the file, for findings.
    """

    use: str
    name: str
    metric: str = ""
    options: dict[str, Any] = {}
    line: int = 0


class GatePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate asks: `[gate]` of `suite.toml`.

    Attributes:
        primary: metrics that must all be non-inferior. Default: the headline metrics that the
            suite measures; latency and cost decide where they are named.
        margins: by metric: how much worse is still good enough, as a share (`accuracy = 0.05`);
            for amounts a ratio (`cost = 1.10`).
        floors: by metric: the least (most, where lower is better) of a first release.
        alpha: one-sided.
        inconclusive: what follows.
        looks: times at which the planned answers are looked at, the last of them when all are
            there. A gate that is clear before ends there. 1 for no look before the end.
        extend_repeats: repeats for each case after an extension; 0 for twice the planned ones.
        most_unmeasured: share of planned rows.
        critical_alpha: for all critical cases together.
    """

    primary: list[str] = []
    margins: dict[str, float] = {}
    floors: dict[str, float] = {}
    alpha: float = 0.05
    inconclusive: Inconclusive = "extend"
    looks: int = 3
    extend_repeats: int = 0
    most_unmeasured: float = 0.05
    critical_alpha: float = 0.05


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A suite as its files say.

    Attributes:
        name: of its folder below `evals`.
        folder: absolute.
        hash: over the bytes of its files: `releases.evidence.suite_hash`.
        description: for people.
        prompt: id of the prompt that it is about; "" where cases bring messages.
        model: alias, route or pin for suites without a prompt; "" for the prompt's own.
        repeats: of each case.
        concurrency: answers asked for at a time.
        evaluators: in the order of the file.
        gate: what a gate asks.
        cases: in the order of the file.
        lines: line of each case in `cases.jsonl`, by id.
    """

    name: str
    folder: Path
    hash: str
    description: str = ""
    prompt: str = ""
    model: str = ""
    repeats: int = 1
    concurrency: int = 8
    evaluators: list[EvaluatorUse]
    gate: GatePolicy
    cases: list[Case]
    lines: dict[str, int] = {}

    @property
    def seed(self) -> int:
        """Of the order in which cases are asked: the same for the same files."""
        return int(self.hash[:8], 16)
