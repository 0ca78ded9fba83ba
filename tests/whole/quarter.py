"""A quarter whose causes are known: an application that costs more than its plan, from one seed.

Everything is dealt out in shuffled decks of exact shares, so the causes are those of `TRUTH` and
not only near them. What the ledger says is worked out here by hand: tokens times a whole number of
nano-dollars.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import exp, prod
from random import Random
from statistics import NormalDist
from typing import Any, Final
from zoneinfo import ZoneInfo

from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller
from trimtab.types.records import Intent, Settle
from trimtab.types.usage import Usage

__all__ = ["PLAN", "PROJECT", "PROJECT_LATER", "TRUTH", "Quarter"]

ZONE: Final = ZoneInfo("Europe/Berlin")
_FIRST, _LAST = date(2025, 1, 1), date(2025, 4, 1)  # with a day of 23 hours in it

_PROJECT = """\
[spend]
time_zone = "Europe/Berlin"
[providers.openai]
[models.smart]
ref = "openai:smart-1"
[models.smart.price]
input_usd_per_mtok = {input}
cache_read_usd_per_mtok = {cache_read}
output_usd_per_mtok = {output}
[models.fast]
ref = "openai:fast-1"
[models.fast.price]
input_usd_per_mtok = 0.5
cache_read_usd_per_mtok = 0.125
output_usd_per_mtok = 2
"""
PROJECT: Final = _PROJECT.format(input=2, cache_read=0.5, output=8)
PROJECT_LATER: Final = _PROJECT.format(input=2.2, cache_read=0.55, output=8.8)
"""Ten per cent dearer: what the ledger was charged by."""

PLAN: Final = (
    "--from", "2025-01-01", "--users", "20", "--requests", "6", "--turns", "2", "--input", "900",
    "--output", "250", "--cached", "0.4", "--model", "smart",
)  # fmt: skip

# Nano-dollars per token: plain input, input from the cache, output.
_PRICES: Final = {"smart-1": (2_200, 550, 8_800), "fast-1": (500, 125, 2_000)}
_USERS, _TURNS, _AGAIN = 25, (1, 2, 3, 4, 5), 24
_SESSIONS: Final = (3,) * 20 + (4,) * 5
_INPUT, _OUTPUT, _CACHED = 1_080, 200, 0.15
_FAST: Final = 0.25
_ENDS: Final = {"cache": 0.05, "failed": 0.019, "cancelled": 0.019, "broken": 0.0095}
_LADDER: Final = {"retry": 0.05, "fallback": 0.03, "hedge": 0.02}

_PLAIN, _READ, _OUT = 2_000, 500, 8_000  # as planned


def _per_call(tokens_in: float, tokens_out: float, cached: float) -> float:
    """Nano-dollars of a call of the planned model at planned prices."""
    return tokens_in * ((1 - cached) * _PLAIN + cached * _READ) + tokens_out * _OUT


def _truth() -> dict[str, float]:
    called = 1 - _ENDS["cache"]
    answered = called - _ENDS["failed"] - _ENDS["cancelled"] - _ENDS["broken"]
    # The other model costs a quarter of the planned one, whatever the token.
    mixed, dearer = 1 - _FAST + _FAST / 4, 1.1 * (1 - _FAST) + _FAST / 4
    input_only = _per_call(_INPUT, 0, _CACHED) / _per_call(_INPUT, _OUTPUT, _CACHED)
    half = (1 + input_only) / 2
    # Of an answer: what attempts of each kind cost, on the models on which they are made.
    later = 1.1 / dearer
    waste = {
        "retries": _LADDER["retry"] * input_only,
        "failovers": _LADDER["fallback"] * input_only * later,
        "hedges": _LADDER["hedge"] * half,
        "failed": _ENDS["failed"] / answered * input_only,
        "cancelled": _ENDS["cancelled"] / answered * half,
        "broken": _ENDS["broken"] / answered * half,
    }
    spent, factors = 1.0, dict[str, float]()
    for name, share in waste.items():
        factors[name] = (spent + share) / spent
        spent += share
    return {
        "users": _USERS / 20,
        "sessions": 3.2 / 3,
        "turns": 3 / 2,
        "regenerations": 1.1,
        "response_cache": called,
        "prompts": _per_call(_INPUT, 250, 0.4) / _per_call(900, 250, 0.4),
        "answers": _per_call(_INPUT, _OUTPUT, 0.4) / _per_call(_INPUT, 250, 0.4),
        "models": mixed,
        "prompt_cache": _per_call(_INPUT, _OUTPUT, _CACHED) / _per_call(_INPUT, _OUTPUT, 0.4),
        "prices": dearer / mixed,
        "unanswered": answered / called,
        **factors,
    }


TRUTH: Final = _truth()
"""Factor by cause. Their product is the ratio of the bills."""
assert prod(TRUTH.values()) > 2


class Quarter:
    """Makes the records; `cost_nanousd` is what they come to once all are made."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._number = 0
        self.cost_nanousd = 0

    def records(self) -> Iterator[Record]:
        """Of every day, each inference's own in order."""
        asked = [ask for day in self._days() for ask in self._day(day)]
        ends = self._deck(len(asked), _ENDS, "answered")
        sizes = zip(self._sizes(len(asked), _INPUT), self._sizes(len(asked), _OUTPUT), strict=True)
        answered = ends.count("answered")
        causes = self._deck(answered, _LADDER, "first")
        left = _FAST * answered - causes.count("fallback")
        share = left / (answered - causes.count("fallback"))
        fast = iter(self._deck(answered - causes.count("fallback"), {"fast-1": share}, "smart-1"))
        others = iter(self._deck(len(asked) - answered, {"fast-1": _FAST}, "smart-1"))
        ladder = iter(causes)
        for ask, end, (tokens_in, tokens_out) in zip(asked, ends, sizes, strict=True):
            usage = Usage(
                input_tokens=tokens_in,
                cache_read_tokens=round(tokens_in * _CACHED),
                output_tokens=tokens_out,
            )
            if end != "answered":
                yield from self._ends(ask, end, usage, model=next(others))
                continue
            cause = next(ladder)
            model = "fast-1" if cause == "fallback" else next(fast)
            yield from self._answers(ask, cause, usage, model=model)

    def _days(self) -> list[date]:
        return [_FIRST + timedelta(days=at) for at in range((_LAST - _FIRST).days)]

    def _day(self, day: date) -> list[dict[str, Any]]:
        """What was asked for on a day: the start and the caller of each inference."""
        rng = self._rng
        users = rng.sample(range(200), _USERS)
        turns = list(_TURNS) * (sum(_SESSIONS) // len(_TURNS))
        rng.shuffle(turns)
        found: list[dict[str, Any]] = []
        for user, sessions in zip(users, rng.sample(_SESSIONS, _USERS), strict=True):
            for number in range(sessions):
                begins = datetime(day.year, day.month, day.day, rng.randrange(23), tzinfo=ZONE)
                caller = Caller("key_1", "shop", f"user{user}", f"{day}-{user}-{number}")
                for turn in range(turns.pop()):
                    at_ns = int(begins.timestamp() + 60 * turn) * NS_PER_S
                    found.append({"started_ns": at_ns, "caller": caller})
        again = [ask | {"repeat": True} for ask in rng.sample(found, _AGAIN)]
        return found + again

    def _deck(self, count: int, shares: dict[str, float], rest: str) -> list[str]:
        deck = [name for name, share in shares.items() for _ in range(round(share * count))]
        deck += [rest] * (count - len(deck))
        self._rng.shuffle(deck)
        return deck

    def _sizes(self, count: int, mean: int) -> list[int]:
        """Log-normal, with long tails, and exactly so in the mean."""
        normal = NormalDist(0, 0.5)
        drawn = [exp(normal.inv_cdf((at + 0.5) / count)) for at in range(count)]
        scale = mean * count / sum(drawn)
        self._rng.shuffle(drawn)
        return [round(value * scale) for value in drawn]

    def _answers(
        self, ask: dict[str, Any], cause: str, usage: Usage, *, model: str
    ) -> Iterator[Record]:
        first = "smart-1" if cause == "fallback" else model
        begun, served = self._begin(ask, model=first), None
        if cause in {"retry", "fallback"}:
            yield begun
            yield self._end(begun, _input_of(usage), outcome="error", error_code="busy")
            served = self._begin(ask, model=model, again=begun, cause=cause)
        if cause == "hedge":
            yield begun
            served = self._begin(ask, model=model, again=begun, cause=cause)
        served = served or begun
        yield served
        yield self._end(served, usage, final=True)
        if cause == "hedge":
            yield self._end(begun, _half_of(usage), outcome="cancelled", error_code="hedge_lost")

    def _ends(self, ask: dict[str, Any], end: str, usage: Usage, *, model: str) -> Iterator[Record]:
        begun = self._begin(ask, model=model, cause="cache" if end == "cache" else "first")
        yield begun
        if end == "cache":
            yield self._end(begun, Usage(), final=True, saved_nanousd=_cost(model, usage))
        elif end == "failed":
            failed = {"outcome": "timeout", "error_code": "timeout_total"}
            yield self._end(begun, _input_of(usage), final=True, **failed)
        elif end == "cancelled":
            gone = {"outcome": "cancelled", "error_code": "caller_gone"}
            yield self._end(begun, _half_of(usage), final=True, **gone)
        else:
            broken = {"outcome": "error", "error_code": "truncated"}
            yield self._end(begun, _half_of(usage), final=True, **broken)

    def _begin(
        self,
        ask: dict[str, Any],
        *,
        model: str,
        again: Intent | None = None,
        cause: Any = "first",
    ) -> Intent:
        self._number += again is None
        return Intent(
            inference_id=f"inf_{self._number:06}" if again is None else again.inference_id,
            attempt=1 if again is None else 2,
            route="chat",
            alias="smart",
            provider="openai",
            model=model,
            streamed=True,
            hold_nanousd=5_000_000,
            price_version="project/1",
            cause=cause,
            rung=int(cause == "fallback"),
            **ask,
        )

    def _end(self, begun: Intent, usage: Usage, *, final: bool = False, **changes: Any) -> Settle:
        cost = _cost(begun.model, usage)
        self.cost_nanousd += cost
        values: dict[str, Any] = {"outcome": "ok", "finish_reason": "stop"}
        return Settle(
            inference_id=begun.inference_id,
            attempt=begun.attempt,
            ended_ns=begun.started_ns + NS_PER_S,
            final=final,
            latency_us=1_000_000,
            status=200,
            usage=usage,
            usage_source="reported",
            cost_nanousd=cost,
            price_version="project/1",
            **values | changes,
        )


def _cost(model: str, usage: Usage) -> int:
    plain, read, output = _PRICES[model]
    cached = usage.cache_read_tokens
    return (usage.input_tokens - cached) * plain + cached * read + usage.output_tokens * output


def _input_of(usage: Usage) -> Usage:
    return Usage(input_tokens=usage.input_tokens, cache_read_tokens=usage.cache_read_tokens)


def _half_of(usage: Usage) -> Usage:
    return Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        output_tokens=usage.output_tokens // 2,
    )
