"""Coverage of a suite: its figures, and how they are printed."""

from collections.abc import Sequence

import msgspec
from rich.text import Text

from trimtab.cli.output import console, print_table, table
from trimtab.datasets.case import Case
from trimtab.datasets.coverage import Coverage, TagCoverage, measure_coverage
from trimtab.datasets.suite import Suite
from trimtab.datasets.traffic import KINDS, Kind, Traffic
from trimtab.looks.words import one_line, percent, several

__all__ = ["SuiteCoverage", "coverage_of", "print_coverage"]

_MOST = 30  # rows of a table
_NONE = "(none)"


class SuiteCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """A suite against production.

    Attributes:
        suite: its name.
        inferences: of production that were looked at.
        more: there are older ones in the range that were not.
        read: whose requests were kept, so that their tags can be told.
        tagged: of these, with a tag.
        cases: of the suite.
        untagged_cases: without a tag.
        tags: on either side; shares are of the inferences that were read, and of the cases.
        missing: tags that production has and no case has.
        unseen: tags that cases have and production has not.
        kinds: traffic by class, route and version, with the cases that stand for each.
    """

    suite: str
    inferences: int
    more: bool
    read: int
    tagged: int
    cases: int
    untagged_cases: int
    tags: list[TagCoverage]
    missing: list[str]
    unseen: list[str]
    kinds: dict[Kind, list[TagCoverage]]


def coverage_of(suite: Suite, traffic: Traffic) -> SuiteCoverage:
    """Hold the tags of cases against those of production."""
    of_kinds = tuple(f"{kind}:" for kind in KINDS)
    plain = [
        _with_tags(case, [t for t in case.tags if not t.startswith(of_kinds)])
        for case in suite.cases
    ]
    found = measure_coverage(plain, traffic.tags, traffic.read)
    return SuiteCoverage(
        suite=suite.name,
        inferences=traffic.inferences,
        more=traffic.more,
        read=traffic.read,
        tagged=traffic.tagged,
        cases=found.cases,
        untagged_cases=sum(not case.tags for case in suite.cases),
        tags=found.tags,
        missing=[one.tag for one in found.missing],
        unseen=[one.tag for one in found.unseen],
        kinds={kind: _of_kind(suite.cases, traffic, kind).tags for kind in KINDS},
    )


def print_coverage(found: SuiteCoverage, *, since: str) -> None:
    """Print tables, and what follows from them."""
    if not found.inferences:
        console.print(f"Production has not asked {found.suite} in {since}.", markup=False)
        return
    newest = "the newest " if found.more else ""
    told = f"{newest}{several(found.inferences, 'inference')} of {since}"
    console.print(f"{found.suite}: {told}; {several(found.cases, 'case')}\n", markup=False)
    if found.tagged:
        _print(f"Tags, of {several(found.read, 'request')} that were kept", found.tags)
        _tell("Production has them, and no case:", found.missing)
        _tell("Cases have them, and production has not:", found.unseen)
    else:
        console.print(_no_tags(found), markup=False)
    for kind in KINDS:
        rows = found.kinds[kind]
        if len(rows) > 1 or any(row.cases for row in rows):
            _print(f"By {kind}", rows)
    if not any(row.cases for rows in found.kinds.values() for row in rows):
        console.print(
            "No case says whom it stands for; tag cases `class:NAME` or `route:NAME` to compare.",
            markup=False,
        )
    if found.untagged_cases:
        console.print(f"{several(found.untagged_cases, 'case')} without a tag.", markup=False)


def _no_tags(found: SuiteCoverage) -> str:
    how = 'Callers tag by `"metadata": {"tags": "billing, refund"}` in the request.'
    if not found.read:
        return (
            'No request was kept, so tags cannot be told: [recording] bodies = "full" keeps them. '
            f"{how}\n"
        )
    return f"None of {several(found.read, 'request')} that were kept has a tag. {how}\n"


def _print(title: str, rows: Sequence[TagCoverage]) -> None:
    shown = table(title, "tag", "inferences", "share", "cases", "share of cases")
    for row in rows[:_MOST]:
        shown.add_row(
            Text(one_line(row.tag) or _NONE),
            f"{row.inferences:,}",
            percent(row.traffic_share),
            f"{row.cases:,}",
            percent(row.case_share),
        )
    print_table(shown)
    if len(rows) > _MOST:
        console.print(f"and {len(rows) - _MOST} more; --json has all.")
    console.print()


def _tell(words: str, tags: Sequence[str]) -> None:
    if tags:
        names = ", ".join(one_line(tag) for tag in tags[:_MOST])
        console.print(f"{words} {names}\n", markup=False)


def _of_kind(cases: Sequence[Case], traffic: Traffic, kind: Kind) -> Coverage:
    own = [_with_tags(case, [t for t in case.tags if t.startswith(f"{kind}:")]) for case in cases]
    counts = {f"{kind}:{name or _NONE}": n for name, n in traffic.kinds[kind].items()}
    return measure_coverage(own, counts, traffic.inferences)


def _with_tags(case: Case, tags: list[str]) -> Case:
    return msgspec.structs.replace(case, tags=tags)
