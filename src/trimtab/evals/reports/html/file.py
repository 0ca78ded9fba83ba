"""A result as one file for a browser: no request, no script but our own, safe to pass on.

The page's policy allows exactly the style sheet and the script that are written here, by their
hashes, so that nothing else could run even if it came through. Cases are written one by one: what
is in memory at a time is one case and the frame.
"""

import secrets
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import BinaryIO, Final

from trimtab.evals.reports.cases import CaseView, case_views
from trimtab.evals.reports.html.render import read_part, render
from trimtab.evals.reports.page import ResultPage, page_of
from trimtab.evals.reports.shown_case import show_case
from trimtab.evals.result import CaseResult, Result, Side

__all__ = ["MOST_FULL", "MOST_LISTED", "write_html"]

MOST_FULL: Final = 300
"""Cases that are shown with their answers."""

MOST_LISTED: Final = 3_000
"""Cases that are shown at all."""

_MOST_CHARACTERS: Final = 8_000_000  # of texts of cases; a browser opens so much in a moment


def write_html(result: Result, file: BinaryIO) -> None:
    """Write the page in UTF-8."""
    views = case_views(result)
    full, listed = _how_many(views)
    page = page_of(result, views)
    parts = {
        "place_of_styles": [_styles()],
        "place_of_cases": _cases(views[:listed], page, full),
        "place_of_script": [_script()],
    }
    marks = {name: secrets.token_hex(16) for name in parts}  # no text can hold them
    values = {
        "policy": _policy(),
        "result": page,
        "full": full,
        "short": listed - full,
        "left_off": len(views) - listed,
        **marks,
    }
    rest = render("report.html", values)
    for name, pieces in parts.items():
        before, _, rest = rest.partition(marks[name])
        file.write(before.encode())
        file.writelines(piece.encode() for piece in pieces)
    file.write(rest.encode())


def _cases(views: Sequence[CaseView], page: ResultPage, full: int) -> Iterator[str]:
    tags = {tag: number for number, tag in enumerate(page.tags)}
    for number, view in enumerate(views):
        yield render("_report_case.html", {"one": show_case(view, tags, full=number < full)})


def _how_many(views: Sequence[CaseView]) -> tuple[int, int]:
    """How many cases are shown in full, and how many at all."""
    room = _MOST_CHARACTERS
    full = 0
    for view in views[:MOST_FULL]:
        room -= _characters(view.case)
        if room < 0:
            break
        full += 1
    return full, min(len(views), MOST_LISTED)


def _characters(case: CaseResult) -> int:
    sides = [case.candidate] if case.baseline is None else [case.candidate, case.baseline]
    return len(case.asked) + sum(_of_side(side) for side in sides)


def _of_side(side: Side) -> int:
    reasons = (reason for found in side.reasons.values() for reason in found)
    return sum(map(len, side.texts)) + sum(map(len, reasons))


def _styles() -> str:
    foundation = (files("trimtab.looks") / "foundation.css").read_text(encoding="utf-8")
    return f"\n{foundation}{read_part('report.css')}"


def _script() -> str:
    return f"\n{read_part('report.js')}"


def _policy() -> str:
    return (
        f"default-src 'none'; style-src '{_hash(_styles())}'; script-src '{_hash(_script())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
