"""How slow the providers of `make bench-tail` are: a draw for each call, from seed and number.

Times are those of the model world, in seconds. The bench runs `SCALE` times as fast: all waits and
all limits are divided by it alike, so what the gateway itself adds weighs `SCALE` times as much.
"""

from math import inf, log
from random import Random
from statistics import NormalDist

from trimtab.testing import Behaviour, Script
from trimtab.testing.answer import Answer, Ask

__all__ = [
    "GENERATION_S",
    "MEDIAN_S",
    "MODELS",
    "P95_S",
    "SCALE",
    "SILENT_SHARE",
    "SLOW_S",
    "SLOW_SHARE",
    "TOKENS",
    "TOKEN_EVERY_S",
    "draw_s",
    "exceeds",
    "expected_text",
    "script",
]

SCALE = 5.0
MODELS = ("primary", "second", "third")  # each with a stream of draws of its own
MEDIAN_S = 0.5
P95_S = 1.2
SLOW_SHARE = 0.02
SLOW_S = (8.0, 15.0)
SILENT_SHARE = 0.002
TOKENS = 11
TOKEN_EVERY_S = 0.1
GENERATION_S = (TOKENS - 1) * TOKEN_EVERY_S

_FOREVER_S = 3_600.0
_BODY = NormalDist(log(MEDIAN_S), log(P95_S / MEDIAN_S) / NormalDist().inv_cdf(0.95))


def draw_s(seed: int, model: str, number: int) -> float:
    """Seconds to the first token of call `number` of `model`; infinite if it never comes."""
    random = Random(f"{seed}/{model}/{number}")  # noqa: S311 - a load, not a secret
    kind = random.random()
    if kind < SILENT_SHARE:
        return inf
    if kind < SILENT_SHARE + SLOW_SHARE:
        return random.uniform(*SLOW_S)
    return random.lognormvariate(_BODY.mean, _BODY.stdev)


def exceeds(seconds: float) -> float:
    """The share of calls whose first token takes longer than `seconds`, below `SLOW_S`."""
    tail = SILENT_SHARE + SLOW_SHARE
    return tail + (1 - tail) * (1 - _BODY.cdf(log(seconds)))


def script(seed: int, calls: int) -> Script:
    """What the fault provider does in `calls` consecutive calls of each model."""
    return Script(
        models={
            model: tuple(_behaviour(draw_s(seed, model, number)) for number in range(calls))
            for model in MODELS
        }
    )


def expected_text() -> str:
    """What a whole answer says, from whichever model."""
    answer = Answer(Behaviour(tokens=TOKENS), Ask(MODELS[0]), seed=0)
    return str(answer.plain()["choices"][0]["message"]["content"])


def _behaviour(first_token_s: float) -> Behaviour:
    if first_token_s == inf:
        return Behaviour(headers_after_s=_FOREVER_S)
    return Behaviour(
        first_token_after_s=first_token_s / SCALE,
        token_every_s=TOKEN_EVERY_S / SCALE,
        tokens=TOKENS,
    )
