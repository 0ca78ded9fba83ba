"""A suite from its folder: every finding at once, or the suite with the hash of what was read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from trimtab.datasets.cases_file import EXAMPLE_LINE, read_cases
from trimtab.datasets.findings import MOST_SHOWN, Findings
from trimtab.datasets.folder import CASES, EVALS, SUITE, suite_folder
from trimtab.datasets.metrics import DescribeEvaluator, MetricFacts, installed_metric
from trimtab.datasets.suite import Suite
from trimtab.datasets.suite_file import SuiteFile, parse_suite_file
from trimtab.errors import ConfigError, Finding, UsageError
from trimtab.releases.evidence import suite_hash

__all__ = ["gate_findings", "load_suite"]

_MOST_BYTES: Final = 1_000_000  # of suite.toml
_MOST_TRIES: Final = 3


def load_suite(
    project: Path,
    name: str,
    *,
    describe_evaluator: DescribeEvaluator = installed_metric,
    most_findings: int = MOST_SHOWN,
) -> Suite:
    """The suite in `evals/NAME` of a project, read and checked.

    Args:
        project: folder of `trimtab.toml`.
        name: of the suite.
        describe_evaluator: tells the metric of an evaluator for which the suite names none; by
            default as the installed ones say.
        most_findings: how many findings an error carries; one more counts the others.

    Raises:
        UsageError: there is no such suite, or its files keep changing.
        ConfigError: its files are wrong; carries every finding with file and line.
    """
    folder = suite_folder(project, name)
    place = f"{EVALS}/{name}"
    try:
        for _ in range(_MOST_TRIES):
            before = suite_hash(project, name)
            findings = Findings(place, most_findings)
            suite = _read(folder, before, findings, describe_evaluator=describe_evaluator)
            # The hash is that of the cases in hand, also while somebody saves the file.
            if suite_hash(project, name) == before:
                findings.check()
                assert suite is not None, "what is missing is a finding"
                return suite
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError([Finding(place, problem, "Check its permissions")]) from error
    raise UsageError(f"The files of {place} keep changing. Run this again when they are saved.")


def gate_findings(suite: Suite, facts: Mapping[str, MetricFacts]) -> list[Finding]:
    """What `[gate]` says of metrics that nothing measures, now that all evaluators are built.

    Args:
        suite: as loaded.
        facts: what each evaluator measures, by its name in the suite.

    Raises:
        ConfigError: `suite.toml` was changed meanwhile, and is wrong.
    """
    file = suite.folder / SUITE
    if not file.is_file():  # a suite that was never in files has nothing to point at
        return []
    table = parse_suite_file(
        file.read_bytes(),
        shown=f"{EVALS}/{suite.name}/{SUITE}",
        describe_evaluator=lambda evaluator: facts.get(evaluator.name),
    )
    return table.findings


def _read(
    folder: Path, content_hash: str, findings: Findings, *, describe_evaluator: DescribeEvaluator
) -> Suite | None:
    """What the files say now; None where nothing can be made of them, which is a finding."""
    shown = f"{EVALS}/{folder.name}"
    table = _suite_file(folder / SUITE, findings, describe_evaluator)
    if not (folder / CASES).is_file():
        findings.add(f"{shown}/{CASES}", "no such file", "Write it, one case a line")
        return None
    cases, lines, blank = read_cases(folder / CASES, f"{shown}/{CASES}", findings)
    if blank:
        remedy = f"Write one a line, as {EXAMPLE_LINE}"
        findings.add(f"{shown}/{CASES}", "there is no case in it", remedy)
    if table is None:
        return None
    return Suite(
        name=folder.name,
        folder=folder,
        hash=content_hash,
        description=table.description,
        prompt=table.prompt,
        model=table.model,
        repeats=table.repeats,
        concurrency=table.concurrency,
        evaluators=table.evaluators,
        gate=table.gate,
        cases=cases,
        lines=lines,
    )


def _suite_file(
    file: Path, findings: Findings, describe_evaluator: DescribeEvaluator
) -> SuiteFile | None:
    shown = f"{EVALS}/{file.parent.name}/{SUITE}"
    if not file.is_file():
        findings.add(shown, "no such file", "Write it; an empty one will do to begin with")
        return None
    if file.stat().st_size > _MOST_BYTES:
        findings.add(shown, "larger than 1 MB", f"Put cases into {CASES}")
        return None
    try:
        content = file.read_bytes()
        table = parse_suite_file(content, shown=shown, describe_evaluator=describe_evaluator)
    except ConfigError as error:
        table, found = None, error.findings
    else:
        found = table.findings
    for finding in found:
        findings.add(*finding)
    return table
