"""Boundaries of a test that is looked at a few times on the way, to stop early. Pure.

The statistic at look k is z of all that is known by then, so that `z_k sqrt(t_k)` is Brownian
motion at the share t_k of all information. Bounds keep the chance of ever crossing one, while there
is no difference, at alpha:

- O'Brien and Fleming ("A multiple testing procedure for clinical trials", Biometrics 35, 1979):
  `C / sqrt(t_k)`, so high at first that the last look is almost the one of a test without any
  other.
- Pocock ("Group sequential methods in the design and analysis of clinical trials", Biometrika 64,
  1977): the same C at each look.

C is found by integrating the density of the motion over what is between the bounds, look after
look: Armitage, McPherson and Rowe, "Repeated significance tests on accumulating data" (Journal of
the Royal Statistical Society A 132, 1969), here with Gauss-Legendre nodes.

Bounds for futility stop what would hardly become significant any more: where the chance that it
will, if the true difference is the one that the design can find, is below a limit (Lan, Simon and
Halperin, "Stochastically curtailed testing in long-term clinical trials", Sequential Analysis 1,
1982). Alpha does not count on them, so going on in spite of one breaks nothing.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf, sqrt
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

__all__ = [
    "Crossing",
    "Design",
    "Shape",
    "boundary_constant",
    "chance_to_cross",
    "crossing",
    "design",
    "nominal_alphas",
]

Shape = Literal["obrien_fleming", "pocock"]

_NODES: Final = 96  # to each stretch of the motion: eight digits for up to twenty looks
_FAR: Final = 8.5  # standard deviations beyond which nothing is left
_X, _WEIGHTS = np.polynomial.legendre.leggauss(_NODES)


class Design(NamedTuple):
    """When to stop.

    Attributes:
        information: share of all information at each look, up to 1.
        efficacy: z at each look that is enough to stop; of a two-sided test in either direction.
        futility: z at each look below which going on is futile, absolute if the test is two-sided;
            at the last look that of `efficacy`.
        drift: mean of the last z at which the test without futility bounds has the power asked for.
    """

    information: tuple[float, ...]
    efficacy: tuple[float, ...]
    futility: tuple[float, ...]
    drift: float


class Crossing(NamedTuple):
    """Chances at each look, of crossing there and not before.

    Attributes:
        upper: of being at the upper bound or above.
        lower: of being at the lower bound or below.
    """

    upper: tuple[float, ...]
    lower: tuple[float, ...]


def boundary_constant(
    shape: Shape, information: Sequence[float], *, alpha: float = 0.05, sides: Literal[1, 2] = 2
) -> float:
    """C of a shape; K looks at equal distances are `[1 / K, 2 / K, ..., 1]`.

    Args:
        shape: of the bounds.
        information: share of all information at each look, rising, the last one 1.
        alpha: in all, of both sides if there are two.
        sides: of the test.

    Raises:
        ValueError: the looks do not rise to 1, or alpha is not in 0..0.5.
    """
    _check(information, alpha)
    return _constant(
        tuple(_bounds(shape, information, 1.0)), tuple(information), alpha=alpha, sides=sides
    )


def nominal_alphas(
    alpha: float, information: Sequence[float], *, planned: float = 1.0
) -> list[float]:
    """The one-sided level of each look of a test that is planned to end at one of them.

    Looks before that one have the levels of O'Brien and Fleming, so that they cost it little; it
    and those that may follow have the same, as Pocock's.

    0.05 in all is 0.0015, 0.018 and 0.043 at three looks at equal distances; and 0.0304 at each of
    two, of which the first one was planned.

    Args:
        alpha: in all, one-sided.
        information: share of all information at each look, rising, the last one 1.
        planned: the one of these at which the test was to end.

    Raises:
        ValueError: the looks do not rise to 1, or alpha is not in 0..0.5.
    """
    _check(information, alpha)
    shape = tuple(sqrt(planned / min(share, planned)) for share in information)
    constant = _constant(shape, tuple(information), alpha=alpha, sides=1)
    return [float(ndtr(-constant * bound)) for bound in shape]


def chance_to_cross(z: float, share: float, bound: float, *, drift: float) -> float:
    """How probable it is that z is at a bound in the end: the conditional power.

    Args:
        z: at present.
        share: of all information, that z is of, above 0 and below 1.
        bound: of z in the end.
        drift: mean of z in the end, as far as it is not known yet.
    """
    left = 1 - share
    return float(ndtr((z * sqrt(share) + drift * left - bound) / sqrt(left)))


@lru_cache
def _constant(
    shape: tuple[float, ...], information: tuple[float, ...], *, alpha: float, sides: int
) -> float:
    """C, where the bounds are C times a shape."""

    def too_often(constant: float) -> float:
        upper = [constant * bound for bound in shape]
        lower = [-bound for bound in upper] if sides == 2 else [-inf] * len(upper)
        crossed = crossing(information, upper, lower)
        return sum(crossed.upper) + (sum(crossed.lower) if sides == 2 else 0.0) - alpha

    single = float(ndtri(1 - alpha / sides))
    safe = float(ndtri(1 - alpha / sides / len(information)))
    if safe - single < 1e-12:
        return single
    return float(brentq(too_often, single - 1e-6, safe + 1e-6, xtol=1e-10))


def design(
    shape: Shape = "obrien_fleming",
    information: Sequence[float] = (1 / 3, 2 / 3, 1.0),
    *,
    alpha: float = 0.05,
    sides: Literal[1, 2] = 2,
    power: float = 0.8,
    hopeless: float = 0.1,
) -> Design:
    """Bounds for efficacy, and non-binding ones for futility.

    Args:
        shape: of the bounds for efficacy.
        information: share of all information at each look, rising, the last one 1.
        alpha: in all.
        sides: of the test.
        power: at the difference that futility is judged by.
        hopeless: chance of significance in the end below which going on is futile.

    Raises:
        ValueError: the looks do not rise to 1, or a probability is out of its range.
    """
    if not alpha < power < 1 or not 0 < hopeless < power:
        raise ValueError(
            f"power is {power} and hopeless {hopeless}; power is above alpha and below 1, "
            "hopeless above 0 and below power."
        )
    constant = boundary_constant(shape, information, alpha=alpha, sides=sides)
    efficacy = _bounds(shape, information, constant)
    drift = _drift(information, efficacy, power=power, sides=sides)
    last, quantile = efficacy[-1], float(ndtri(hopeless))
    futility = [
        (last - drift * (1 - share) + sqrt(1 - share) * quantile) / sqrt(share)
        for share in information
    ]
    if sides == 2:  # below 0 nothing of an absolute value is futile
        futility = [max(bound, 0.0) for bound in futility]
    return Design(tuple(information), tuple(efficacy), tuple(futility), drift)


def crossing(
    information: Sequence[float],
    upper: Sequence[float],
    lower: Sequence[float],
    *,
    drift: float = 0.0,
) -> Crossing:
    """How probable it is to cross each bound first.

    Args:
        information: share of all information at each look, rising.
        upper: z at each look; infinite for none.
        lower: z at each look, at most that of `upper`; minus infinity for none.
        drift: mean of z at information 1.
    """
    ups: list[float] = []
    downs: list[float] = []
    points, mass, before = np.zeros(1), np.ones(1), 0.0
    for share, above, below in zip(information, upper, lower, strict=True):
        step = share - before
        spread, moved = sqrt(step), drift * step
        top, bottom = above * sqrt(share), below * sqrt(share)
        ups.append(float(mass @ ndtr((points + moved - top) / spread)))
        downs.append(float(mass @ ndtr((bottom - points - moved) / spread)))
        reach = _FAR * sqrt(share)
        top, bottom = (
            min(max(end, drift * share - reach), drift * share + reach) for end in (top, bottom)
        )
        nodes = (top + bottom) / 2 + (top - bottom) / 2 * _X
        steps = (nodes[None, :] - points[:, None] - moved) / spread
        density = mass @ np.exp(-(steps**2) / 2) / (spread * sqrt(2 * np.pi))
        points, mass, before = nodes, density * _WEIGHTS * (top - bottom) / 2, share
    return Crossing(tuple(ups), tuple(downs))


def _drift(
    information: Sequence[float], efficacy: Sequence[float], *, power: float, sides: int
) -> float:
    none = [-inf] * len(efficacy) if sides == 1 else [-bound for bound in efficacy]

    def too_weak(drift: float) -> float:
        return sum(crossing(information, efficacy, none, drift=drift).upper) - power

    single = efficacy[-1] + float(ndtri(power))
    return float(brentq(too_weak, 0.0, single + 2.0, xtol=1e-9))


def _bounds(shape: Shape, information: Sequence[float], constant: float) -> list[float]:
    if shape == "pocock":
        return [constant] * len(information)
    return [constant / sqrt(share) for share in information]


def _check(information: Sequence[float], alpha: float) -> None:
    rising = all(a < b for a, b in zip([0.0, *information], information, strict=False))
    if not information or not rising or abs(information[-1] - 1) > 1e-9:
        raise ValueError(
            f"Looks at {list(information)} of the information do not rise from above 0 to 1; give "
            "for example [1/3, 2/3, 1]."
        )
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is {alpha}; it must be in 0..0.5 (0.05 for 1 in 20).")
