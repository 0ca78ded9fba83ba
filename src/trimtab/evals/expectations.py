"""What cases expect, beside what their evaluators read: errors, and what nobody looks at."""

import difflib
from collections import Counter
from collections.abc import Collection
from typing import Protocol, runtime_checkable

from trimtab.datasets.case import Case
from trimtab.datasets.suite import Suite
from trimtab.errors import Finding
from trimtab.evals.evaluator import EvaluatorKind

__all__ = ["ReadsExpected", "case_findings", "unread_notes"]


@runtime_checkable
class ReadsExpected(Protocol):
    """A kind of evaluator that says which keys of a case's `expected` it reads, and checks them."""

    def expected_keys(self) -> frozenset[str] | None:
        """The keys; None where it may read any."""
        ...

    def problem_of(self, case: Case) -> str:
        """What is wrong with the expectations of a case; "" for nothing."""
        ...


def case_findings(suite: Suite, kinds: Collection[EvaluatorKind]) -> list[Finding]:
    """Cases that expect what their evaluator cannot read, by file and line."""
    return [
        Finding(
            f"evals/{suite.name}/cases.jsonl:{suite.lines.get(case.id, 0)}",
            f"{kind.name}: {problem}",
            "See docs/evaluators.md",
        )
        for case in suite.cases
        for kind in kinds
        if isinstance(kind, ReadsExpected) and (problem := kind.problem_of(case))
    ]


def unread_notes(suite: Suite, kinds: Collection[EvaluatorKind]) -> list[str]:
    """Keys that cases expect and no evaluator reads; none where an evaluator may read any."""
    read: set[str] = set()
    for kind in kinds:
        keys = kind.expected_keys() if isinstance(kind, ReadsExpected) else None
        if keys is None:
            return []
        read |= keys
    unread = Counter(key for case in suite.cases for key in case.expected if key not in read)
    return [_note(key, count, read) for key, count in sorted(unread.items())]


def _note(key: str, count: int, read: set[str]) -> str:
    near = difflib.get_close_matches(key, read, n=1)
    cases = "1 case expects" if count == 1 else f"{count} cases expect"
    meant = f" Did you mean `{near[0]}`?" if near else ""
    return f"{cases} `{key[:40]}`, which no evaluator of the suite looks at.{meant}"
