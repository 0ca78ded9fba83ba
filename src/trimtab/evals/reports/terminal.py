"""A result in a terminal, a pipe or a log: verdict first, then why, then figures.

Colour repeats what words say and says nothing of its own. Where the output takes no characters
beyond ASCII, none are written.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from trimtab.evals.reports.cases import CaseView, MetricChange, case_views, count_states
from trimtab.evals.reports.findings import counted, slice_rows
from trimtab.evals.reports.heading import VERDICT_WORDS, facts_of, title_of, verdict_sentence
from trimtab.evals.reports.metrics import MetricRow, metric_rows
from trimtab.evals.reports.terminal_metrics import bar_legend, metric_table
from trimtab.evals.reports.terminal_text import Ink, state_style
from trimtab.evals.result import Result
from trimtab.looks.words import several, utc_time

__all__ = ["TerminalReport"]

_MOST_REASONS: Final = 8
_MOST_NAMES: Final = 32  # columns of a case's id


class TerminalReport:
    """What `rich` prints of a result, from 60 columns on.

    Args:
        result: what came of an experiment.
        most_cases: so many of the cases that changed are shown.
    """

    def __init__(self, result: Result, *, most_cases: int = 20) -> None:
        self._result = result
        self._most_cases = most_cases

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """The parts from above to below, an empty line between two of them."""
        ink = Ink(options.max_width, ascii_only=options.ascii_only)
        rows = metric_rows(self._result)
        parts = (
            _head(self._result, ink),
            _critical(self._result, ink),
            _metrics(rows, ink),
            _sentences("To resolve", [(row.name, row.resolve) for row in rows], ink),
            _sentences("Not measured", _missing(rows), ink),
            _sentences("Gates nothing", _advisory(rows), ink),
            _slices(self._result, ink),
            _cases(case_views(self._result), self._result, ink, most=self._most_cases),
            _facts(self._result, ink),
            _notes(self._result, ink),
        )
        is_first = True
        for part in parts:
            shown = list(part)
            if shown and not is_first:
                yield Text("")
            yield from shown
            is_first = False


def _head(result: Result, ink: Ink) -> Iterator[Text]:
    word = VERDICT_WORDS[result.verdict]
    yield Text.assemble(
        (word, f"bold {state_style(result.verdict)}"), "  ", (ink.line(title_of(result)), "bold")
    )
    yield ink.text(verdict_sentence(result))
    for reason in result.why[:_MOST_REASONS]:
        yield ink.item(reason)
    if len(result.why) > _MOST_REASONS:
        yield ink.item(f"and {len(result.why) - _MOST_REASONS} more reasons")
    began = utc_time(result.experiment.started_ns)
    yield ink.text(f"{result.experiment.id}, {result.experiment.kind}, {began} UTC", style="dim")


def _critical(result: Result, ink: Ink) -> Iterator[Text]:
    if not result.critical:
        return
    yield ink.heading(f"Critical cases that got worse: {len(result.critical)}")
    for one in result.critical:
        yield ink.item(f"{one.case_id}, {one.metric}: {counted(one)}. {one.why}", style="red")


def _metrics(rows: Sequence[MetricRow], ink: Ink) -> Iterator[RenderableType]:
    table, has_bars = metric_table(rows, ink)
    yield table
    if has_bars:
        yield ink.text(bar_legend(ink), style="dim")
    if any(row.state_words != row.state for row in rows):
        yield ink.text("A verdict in brackets decides nothing.", style="dim")


def _missing(rows: Sequence[MetricRow]) -> list[tuple[str, str]]:
    return [(row.name, row.why_not) for row in rows if row.state == "not measured"]


def _advisory(rows: Sequence[MetricRow]) -> list[tuple[str, str]]:
    return [(row.name, row.why_not) for row in rows if row.state != "not measured"]


def _sentences(title: str, pairs: Sequence[tuple[str, str]], ink: Ink) -> Iterator[Text]:
    told = [(name, words) for name, words in pairs if words]
    if told:
        yield ink.heading(title)
    for name, words in told:
        yield ink.item(f"{name}: {words}")


def _slices(result: Result, ink: Ink) -> Iterator[Text]:
    found = [one for one in slice_rows(result) if one.found]
    if not found:
        return
    yield ink.heading("Where it differs (exploratory; decides nothing)")
    for one in found:
        cases = several(one.cases, "case")
        yield ink.item(f"{one.metric} on {cases} tagged {one.tag}: {one.difference}, {one.p}")


def _cases(
    views: Sequence[CaseView], result: Result, ink: Ink, *, most: int
) -> Iterator[RenderableType]:
    counts = ", ".join(f"{count} {state}" for state, count in count_states(views))
    if not counts:
        return
    yield ink.heading(f"Cases: {counts}")
    if len(views) < result.cases_total:
        yield ink.text(f"of the {len(views)} of {result.cases_total} cases that the report holds")
    told = [view for view in views if view.changed]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True, overflow=ink.overflow, max_width=min(_MOST_NAMES, ink.width // 3))
    grid.add_column(overflow="fold")
    for view in told[:most]:
        name = ink.text(view.case.case_id, style="bold" if view.broken else "")
        grid.add_row(Text(view.state, style=state_style(view.state)), name, _what(view, ink))
    if told[:most]:
        yield grid
    if len(told) > most:
        yield ink.text(f"and {several(len(told) - most, 'more case')} like these", style="dim")


def _what(view: CaseView, ink: Ink) -> Text:
    parts = [_moved(one) for one in view.moved]
    parts += ["critical"] if view.broken else []
    parts += [f"no answer: {', '.join(dict.fromkeys(view.case.candidate.errors))}"] * view.errors
    reasons = [
        f"{metric}: {'; '.join(reasons)}"
        for metric, reasons in view.case.candidate.reasons.items()
        if reasons
    ]
    found = ink.text("; ".join(parts) or "other words, the same scores")
    if reasons:
        found.append("\n")
        found.append_text(ink.text(" ".join(reasons), style="dim"))
    return found


def _moved(one: MetricChange) -> str:
    before = f"{one.before} \N{RIGHTWARDS ARROW} " if one.before else ""
    return f"{one.metric} {before}{one.after}"


def _facts(result: Result, ink: Ink) -> Iterator[Table]:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for fact in facts_of(result):
        words = ink.text(fact.text)
        if fact.small:
            words.append_text(ink.text(f"  {fact.small}", style="dim"))
        grid.add_row(fact.name, words)
    yield grid


def _notes(result: Result, ink: Ink) -> Iterator[Text]:
    for note in result.notes:
        yield ink.text(f"Note: {note}")
