"""What cases have told so far, as a table."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.datasets.near import NearGroup
from trimtab.evals.case_facts import CaseFact, CaseFacts, Says
from trimtab.looks.words import percent, several

__all__ = ["print_cases"]

_MOST_IDS: Final = 20
_SAYS: Final[dict[Says, str]] = {
    "all bad": "Every setup fails them: is what they expect right?",
    "all good": "Every setup passes them: they guard, and tell nothing apart",
    "alike": "Every setup reaches the same in between",
}


def print_cases(suite: str, facts: CaseFacts, near: Sequence[NearGroup], *, top: int) -> None:
    """Print the cases that flip, then those that tell nothing, then those that are alike."""
    if not facts.setups:
        console.print(f"{suite} was never run: trimtab eval run {suite}", markup=False)
        return
    of = f"{several(len(facts.cases), 'case')}, {several(facts.setups, 'setup')} tried"
    flip = "" if facts.flip is None else f"; mean flip rate {percent(facts.flip)}"
    console.print(f"{suite}: {of}{flip}\n", markup=False)
    _flips(facts, top)
    if facts.setups > 1:
        for says, words in _SAYS.items():
            _ids(words, facts.telling_nothing(says))
    else:
        console.print("With one setup nobody can say which cases tell setups apart.\n")
    for group in near:
        _ids(f"These ask nearly the same ({group.similarity:.2f})", group.ids)


def _flips(facts: CaseFacts, top: int) -> None:
    if facts.flip is None:
        console.print("Each case has one answer of each setup, so nobody knows how steady it is.\n")
        return
    flipping = sorted((case for case in facts.cases if case.flip), key=_by_flip)
    if not flipping:
        console.print("All answers of a setup to a case are judged alike.\n")
        return
    shown = table("Cases that flip", "case", "flip rate", "metric", "setups", "lowest", "highest")
    for case in flipping[:top]:
        shown.add_row(
            Text(case.id),
            percent(case.flip or 0.0),
            Text(case.metric),
            str(case.setups),
            _share(case.lowest),
            _share(case.highest),
        )
    print_table(shown)
    if len(flipping) > top:
        console.print(f"and {len(flipping) - top} more; --top shows them.")
    console.print()


def _by_flip(case: CaseFact) -> float:
    return -(case.flip or 0.0)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _ids(words: str, ids: Sequence[str]) -> None:
    if ids:
        more = f" and {len(ids) - _MOST_IDS} more" if len(ids) > _MOST_IDS else ""
        console.print(f"{words}: {', '.join(ids[:_MOST_IDS])}{more}\n", markup=False)
