"""How fast a budget is used, and when nothing will be left of it."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from trimtab.config.money import Budget, UserClass, class_of
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

__all__ = ["Burn", "BurnOf", "Spent", "burn", "burns_of"]

_DAY_NS: Final = 86_400 * NS_PER_S


class Burn(msgspec.Struct, frozen=True, kw_only=True):
    """One budget's spending, projected in a straight line. Amounts in nano-dollars.

    Attributes:
        limit_nanousd, spent_nanousd: of the present window.
        begin_ns, end_ns: UTC nanoseconds of the window; a rolling one ends now.
        per_day_nanousd: the rate: what was spent over the time looked at, as of a day.
        times_sustainable: that rate as a multiple of the one which uses the limit up exactly by
            the end of the window; above 1 the budget does not last. None where nothing is left
            to be spent or no time to spend it in.
        exhausted_ns: when the limit is reached at this rate; now if it is already; None if it is
            not reached before the window ends.
    """

    limit_nanousd: int
    spent_nanousd: int
    begin_ns: int
    end_ns: int
    per_day_nanousd: int
    times_sustainable: float | None
    exhausted_ns: int | None


class BurnOf(msgspec.Struct, frozen=True, kw_only=True):
    """Whose budget it is, and how fast it is used.

    Attributes:
        name: of a user, model, route or team, the id of a key, or "" for the total.
    """

    name: str
    burn: Burn


class Spent(NamedTuple):
    """Nano-dollars by name ("" for the total), and the UTC nanoseconds between which."""

    costs: Mapping[str, int]
    begin_ns: int
    end_ns: int


def burns_of(
    budget: Budget,
    spent: Spent,
    *,
    now_ns: int,
    recent: Spent | None = None,
    classes: Mapping[str, UserClass] = {},
) -> list[BurnOf]:
    """Everyone who has this budget and has spent something of it, who is out of it first.

    Then come those whose budget lasts, the fastest first. Whoever has no limit is left out.

    Args:
        budget: of the project.
        spent: in its present window; of a rolling one the end is `now_ns`.
        now_ns: UTC nanoseconds.
        recent: in a shorter time up to now, for the rate.
        classes: for limits by class of users.
    """
    found: list[BurnOf] = []
    known = dict(classes)
    for name, spent_nanousd in spent.costs.items():
        user_class = class_of(Caller(user=name), known) if budget.per == "user" else ""
        limit_nanousd = budget.limit_nanousd(name, user_class)
        if limit_nanousd is None:
            continue
        pace = recent and (recent.costs.get(name, 0), recent.end_ns - recent.begin_ns)
        one = burn(
            limit_nanousd,
            spent_nanousd,
            begin_ns=spent.begin_ns,
            end_ns=spent.end_ns,
            now_ns=now_ns,
            recent=pace,
        )
        found.append(BurnOf(name=name, burn=one))
    return sorted(found, key=_urgency)


def _urgency(one: BurnOf) -> tuple[float, float, str]:
    never = float("inf")
    exhausted_ns = one.burn.exhausted_ns
    times = one.burn.times_sustainable
    return (
        never if exhausted_ns is None else exhausted_ns,
        -(never if times is None else times),
        one.name,
    )


def burn(
    limit_nanousd: int,
    spent_nanousd: int,
    *,
    begin_ns: int,
    end_ns: int,
    now_ns: int,
    recent: tuple[int, int] | None = None,
) -> Burn:
    """The rate at which a budget is used and the moment at which it will be exhausted.

    Args:
        limit_nanousd: may be spent in the window.
        spent_nanousd: was spent in it so far.
        begin_ns: when the window began.
        end_ns: when it ends; of a rolling one `now_ns`.
        now_ns: UTC nanoseconds.
        recent: nano-dollars and the nanoseconds in which they were spent, for a rate of its own,
            as that of the last 24 hours; without it the rate is that of the window so far.

    In a rolling window old spending leaves while new comes. It is taken to have been even, so the
    limit is only reached where the recent rate is above that of the window.
    """
    passed_ns = max(1, now_ns - begin_ns)
    amount_nanousd, over_ns = recent or (spent_nanousd, passed_ns)
    over_ns = max(1, over_ns)
    rolling = end_ns <= now_ns
    left_nanousd = limit_nanousd - spent_nanousd
    # Whole numbers throughout: amounts times nanoseconds are beyond what a float holds exactly.
    if rolling:
        room, room_ns = limit_nanousd, passed_ns
        gain, gain_ns = amount_nanousd * passed_ns - spent_nanousd * over_ns, over_ns * passed_ns
    else:
        room, room_ns = left_nanousd, end_ns - now_ns
        gain, gain_ns = amount_nanousd, over_ns
    times = amount_nanousd * room_ns / (room * over_ns) if room > 0 else None
    exhausted_ns = None
    if left_nanousd <= 0:
        exhausted_ns = now_ns
    elif gain > 0:
        after_ns = -(-left_nanousd * gain_ns // gain)
        exhausted_ns = now_ns + after_ns if after_ns <= room_ns else None
    return Burn(
        limit_nanousd=limit_nanousd,
        spent_nanousd=spent_nanousd,
        begin_ns=begin_ns,
        end_ns=end_ns,
        per_day_nanousd=-(-amount_nanousd * _DAY_NS // over_ns),
        times_sustainable=times,
        exhausted_ns=exhausted_ns,
    )
