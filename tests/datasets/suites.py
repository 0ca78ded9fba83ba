"""Suites for the tests."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from trimtab.datasets.load import load_suite
from trimtab.datasets.metrics import MetricFacts
from trimtab.datasets.suite import EvaluatorUse
from trimtab.errors import ConfigError, Finding

KINDS = {
    "contains": MetricFacts("accuracy", "rate"),
    "length": MetricFacts("words", "amount"),
    "preference": MetricFacts("preference", "preference"),
    "politeness": MetricFacts("politeness", "score"),
}
"""What evaluators of the tests measure."""


def describe(evaluator: EvaluatorUse) -> MetricFacts | None:
    return KINDS.get(evaluator.use)


def line(**fields: Any) -> str:
    """A case as a line."""
    return msgspec.json.encode({"id": "a", "variables": {"x": 1}, **fields}).decode()


def write(project: Path, toml: str, cases: str | bytes | Iterable[str], name: str = "s") -> Path:
    """The files of a suite; gives its folder."""
    folder = project / "evals" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.toml").write_text(toml, encoding="utf-8")
    if isinstance(cases, bytes):
        (folder / "cases.jsonl").write_bytes(cases)
    else:
        text = cases if isinstance(cases, str) else "".join(f"{one}\n" for one in cases)
        (folder / "cases.jsonl").write_text(text, encoding="utf-8")
    return folder


def findings(project: Path, name: str = "s", **more: Any) -> list[Finding]:
    """What is wrong with a suite."""
    try:
        load_suite(project, name, describe_evaluator=describe, **more)
    except ConfigError as error:
        return error.findings
    return []
