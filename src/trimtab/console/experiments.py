"""`/console/experiments` and one experiment: what was tried, the verdict, and why."""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from trimtab.console.query import Query, choice, link
from trimtab.console.render import Page
from trimtab.console.site import Answer, Asked
from trimtab.errors import UnknownPath, UsageError
from trimtab.evals.reports.cases import STATES, CaseView, case_views
from trimtab.evals.reports.heading import VERDICT_WORDS, setup_words
from trimtab.evals.reports.page import page_of
from trimtab.evals.reports.shown_case import show_case
from trimtab.evals.result import Result
from trimtab.looks.words import visible
from trimtab.store.protocol import Experiments
from trimtab.types.experiments import Experiment

__all__ = ["ExperimentRow", "Kept", "experiment_page", "experiments_page"]

_SHOWN: Final = 100
_CASES: Final = 40
_MOST_BYTES: Final = 16 << 20  # of a result; beyond, inferences would feel that it is read
_STATES: Final = ("", "changed", *STATES)
_ONLY: Final = ("", "critical", "errors")
_ORDERS: Final[dict[str, Callable[[CaseView], float] | None]] = {
    "matters": None,  # as they come
    "drop": lambda view: view.drop,
    "cost": lambda view: view.case.candidate.cost_nanousd,
    "latency": lambda view: view.case.candidate.latency_ms,
}
_MOST_FIND: Final = 200

Kept = Callable[[], Experiments]
"""Opens the experiments of the project."""


class ExperimentRow(msgspec.Struct, frozen=True):
    """One experiment in the list.

    Attributes:
        candidate, baseline: short names; `baseline` is "" for a run of one.
        word: of the verdict; what goes on where there is none yet.
    """

    experiment: Experiment
    candidate: str
    baseline: str
    word: str


def experiments_page(kept: Kept) -> Answer:
    """The newest experiments; `suite` in the address for those of one suite."""

    def answer(asked: Asked) -> Page:
        suite = asked.query.get("suite", "").strip()
        found = kept().experiments(_SHOWN + 1, suite=suite or None)
        return Page(
            "experiments.html",
            {
                "rows": [_row(one) for one in found[:_SHOWN]],
                "more": len(found) > _SHOWN,
                "shown": _SHOWN,
                "suite": suite,
            },
        )

    return answer


def _row(one: Experiment) -> ExperimentRow:
    baseline = "" if one.baseline is None else setup_words(one.baseline, one.candidate)
    word = VERDICT_WORDS[one.verdict].lower()
    return ExperimentRow(
        one,
        setup_words(one.candidate, one.baseline),
        baseline,
        word if one.ended_ns else "not ended",
    )


def experiment_page(kept: Kept) -> Answer:
    """One experiment with its cases.

    In the address: `state`, `only`, `tag`, `find`, `order` and `skip` of its cases.
    """

    def answer(asked: Asked) -> Page:
        experiment = kept().experiment(asked.parts["id"])
        if experiment is None:
            raise UnknownPath(
                f"There is no experiment {visible(asked.parts['id'][:80])}. The list has all that "
                "are kept; `trimtab eval gate` makes one."
            )
        values = {"experiment": experiment, "row": _row(experiment), "result": None}
        result, trouble = _read(experiment)
        filled = {} if result is None else _filled(result, asked)
        return Page("experiment.html", values | {"trouble": trouble} | filled)

    return answer


def _read(experiment: Experiment) -> tuple[Result | None, str]:
    """The result, or why there is none to show; neither of an experiment that did not end."""
    if not experiment.summary:
        return None, ""
    if len(experiment.summary) > _MOST_BYTES:
        return None, (
            "The result of this experiment is too large for a page of the console. Run the same "
            "command again with `--report report.html`: answers that are kept cost nothing."
        )
    try:
        return msgspec.json.decode(experiment.summary, type=Result), ""
    except msgspec.MsgspecError:
        return None, (
            "The result of this experiment was written by another version of trimtab. Run the "
            "suite again: answers that are kept cost nothing."
        )


def _filled(result: Result, asked: Asked) -> dict[str, object]:
    views = case_views(result)
    page = page_of(result, views)
    chosen = _chosen(views, asked.query)
    skip = _skip(asked.query.get("skip", ""))
    tags = {tag: number for number, tag in enumerate(page.tags)}
    given = {name: value for name, value in asked.query.items() if name != "skip"}
    return {
        "result": page,
        "cases": [show_case(view, tags, full=True) for view in chosen[skip : skip + _CASES]],
        "chosen": len(chosen),
        "first": skip + 1,
        "states": [state for state, _ in page.counts],
        "case_link": f"{asked.path}?case=",
        "previous": link(asked.path, given, skip=str(max(0, skip - _CASES))) if skip else "",
        "next": link(asked.path, given, skip=str(skip + _CASES))
        if skip + _CASES < len(chosen)
        else "",
        "all": asked.path,
    }


def _chosen(views: Sequence[CaseView], query: Query) -> list[CaseView]:
    """The cases that an address asks for, in its order."""
    state, only = choice(query, "state", _STATES), choice(query, "only", _ONLY)
    tag, number = query.get("tag", ""), query.get("case", "")
    find = query.get("find", "").strip().casefold()[:_MOST_FIND]
    found = [
        view
        for view in views
        if _is_of(view, state)
        and _is_only(view, only)
        and tag in {"", *view.case.tags}
        and number in {"", str(view.number)}
        and _has(view, find)
    ]
    order = _ORDERS[choice(query, "order", tuple(_ORDERS))]
    return found if order is None else sorted(found, key=order, reverse=True)


def _is_of(view: CaseView, state: str) -> bool:
    return view.changed if state == "changed" else state in {"", view.state}


def _is_only(view: CaseView, only: str) -> bool:
    return {"": True, "critical": view.case.critical, "errors": view.errors}[only]


def _has(view: CaseView, find: str) -> bool:
    if not find:
        return True
    case = view.case
    sides = [case.candidate] if case.baseline is None else [case.candidate, case.baseline]
    texts = [case.case_id, case.asked, *(text for side in sides for text in side.texts)]
    return any(find in text.casefold() for text in texts)


def _skip(text: str) -> int:
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"skip={text[:80]!r} is not a number of cases. Leave it out.")
    return int(text)
