"""What subjects of budgets have spent, from the records."""

from collections.abc import Collection

from trimtab.config.money import Per
from trimtab.spend.windows import Window
from trimtab.store.protocol import Reader
from trimtab.types.clock import NS_PER_S

__all__ = ["spent_by", "spent_by_step"]

_HOUR_S = 3_600


def spent_by(
    reader: Reader, per: Per, window: Window, *, subjects: Collection[str] | None = None
) -> dict[str, int]:
    """Nano-dollars by subject in a window, its ends moved outwards to full hours or minutes.

    Args:
        reader: the records.
        per: the kind of subject.
        window: UTC nanoseconds.
        subjects: of those only; None for all.
    """
    if per == "user" and subjects is None:
        return reader.cost_per_user(*window)
    nameless = per in {"key", "team"} and (subjects is None or "" in subjects)
    wanted = None if nameless else subjects
    groups = reader.usage_by(per, *window, values=wanted, measures=())
    found = {group.value: group.cost_nanousd for group in groups}
    if nameless:
        # No sums are kept of requests without a key or team: they are what the others leave.
        rest = _total(reader, window) - sum(found.values())
        if rest > 0:
            found[""] = rest
    return found


def spent_by_step(
    reader: Reader, per: Per, window: Window, *, subject: str, step_s: int
) -> dict[int, int]:
    """Nano-dollars of one subject by start of the step, in UTC nanoseconds.

    Args:
        reader: the records.
        per: the kind of subject.
        window: UTC nanoseconds.
        subject: which one.
        step_s: seconds of a step; whole hours for users, keys and teams.
    """
    if subject or per not in {"key", "team"}:
        return _steps(reader, per, subject, window, step_s=step_s)
    found = _steps(reader, "total", "", window, step_s=step_s)
    for group in reader.usage_by(per, *window, measures=()):
        for at_ns, cost_nanousd in _steps(reader, per, group.value, window, step_s=step_s).items():
            found[at_ns] = found.get(at_ns, 0) - cost_nanousd
    return found


def _steps(  # noqa: PLR0917 - what, of whom, and when
    reader: Reader, per: Per, subject: str, window: Window, *, step_s: int
) -> dict[int, int]:
    groups = reader.usage_over_time(per, subject, *window, step_s=step_s, measures=())
    return {group.since_ns: group.cost_nanousd for group in groups}


def _total(reader: Reader, window: Window) -> int:
    """All of the same whole hours that keys and teams are summed up by."""
    hour_ns = _HOUR_S * NS_PER_S
    since_ns = window.begin_ns - window.begin_ns % hour_ns
    until_ns = window.end_ns + -window.end_ns % hour_ns
    return sum(g.cost_nanousd for g in reader.usage_by("total", since_ns, until_ns, measures=()))
