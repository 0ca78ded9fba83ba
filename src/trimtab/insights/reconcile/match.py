"""Which of a provider's models are which of ours, on one day.

Providers bill the snapshot that served (`gpt-x-2026-01-01`), and we may have asked for an alias of
it (`gpt-x`). Nothing is guessed: models match by the same name, or because inferences of that day
show that one was asked and the other served. Where one alias was served by two snapshots, all
three make one group, since what each side counted of it can only be compared as a whole.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple

__all__ = ["Group", "grouped"]


class Group(NamedTuple):
    """Models that are compared as one.

    Attributes:
        theirs: names in the export, in order; empty if only we know it.
        ours: models that were asked for; empty if only they know it.
    """

    theirs: tuple[str, ...]
    ours: tuple[str, ...]


def grouped(
    theirs: Collection[str], ours: Collection[str], served: Iterable[tuple[str, str]]
) -> list[Group]:
    """All models of a day, each in one group.

    Args:
        theirs: models in the export.
        ours: models in the ledger.
        served: pairs of a model that was asked for and the one that served.
    """
    links = {(name, name) for name in theirs if name in ours}
    links |= {(asked, by) for asked, by in served if asked in ours and by in theirs}
    groups: list[tuple[set[str], set[str]]] = [({name}, set()) for name in theirs]
    groups += [(set(), {name}) for name in ours]
    for asked, by in links:
        one = next(group for group in groups if by in group[0])
        other = next(group for group in groups if asked in group[1])
        if one is not other:
            one[0].update(other[0])
            one[1].update(other[1])
            groups = [group for group in groups if group is not other]
    return sorted(Group(tuple(sorted(one)), tuple(sorted(other))) for one, other in groups)
