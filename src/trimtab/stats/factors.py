"""A ratio as a product of causes, exactly, and its difference as a sum of them. Pure.

A chain of bills goes from what was planned to what happened, and replaces one quantity at each
step. Each factor is a bill over the one before, so their product is the whole ratio, whatever the
steps are.

The difference in money is shared out in proportion to the logarithms of the factors, which does
not depend on the order of the steps (the additive form of the logarithmic mean Divisia index:
B. W. Ang, "The LMDI approach to decomposition analysis", Energy Policy 33, 2005).
"""

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Factor", "Step", "chain_factors", "share_difference", "share_out"]

_EXACT = Context(prec=60)


class Step(NamedTuple):
    """What the bill is once one more quantity is as it was; None where that is not known."""

    name: str
    bill: Fraction | None


class Factor(NamedTuple):
    """One cause.

    Attributes:
        factor: above 0; 1 where it is not told apart.
        part_of: the step that includes it where it is not told apart, else "".
    """

    name: str
    factor: Fraction
    part_of: str = ""


def chain_factors(planned: Fraction, steps: Sequence[Step]) -> list[Factor]:
    """The factors of `steps[-1].bill / planned`, one for each step.

    A step whose bill is not known, or is 0 on the way to one that is not, is told together with
    the next one.

    Args:
        planned: the bill before the first step; above 0.
        steps: at least one; the bill of the last one is above 0.
    """
    factors: list[Factor] = []
    before, waiting = planned, list[str]()
    for name, bill in steps:
        if not bill:
            waiting.append(name)
            continue
        factors += [Factor(part, Fraction(1), name) for part in waiting]
        factors.append(Factor(name, bill / before))
        before, waiting = bill, []
    assert not waiting, "the last bill is known"
    return factors


def share_difference(planned: int, actual: int, factors: Sequence[Fraction]) -> list[int]:
    """How much of `actual - planned` each factor adds, in integers that add up to it.

    Args:
        planned: above 0.
        actual: above 0; `planned` times all factors, rounded.
        factors: above 0.
    """
    logs = [_ln(factor) for factor in factors]
    if planned == actual:
        weights = [_EXACT.multiply(Decimal(planned), log) for log in logs]
    else:
        whole = _ln(Fraction(actual, planned))
        mean = _EXACT.divide(Decimal(actual - planned), whole)
        weights = [_EXACT.multiply(mean, log) for log in logs]
    return share_out(actual - planned, [Fraction(weight) for weight in weights])


def share_out(total: int, weights: Sequence[Fraction]) -> list[int]:
    """Integers next to `weights`, whose sum is `total`: the largest remainders are rounded up.

    The weights should add up to about the total. What they lack, or have too much, is spread
    evenly.
    """
    if not weights:
        return []
    rest = (total - sum(weights, Fraction(0))) / len(weights)
    wanted = [weight + rest for weight in weights]
    floors = [weight.numerator // weight.denominator for weight in wanted]
    by_remainder = sorted(range(len(wanted)), key=lambda at: (floors[at] - wanted[at], at))
    for at in by_remainder[: total - sum(floors)]:
        floors[at] += 1
    return floors


def _ln(value: Fraction) -> Decimal:
    top, bottom = Decimal(value.numerator), Decimal(value.denominator)
    return _EXACT.subtract(_EXACT.ln(top), _EXACT.ln(bottom))
