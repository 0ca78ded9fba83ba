"""A result as a comment on a pull request: GitHub-flavoured Markdown, no longer than it may be."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

from trimtab.evals.reports.answers import AnswerPair, answer_pairs, most_different
from trimtab.evals.reports.cases import CaseView, case_views, count_states
from trimtab.evals.reports.findings import counted, slice_rows
from trimtab.evals.reports.heading import VERDICT_WORDS, facts_of, title_of, verdict_sentence
from trimtab.evals.reports.markdown_text import cell, code_line, html_code, html_spans, prose
from trimtab.evals.reports.metrics import MetricRow, metric_rows
from trimtab.evals.result import Result
from trimtab.looks.words import count, several
from trimtab.prompts.diff.words import CONTEXT_WORDS

__all__ = ["MOST_CHARACTERS", "as_markdown"]

MOST_CHARACTERS: Final = 65_536
"""Of a comment on GitHub."""

_ROOM: Final = 65_000  # for all but the line that says what was left out
_MOST_LINE: Final = 600  # characters of a sentence
_MOST_SENTENCES: Final = 12
_MOST_ROWS: Final = 40
_MOST_ANSWER: Final = 1_500
_MOST_CASES: Final = 25


def as_markdown(result: Result, *, most_cases: int = _MOST_CASES) -> str:
    """A comment for reviewers: verdict, reasons, metrics, then cases that changed, folded.

    Args:
        result: what came of an experiment.
        most_cases: so many of the cases that changed have their answers shown.
    """
    rows = metric_rows(result)
    views = case_views(result)
    first = [
        *_head(result),
        *_table(rows),
        *_listed("To resolve", [(row.name, row.resolve) for row in rows]),
        *_critical(result),
        *_listed("Not measured", _reasons(rows, measured=False)),
        *_listed("Gates nothing", _reasons(rows, measured=True)),
        *_slices(result),
        *_counts(views, result),
    ]
    last = [*_facts(result), *_notes(result)]
    told = [view for view in views if view.changed]
    return _joined(first, [_case(view) for view in told[:most_cases]], last, told=len(told))


def _joined(first: Sequence[str], cases: Sequence[str], last: Sequence[str], *, told: int) -> str:
    """All blocks that there is room for; each is whole, so that nothing stays open."""
    begin = _fitting(first, _ROOM)
    end = _fitting(last, _ROOM - _length("\n\n".join(begin)))
    shown = _fitting(cases, _ROOM - _length("\n\n".join([*begin, *end])))
    if told > len(shown):
        left = several(told - len(shown), "more case")
        shown.append(f"{left} that changed are left out here; the HTML report has them.")
    missing = len(first) + len(last) - len(begin) - len(end)
    if missing:
        end.append(f"{several(missing, 'more part')} have no room here.")
    return "\n\n".join([*begin, *shown, *end]) + "\n"


def _fitting(blocks: Sequence[str], room: int) -> list[str]:
    """The first ones that there is room for."""
    ends = accumulate(_length(block) + 2 for block in blocks)
    return [block for block, end in zip(blocks, ends, strict=True) if end <= room]


def _length(text: str) -> int:
    """Characters as JavaScript counts them, which is never less than as others do."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(result: Result) -> Iterator[str]:
    word = VERDICT_WORDS[result.verdict]
    yield f"### {word}: {code_line(title_of(result)[:_MOST_LINE])}"
    yield f"**{word}.** {verdict_sentence(result)}"
    if result.why:
        shown = [f"- {prose(reason[:_MOST_LINE])}" for reason in result.why[:_MOST_SENTENCES]]
        left = len(result.why) - len(shown)
        yield "\n".join([*shown, *([f"- and {several(left, 'more reason')}"] if left else [])])


def _table(rows: Sequence[MetricRow]) -> Iterator[str]:
    compared = any(row.margin for row in rows)
    titles = ["Metric", "Candidate", "95 % interval", "Cases", "Unmeasured", "State"]
    if compared:
        titles = ["Metric", "Baseline", "Candidate", "Change", "Interval", "Margin", "Verdict"]
    lines = [_line(titles), _line([":--", *["--:"] * (len(titles) - 2), ":--"])]
    for row in rows[:_MOST_ROWS]:
        name = cell(row.name[:_MOST_LINE])
        figures = [row.candidate, row.own_interval, str(row.cases)]
        figures.append(str(row.unmeasured))
        if compared:
            figures = [row.baseline, row.candidate, row.difference, row.interval, row.margin]
        lines.append(_line([name, *map(cell, figures), _state(row)]))
    yield "\n".join(lines)
    if any(row.state != row.state_words for row in rows):
        yield "A verdict in brackets decides nothing."
    if len(rows) > _MOST_ROWS:
        yield f"{several(len(rows) - _MOST_ROWS, 'more metric')} have no room here."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _state(row: MetricRow) -> str:
    return f"**{row.state}**" if row.state_words in {"fail", "inconclusive"} else row.state_words


