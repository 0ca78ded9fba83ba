"""Differences of prompts, in a terminal."""

from collections.abc import Iterator, Sequence

from rich.markup import escape
from rich.text import Text

from trimtab.cli.output import console
from trimtab.prompts.diff.compare import Difference, TurnChange
from trimtab.prompts.diff.rendered import RenderedDifference
from trimtab.prompts.diff.words import Span

__all__ = ["print_difference"]

_STYLES = {"same": "", "removed": "red strike", "added": "green", "gap": "dim"}
_MARKS = {"removed": ("[-", "-]"), "added": ("{+", "+}")}  # as of `git diff --word-diff`


def print_difference(difference: Difference, rendered: Sequence[RenderedDifference]) -> None:
    """Print it."""
    old, new = difference.old, difference.new
    console.print(f"[bold]{escape(old.prompt)}[/bold] {escape(old.name)} -> {escape(new.name)}")
    if not difference.is_behaviour:
        console.print("A model sees the same, and is asked for the same.")
    for change in difference.fields:
        warning = "[bold red]breaks callers:[/bold red] " if change.is_breaking else ""
        console.print(f"  {escape(change.path)}  {warning}", end="")
        console.print(Text(f"{_shown(change.old)} -> {_shown(change.new)}"))
        if change.meaning:
            console.print(Text(f"    {change.meaning}", style="dim"))
    for turn in difference.turns:
        _print_turn(turn)
    for partial in difference.partials:
        console.print(f"  [bold]{escape(partial.name)}[/bold] {partial.kind}")
        console.print(_words(partial.spans))
    for case in rendered:
        _print_case(case)


def _print_case(case: RenderedDifference) -> None:
    console.print(f"[bold]Messages for {escape(case.case)}[/bold]")
    for name, problem in (("before", case.old_problem), ("after", case.new_problem)):
        if problem:
            console.print(Text(f"  {name}: {problem}", style="red"))
    if case.is_same:
        console.print("  the same")
    for message in case.messages:
        _print_turn(message)


def _print_turn(turn: TurnChange) -> None:
    if turn.kind == "same":
        return
    console.print(f"  [bold]<<{turn.role}>>[/bold] {turn.kind}")
    console.print(_words(turn.spans))


def _words(spans: Sequence[Span]) -> Text:
    text = Text()
    for piece, kind in _pieces(spans):
        text.append(piece, _STYLES[kind])
    indented = Text("\n    ").join(text.split("\n"))
    return Text("    ") + indented


def _pieces(spans: Sequence[Span]) -> Iterator[tuple[str, str]]:
    for span in spans:
        if span.kind == "gap":
            yield (f" [... {span.lines} lines ...] " if span.lines else " [...] "), "gap"
        else:
            before, after = _MARKS.get(span.kind, ("", ""))
            yield f"{before}{span.text}{after}", span.kind


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
