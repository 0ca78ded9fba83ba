"""All that can be said of a suite without asking a model."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from trimtab.cli.eval.opened import declares_schema
from trimtab.datasets.fit import suite_warnings
from trimtab.datasets.load import load_suite
from trimtab.datasets.near import NearGroup, find_near
from trimtab.datasets.suite import Suite
from trimtab.errors import ConfigError, Finding
from trimtab.evals.judges.gating import advisory_metrics
from trimtab.evals.reach import OutOfReach, out_of_reach
from trimtab.evals.registry import SuiteEvaluators, load_evaluators
from trimtab.prompts.library import Library

__all__ = ["CheckedSuite", "SuiteFinding", "check_suite"]

_MOST_GROUPS: Final = 5
_MOST_IDS: Final = 6


class SuiteFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; a `warning` is about the prompts as they are now."""

    severity: Literal["error", "warning"]
    place: str
    problem: str
    remedy: str


class CheckedSuite(msgspec.Struct, frozen=True, kw_only=True):
    """A suite.

    Attributes:
        suite: its name.
        cases: how many; None where its files cannot be read.
        findings: what is wrong.
        near: groups of cases that ask nearly the same.
        not_measured: headline metrics that nothing measures, each with what is missing.
        advisory: metrics that gate nothing, each with the reason.
        notes: what makes the suite tell less than it seems, in sentences.
    """

    suite: str
    cases: int | None = None
    findings: list[SuiteFinding] = []
    near: list[NearGroup] = []
    not_measured: dict[str, str] = {}
    advisory: dict[str, str] = {}
    notes: list[str] = []


def check_suite(library: Library, project: Path, name: str) -> CheckedSuite:
    """Load a suite with its evaluators, and look at its cases.

    Raises:
        UsageError: there is no such suite.
    """
    try:
        suite = load_suite(project, name)
        evaluators = load_evaluators(suite, schema_declared=declares_schema(library, suite))
        advisory = advisory_metrics(suite.folder, evaluators.evaluators)
    except ConfigError as error:
        return CheckedSuite(suite=name, findings=_findings("error", error.findings))
    near = find_near(suite.cases)
    return CheckedSuite(
        suite=name,
        cases=len(suite.cases),
        findings=_findings("warning", suite_warnings(suite, library)),
        near=near,
        not_measured=evaluators.not_measured,
        advisory=advisory,
        notes=[*_notes(suite, evaluators, advisory), *_alike(near)],
    )


def _findings(
    severity: Literal["error", "warning"], findings: Sequence[Finding]
) -> list[SuiteFinding]:
    return [SuiteFinding(severity=severity, **finding._asdict()) for finding in findings]


def _notes(suite: Suite, evaluators: SuiteEvaluators, advisory: dict[str, str]) -> Iterator[str]:
    yield from evaluators.notes
    for metric, lack in evaluators.not_measured.items():
        yield f"{metric} is not measured: {lack}."
    for metric, why in advisory.items():
        yield f"{metric} gates nothing: {why}"
    for found in out_of_reach(suite, evaluators.evaluators, advisory):
        yield _too_few(found)


def _too_few(found: OutOfReach) -> str:
    return (
        f"no candidate can pass {found.metric}: its margin of {found.margin:g} takes "
        f"{found.needs:,} independent cases, and there are {found.cases:,}. Add cases, raise "
        f"gate.margins.{found.metric}, or leave it out of gate.primary."
    )


def _alike(near: Sequence[NearGroup]) -> Iterator[str]:
    for group in near[:_MOST_GROUPS]:
        ids = ", ".join(group.ids[:_MOST_IDS])
        more = f" and {len(group.ids) - _MOST_IDS} more" if len(group.ids) > _MOST_IDS else ""
        yield (
            f"these cases ask nearly the same (similarity {group.similarity:.2f}): {ids}{more}. "
            "Give them one `cluster`, or keep one of them."
        )
    if len(near) > _MOST_GROUPS:
        yield f"and {len(near) - _MOST_GROUPS} more groups of cases that ask nearly the same."
