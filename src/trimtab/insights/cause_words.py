"""The quantity behind each cause, as planned and as it was, for people to read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from trimtab.insights.bill_chain import STEPS, Pair
from trimtab.insights.bill_sides import WASTE, Side
from trimtab.stats.factors import Step

__all__ = ["CAUSE_WORDS", "Measured", "measure"]

CAUSE_WORDS: Final[Mapping[str, str]] = {
    "users": "users",
    "sessions": "sessions per user",
    "turns": "turns per session",
    "requests": "requests per user",
    "regenerations": "asked for again",
    "response_cache": "response cache",
    "prompts": "prompt length",
    "answers": "answer length",
    "models": "model mix",
    "prompt_cache": "prompt cache",
    "prices": "prices",
    "unanswered": "not answered",
    "retries": "retries",
    "failovers": "failovers",
    "hedges": "hedges lost",
    "failed": "failed",
    "cancelled": "cancelled",
    "broken": "broken off",
    "outside": "users outside the plan",
}
"""In few words, what each step of `STEPS` is."""


class Measured(NamedTuple):
    """One quantity; None where it is not known."""

    planned: float | None
    happened: float | None
    unit: str


class _Sums(NamedTuple):
    """What the sides of all pairs come to."""

    days: Fraction
    user_days: Fraction | None
    sessions: Fraction | None
    asked: Fraction
    inferences: Fraction
    called: Fraction
    answered: Fraction
    input: Fraction
    cache_read: Fraction
    output: Fraction
    core: Fraction
    waste: Mapping[str, Fraction]


_Quantity = Callable[[_Sums], float | None]
_NONE: Final = Fraction(0)

_QUANTITIES: Final[dict[str, tuple[str, _Quantity]]] = {
    "users": ("users a day", lambda s: _over(s.user_days, s.days)),
    "sessions": ("sessions per user and day", lambda s: _over(s.sessions, s.user_days)),
    "turns": ("requests per session", lambda s: _over(s.asked, s.sessions)),
    "requests": ("requests per user and day", lambda s: _over(s.asked, s.user_days)),
    "regenerations": ("requests per first request", lambda s: _over(s.inferences, s.asked)),
    "response_cache": ("share called", lambda s: _over(s.called, s.inferences)),
    "prompts": ("input tokens per answer", lambda s: _over(s.input, s.answered)),
    "answers": ("output tokens per answer", lambda s: _over(s.output, s.answered)),
    "prompt_cache": ("share of input cached", lambda s: _over(s.cache_read, s.input)),
    "unanswered": ("share answered", lambda s: _over(s.answered, s.called)),
}
_WITHOUT_USERS: Final = (
    ("sessions", "sessions a day", "sessions"),
    ("requests", "requests a day", "asked"),
)
_PER_CALL: Final = {"models": "answers", "prices": "prompt_cache"}


def measure(pairs: Sequence[Pair], steps: Sequence[Step], days: Fraction) -> dict[str, Measured]:
    """The quantity behind each of `STEPS`, by those classes that have both sides."""
    both = [pair for pair in pairs if pair.plan is not None and pair.real is not None]
    plan = _sums([pair.plan for pair in both if pair.plan is not None], days)
    real = _sums([pair.real for pair in both if pair.real is not None], days)
    found = {
        name: Measured(quantity(plan), quantity(real), unit)
        for name, (unit, quantity) in _QUANTITIES.items()
    }
    for name, _ in WASTE:
        unit = "share of what answers cost"
        spent, expected = real.waste[name], plan.waste[name]
        found[name] = Measured(_over(expected, plan.core), _over(spent, real.core), unit)
    bills = {step.name: step.bill for step in steps}
    for name, before in _PER_CALL.items():
        mine, theirs = bills[name], bills[before]
        unit = "nanousd per call"
        found[name] = Measured(_over(theirs, real.called), _over(mine, real.called), unit)
    if plan.user_days is None or real.user_days is None:
        for name, unit, field in _WITHOUT_USERS:
            mine, theirs = getattr(real, field), getattr(plan, field)
            found[name] = Measured(_over(theirs, days), _over(mine, days), unit)
    outside = sum((p.real.bill for p in pairs if p.plan is None and p.real is not None), _NONE)
    found["outside"] = Measured(0.0, float(outside), "nanousd")
    return {name: found[name] for name in STEPS if name in bills}


def _sums(sides: Sequence[Side], days: Fraction) -> _Sums:
    tokens = [side.total() for side in sides if side.models]
    return _Sums(
        days=days,
        user_days=_known(side.user_days for side in sides),
        sessions=_known(side.sessions for side in sides),
        asked=sum((side.asked for side in sides), _NONE),
        inferences=sum((side.inferences for side in sides), _NONE),
        called=sum((side.called for side in sides), _NONE),
        answered=sum((side.answered for side in sides), _NONE),
        input=sum((part.input for part in tokens), _NONE),
        cache_read=sum((part.cache_read for part in tokens), _NONE),
        output=sum((part.output for part in tokens), _NONE),
        core=sum((side.core for side in sides), _NONE),
        waste={
            name: sum((side.waste.get(name, _NONE) for side in sides), _NONE) for name, _ in WASTE
        },
    )


def _known(counts: Iterable[Fraction | None]) -> Fraction | None:
    total = _NONE
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def _over(part: Fraction | None, whole: Fraction | None) -> float | None:
    return float(part / whole) if part is not None and whole else None
