"""What the policies come to on paper: no gateway, no network, the same draws in any number."""

from math import ceil, inf

from bench.tail_arms import HEDGE_AT, TTFT_S, Arm
from bench.tail_model import GENERATION_S, MODELS, draw_s

__all__ = ["DRAWS", "ideal_s"]

DRAWS = 200_000
_SEED = -1  # not one that is measured


def ideal_s(arm: Arm) -> list[float] | None:
    """Model seconds to the whole answer in rising order; None where nothing is to be computed."""
    if arm.policy == "none":
        return None
    drawn = [[draw_s(_SEED, model, number) for model in MODELS] for number in range(DRAWS)]
    if arm.policy == "ladder":
        return sorted(_ladder_s(waits) for waits in drawn)
    after_s = sorted(waits[0] for waits in drawn)[ceil(HEDGE_AT * DRAWS) - 1]
    return sorted(_hedged_s(waits, after_s) for waits in drawn)


def _ladder_s(waits: list[float]) -> float:
    for place, wait_s in enumerate(waits):
        if wait_s <= TTFT_S:
            return place * TTFT_S + wait_s + GENERATION_S
    return len(waits) * TTFT_S


def _hedged_s(waits: list[float], after_s: float) -> float:
    first, second, third = (wait_s if wait_s <= TTFT_S else inf for wait_s in waits)
    if first <= after_s:
        return first + GENERATION_S
    soonest = min(first, after_s + second)
    if first == inf and soonest > TTFT_S:  # the first has had its time, the second shows nothing
        soonest = min(soonest, TTFT_S + min(third, TTFT_S))
    return soonest + GENERATION_S
