"""A result as JUnit XML, which CI systems show beside other tests.

A build must not fail because one answer of many was wrong, which is what answers of models are. So
cases are no tests of their own: they are listed in the output of the metric that they belong to.
What fails is the verdict of the gate, the metrics that made it, and critical cases. What is
inconclusive, advisory or not measured is a skipped test with its reason: seen, and no failure.
"""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, NamedTuple
from xml.etree import ElementTree

from trimtab.evals.reports.cases import CaseView, MetricChange, case_views
from trimtab.evals.reports.findings import counted
from trimtab.evals.reports.heading import VERDICT_WORDS, facts_of, title_of, verdict_sentence
from trimtab.evals.reports.metrics import MetricRow, metric_rows
from trimtab.evals.result import Result
from trimtab.looks.words import count, iso_time, one_line, several

__all__ = ["write_junit"]

_MOST_CASES: Final = 200  # named in the output of a metric


class _Test(NamedTuple):
    """One test; `outcome` is "", "failure" or "skipped", and `message` says why."""

    name: str
    group: str
    outcome: str = ""
    message: str = ""
    kind: str = ""
    body: str = ""
    output: str = ""


def write_junit(result: Result, file: BinaryIO) -> None:
    """Write the document in UTF-8: one suite for the gate, one for critical cases if any."""
    suite = one_line(result.experiment.suite)
    views = case_views(result)
    groups = [(suite, [_verdict(result), *_metrics(result, views)])]
    critical = list(_critical(result, views))
    if critical:
        groups.append((f"{suite}: critical cases", critical))
    everything = [test for _, tests in groups for test in tests]
    root = ElementTree.Element("testsuites", {"name": title_of(result), **_counts(everything)})
    root.set("time", _seconds(result.took_s))
    for name, tests in groups:
        root.append(_suite(name, tests, result, is_first=name == suite))
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)
    file.write(b"\n")


def _verdict(result: Result) -> _Test:
    words = f"{VERDICT_WORDS[result.verdict]}: {verdict_sentence(result)}"
    reasons = [one_line(reason) for reason in result.why]
    return _Test(
        name="verdict",
        group="gate",
        outcome={"fail": "failure", "inconclusive": "skipped"}.get(result.verdict, ""),
        message=f"{words} {reasons[0]}" if reasons else words,
        kind=result.verdict,
        body="\n".join(reasons),
        output="\n".join([words, *reasons]),
    )


def _metrics(result: Result, views: Sequence[CaseView]) -> Iterator[_Test]:
    for row in metric_rows(result):
        outcome = "skipped"
        if row.state in {"pass", "measured"}:
            outcome = ""
        elif row.state == "fail" and row.decides and result.verdict == "fail":
            outcome = "failure"
        why = one_line(row.why_not or row.why)
        yield _Test(
            name=one_line(row.name),
            group="metric",
            outcome=outcome,
            message=f"{row.state_words}: {why}" if why else row.state_words,
            kind=row.state,
            body=_figures(row),
            output="\n".join([_figures(row), *_short(row.name, views)]),
        )


def _figures(row: MetricRow) -> str:
    if row.state == "not measured":
        return row.state
    if not row.margin:
        ends = f"{row.own_interval} ({one_line(row.own_method)})" if row.own_interval else "none"
        return f"{row.candidate}, interval {ends}, {several(row.cases, 'case')}"
    lines = [
        f"baseline {row.baseline}, candidate {row.candidate}, change {row.difference}",
        f"interval {row.interval or 'none'}, margin {row.margin}",
        one_line(row.proof),
    ]
    if row.resolve:
        lines.append(f"to resolve: {one_line(row.resolve)}")
    return "\n".join(lines)


def _short(metric: str, views: Sequence[CaseView]) -> Iterator[str]:
    """The cases that got worse in a metric, or without a baseline fall short of it."""
    found = [(view, one) for view in views for one in view.changes if one.metric == metric]
    told = [(view, one) for view, one in found if _is_told(one)]
    if told:
        yield f"{several(len(told), 'case')} got worse or fall short:"
    for view, one in told[:_MOST_CASES]:
        before = f"{one.before} before, {one.after} now" if one.before else one.after
        yield f"  {one_line(view.case.case_id)}: {before}"
    if len(told) > _MOST_CASES:
        yield f"  and {count(len(told) - _MOST_CASES)} more"


def _is_told(one: MetricChange) -> bool:
    return one.direction < 0 or (not one.before and one.falls_short)


def _critical(result: Result, views: Sequence[CaseView]) -> Iterator[_Test]:
    broken = {one.case_id for one in result.critical}
    for one in result.critical:
        yield _Test(
            name=one_line(f"{one.case_id}: {one.metric}"),
            group="critical",
            outcome="failure",
            message=one_line(f"{counted(one)}: {one.why}"),
            kind="critical case",
            body=counted(one),
        )
    for view in views:
        if view.case.critical and view.case.case_id not in broken:
            yield _Test(name=one_line(view.case.case_id), group="critical")


def _suite(
    name: str, tests: Sequence[_Test], result: Result, *, is_first: bool
) -> ElementTree.Element:
    made = ElementTree.Element("testsuite", {"name": name, **_counts(tests)})
    made.set("timestamp", iso_time(result.experiment.started_ns).partition(".")[0])
    made.set("time", _seconds(result.took_s if is_first else 0.0))
    if is_first:
        properties = ElementTree.SubElement(made, "properties")
        for key, value in _properties(result):
            ElementTree.SubElement(properties, "property", {"name": key, "value": value})
    suite = one_line(result.experiment.suite)
    for test in tests:
        took_s = result.took_s if test.group == "gate" else 0.0
        found = ElementTree.SubElement(
            made,
            "testcase",
            {"classname": f"{suite}.{test.group}", "name": test.name, "time": _seconds(took_s)},
        )
        if test.outcome == "failure":
            attributes = {"message": test.message, "type": test.kind}
            ElementTree.SubElement(found, "failure", attributes).text = test.body
        elif test.outcome == "skipped":
            ElementTree.SubElement(found, "skipped", {"message": test.message})
        if test.output:
            ElementTree.SubElement(found, "system-out").text = test.output
    return made


def _properties(result: Result) -> Iterator[tuple[str, str]]:
    experiment = result.experiment
    yield "experiment", one_line(experiment.id)
    yield "verdict", result.verdict
    yield "candidate.hash", one_line(experiment.candidate.hash)
    if experiment.baseline is not None:
        yield "baseline.hash", one_line(experiment.baseline.hash)
    for fact in facts_of(result):
        yield fact.name.lower(), f"{fact.text} ({fact.small})" if fact.small else fact.text
    for note in result.notes:
        yield "note", one_line(note)


def _counts(tests: Sequence[_Test]) -> dict[str, str]:
    outcomes = [test.outcome for test in tests]
    return {
        "tests": str(len(tests)),
        "failures": str(outcomes.count("failure")),
        "errors": "0",
        "skipped": str(outcomes.count("skipped")),
    }


def _seconds(value: float) -> str:
    return f"{value:.3f}"