def _reasons(rows: Sequence[MetricRow], *, measured: bool) -> list[tuple[str, str]]:
    return [(row.name, row.why_not) for row in rows if (row.state != "not measured") == measured]


def _listed(title: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    told = [
        f"- {prose(name[:_MOST_LINE])}: {prose(words[:_MOST_LINE])}"
        for name, words in pairs
        if words
    ]
    if told:
        yield "\n".join([f"**{title}**", "", *told[:_MOST_SENTENCES]])


def _critical(result: Result) -> Iterator[str]:
    if not result.critical:
        return
    lines = [f"**Critical cases that got worse: {len(result.critical)}**", ""]
    for one in result.critical[:_MOST_SENTENCES]:
        name, metric = code_line(one.case_id[:_MOST_LINE]), prose(one.metric[:_MOST_LINE])
        why = prose(one.why[:_MOST_LINE])
        lines.append(f"- {name}, {metric}: {prose(counted(one))}. {why}")
    if len(result.critical) > _MOST_SENTENCES:
        lines.append(f"- and {len(result.critical) - _MOST_SENTENCES} more")
    yield "\n".join(lines)


def _slices(result: Result) -> Iterator[str]:
    lines = [
        f"- {prose(one.metric[:_MOST_LINE])} on {several(one.cases, 'case')} tagged "
        f"{code_line(one.tag[:_MOST_LINE])}: {prose(one.difference)}, {prose(one.p)}"
        for one in slice_rows(result)
        if one.found
    ]
    if lines:
        title = "**Where it differs** (exploratory; decides nothing)"
        yield "\n".join([title, "", *lines[:_MOST_SENTENCES]])


def _counts(views: Sequence[CaseView], result: Result) -> Iterator[str]:
    counts = ", ".join(f"{count(number)} {state}" for state, number in count_states(views))
    if not counts:
        return
    if len(views) < result.cases_total:
        counts += f"; the other {count(result.cases_total - len(views))} are not in the report"
    yield f"**Cases**: {counts}"


def _case(view: CaseView) -> str:
    """A case, folded. HTML without an empty line, so that nothing in it is read as Markdown."""
    case = view.case
    moved = "; ".join(
        f"{html_code(one.metric)} {f'{one.before} → ' if one.before else ''}{one.after}"
        for one in view.moved
    )
    state = f"critical, {view.state}" if view.broken else view.state
    title = f"{html_code(case.case_id)} {state}{f': {moved}' if moved else ''}"
    lines = [
        f"<details><summary>{title}</summary>",
        f"<p>Asked: {html_code(case.asked[:_MOST_LINE])}</p>",
        *_why(view),
    ]
    pairs = answer_pairs(case, most_characters=_MOST_ANSWER, context=CONTEXT_WORDS)
    if pairs:
        lines += _answers(most_different(pairs), len(pairs))
    if case.candidate.errors:
        errors = ", ".join(map(html_code, dict.fromkeys(case.candidate.errors)))
        lines.append(f"<p>Repeats without an answer: {len(case.candidate.errors)} ({errors})</p>")
    return "\n".join([*lines, "</details>"])


def _why(view: CaseView) -> Iterator[str]:
    told = [
        f"<li>{html_code(metric)}: {html_code('; '.join(reasons)[:_MOST_LINE])}</li>"
        for metric, reasons in view.case.candidate.reasons.items()
        if reasons
    ]
    if told:
        yield f"<ul>{''.join(told[:_MOST_SENTENCES])}</ul>"


def _answers(pair: AnswerPair, count_: int) -> Iterator[str]:
    which = f", repeat {pair.repeat} of {count_}" if count_ > 1 else ""
    if pair.before is None:
        yield f"<p>Answer{which}: {html_spans(pair.after)}</p>"
    elif not pair.differs:
        yield f"<p>Both answer the same{which}: {html_spans(pair.after)}</p>"
    else:
        yield (
            f"<table><tr><th>Baseline{which}</th><th>Candidate{which}</th></tr>"
            f"<tr><td>{html_spans(pair.before)}</td><td>{html_spans(pair.after)}</td></tr></table>"
        )
    if pair.shortened:
        yield f"<p>{count(pair.shortened)} characters are left out.</p>"


def _facts(result: Result) -> Iterator[str]:
    yield "\n".join(
        f"- {fact.name}: {prose(fact.text[:_MOST_LINE])}"
        + (f" ({prose(fact.small[:_MOST_LINE])})" if fact.small else "")
        for fact in facts_of(result)
    )


def _notes(result: Result) -> Iterator[str]:
    for note in result.notes[:_MOST_SENTENCES]:
        yield f"Note: {prose(note[:_MOST_LINE])}"
