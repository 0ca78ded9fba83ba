"""Evidence from pairs that two versions answer differently, to be looked at any time. Pure.

Of pairs in which one side is right and the other wrong, half go either way if the two are alike.
The likelihood of what was seen under a chance that is uniform on 0..1, over that under one half, is
an e-value: `2^(w+l) B(w+1, l+1)` for w wins and l losses. Bets that are settled one by one make it
a martingale, so that it reaches 1/alpha with probability alpha at most, however often one looks
(Ville, 1939; Robbins, "Statistical methods related to the law of the iterated logarithm", Annals of
Mathematical Statistics 41, 1970).
"""

from math import exp, log
from typing import Final

from scipy.special import betainc, betaln

__all__ = ["evidence_of_difference", "evidence_of_losing"]

_MOST: Final = 700.0  # of a logarithm; more does not fit into a float


def evidence_of_difference(wins: int, losses: int) -> float:
    """An e-value against "as many wins as losses are to be expected".

    Raises:
        ValueError: a count is below 0.
    """
    _check(wins, losses)
    return _from_log(_log_mixture(wins, losses))


def evidence_of_losing(wins: int, losses: int) -> float:
    """An e-value against "losses are no more to be expected than wins".

    The chance of a loss is mixed over one half to 1 only; each such bet loses money on average
    where losses are the rarer.

    Raises:
        ValueError: a count is below 0.
    """
    _check(wins, losses)
    upper = float(betainc(wins + 1, losses + 1, 0.5))  # of the wins' chance: below one half
    if upper <= 0:
        return 0.0
    return _from_log(log(2 * upper) + _log_mixture(wins, losses))


def _log_mixture(wins: int, losses: int) -> float:
    return (wins + losses) * log(2) + float(betaln(wins + 1, losses + 1))


def _from_log(value: float) -> float:
    return exp(min(value, _MOST))


def _check(wins: int, losses: int) -> None:
    if min(wins, losses) < 0:
        raise ValueError(f"{wins} wins and {losses} losses; counts are 0 or more.")
