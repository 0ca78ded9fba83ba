"""Labelling at the terminal: one key for each label."""

import sys
from collections.abc import Iterator, Mapping
from typing import Final

import typer

from trimtab.cli.output import console
from trimtab.errors import UsageError
from trimtab.evals.judges.desk import Desk
from trimtab.evals.judges.labelling import Shown
from trimtab.looks.words import several, visible

__all__ = ["label_rows"]

_SKIP, _UNDO, _STOP = "x", "u", "q"
_OTHERS: Final[Mapping[str, str]] = {_SKIP: "skip", _UNDO: "undo", _STOP: "stop"}


def label_rows(desk: Desk) -> None:
    """Show one row after the other, until all is done or somebody stops.

    Raises:
        ConfigError: a file of labels is wrong or cannot be used.
    """
    while (shown := desk.next()) is not None:
        for line in _lines(shown):
            console.print(line, markup=False, soft_wrap=True)
        keys = {word[0]: word for word in shown.choices}
        if not _act(desk, shown, keys):
            return
    console.print("All is labelled.")


def _act(desk: Desk, shown: Shown, keys: Mapping[str, str]) -> bool:
    """Do what one key says; False to stop."""
    offers = [f"[{key}] {word}" for key, word in (*keys.items(), *_OTHERS.items())]
    console.print("  ".join(offers), markup=False)
    while True:
        key = _read_key()
        if key in {_STOP, ""}:
            return False
        try:
            if key in keys:
                desk.label(shown.key, keys[key])
                return True
            if key == _SKIP:
                desk.skip(shown.key)
                return True
            if key == _UNDO:
                desk.undo()
                return True
        except UsageError as error:  # somebody else was faster, or there is nothing to undo
            typer.echo(str(error), err=True)
            return True
        typer.echo(f"Press one of: {' '.join((*keys, *_OTHERS))}", err=True)


def _read_key() -> str:
    """A key of the terminal, or the first character of a line of a pipe; "" at its end."""
    if sys.stdin.isatty():
        try:
            return typer.getchar().lower()
        except (KeyboardInterrupt, EOFError):
            return ""
    line = sys.stdin.readline()
    return (line.strip() or "?")[:1].lower() if line else ""


def _lines(shown: Shown) -> Iterator[str]:
    yield ""
    left = several(shown.left, "row")
    yield f"--- {shown.done + 1} of {shown.wanted}, {left} without a label --- {shown.case_id}"
    yield from _part("Asked", shown.asked)
    for number, source in enumerate(shown.sources, 1):
        yield from _part(f"Source {number}", source)
    yield from _part("A good answer", shown.reference)
    names = ("Answer",) if len(shown.answers) == 1 else ("First answer", "Second answer")
    for name, answer in zip(names, shown.answers, strict=True):
        yield from _part(name, answer or "(empty)")


def _part(name: str, text: str) -> Iterator[str]:
    if text:
        yield f"{name}:"
        for line in visible(text).splitlines():
            yield f"    {line}"
