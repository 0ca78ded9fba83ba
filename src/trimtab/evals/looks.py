"""When a gate looks at its answers, at which levels, and whether it ends there. Pure.

A look is at whole repeats of all cases, so that each look has seen every case, and both setups
alike. What the cases themselves differ by is in all looks, which makes them more alike than their
shares of the answers say: the levels are then a little more careful than they need to be.
"""

from collections.abc import Sequence
from math import ceil, sqrt
from typing import Final, Literal, NamedTuple

import msgspec
from scipy.special import ndtri

from trimtab.datasets.suite import GatePolicy
from trimtab.evals.gate import Judgement
from trimtab.stats.group_sequential import chance_to_cross, nominal_alphas

__all__ = ["Ending", "Look", "looks_of", "planned_of", "why_end"]

Ending = Literal["", "clear", "hopeless"]

_MORE: Final = 2  # times as many repeats, where a suite does not say
_HOPELESS: Final = 0.1  # chance of a verdict below which it is not waited for


class Look(NamedTuple):
    """One time at which answers are judged.

    Attributes:
        kind: before all planned answers are there, when they are, or after an extension.
        repeats: answers to each case by then.
        policy: of the suite, with the levels of this look.
    """

    kind: Literal["early", "planned", "extended"]
    repeats: int
    policy: GatePolicy


def looks_of(policy: GatePolicy, repeats: int) -> list[Look]:
    """All that a gate may take, in their order.

    Args:
        policy: of a suite.
        repeats: planned, of each case.
    """
    early = {ceil(repeats * at / policy.looks) for at in range(1, policy.looks)} - {repeats}
    counts = [*sorted(early), repeats]
    more = _extended(policy, repeats)
    if more:
        counts.append(more)
    if len(counts) == 1:
        return [Look("planned", repeats, policy)]
    shares = [count / counts[-1] for count in counts]
    planned = repeats / counts[-1]
    levels = zip(
        nominal_alphas(policy.alpha, shares, planned=planned),
        nominal_alphas(policy.critical_alpha, shares, planned=planned),
        strict=True,
    )
    return [
        Look(
            "early" if count < repeats else "planned" if count == repeats else "extended",
            count,
            msgspec.structs.replace(policy, alpha=alpha, critical_alpha=critical),
        )
        for count, (alpha, critical) in zip(counts, levels, strict=True)
    ]


def planned_of(looks: Sequence[Look]) -> Look:
    """The one at all planned answers, which there always is."""
    return next(look for look in looks if look.kind == "planned")


def why_end(judgement: Judgement, look: Look, looks: Sequence[Look], *, watched: bool) -> Ending:
    """Whether a gate ends at a look before all planned answers are there; "" to go on.

    Args:
        judgement: at this look.
        look: which.
        looks: all that it may take.
        watched: the suite has critical cases or a metric of safety. What must not happen once is
            looked for to the end: such a suite never passes early.
    """
    if judgement.verdict == "fail" or (judgement.verdict == "pass" and not watched):
        return "clear"
    if judgement.verdict == "inconclusive" and _is_hopeless(judgement, look, looks[-1]):
        return "hopeless"
    return ""


def _is_hopeless(judgement: Judgement, look: Look, last: Look) -> bool:
    """Whether from here not even what is no worse would pass, nor what is worse by the margin fail.

    This may be wrong without harm to the levels: alpha counts on no verdict that is not given.
    """
    deciding = [one for one in judgement.comparisons if one.primary]
    if judgement.lacks or not deciding:
        return False
    share, bound = look.repeats / last.repeats, -float(ndtri(last.policy.alpha))
    passing: list[float] = []
    failing: list[float] = []
    for one in deciding:
        if one.verdict == "advisory" or one.p_margin is None or one.p_drop is None:
            passing.append(0.0)
            continue
        above, below = _z(one.p_margin), _z(one.p_drop)
        drift = (above + below) / sqrt(share)  # the margin, in standard errors in the end
        passing.append(chance_to_cross(above, share, bound, drift=drift))
        failing.append(chance_to_cross(below, share, bound, drift=drift))
    return max(min(passing), *failing, 0.0) < _HOPELESS


def _z(p: float) -> float:
    return -float(ndtri(min(max(p, 1e-15), 1 - 1e-15)))


def _extended(policy: GatePolicy, repeats: int) -> int:
    """Repeats after an extension; 0 where there is none."""
    if policy.inconclusive != "extend":
        return 0
    more = policy.extend_repeats or _MORE * repeats
    return more if more > repeats else 0
