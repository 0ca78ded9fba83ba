"""What the store benchmark writes: a month of an application with many users, from one seed."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Final, NamedTuple

import msgspec

from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller
from trimtab.types.records import Intent, Outcome, Settle
from trimtab.types.usage import NO_USAGE, Usage

__all__ = ["Shape", "traffic"]

_SEED: Final = 20_261_123
_DAY_S: Final = 86_400
_POOL: Final = 40_009  # prime, so that the pools do not repeat in step
_DEADLINE_US: Final = 60_000_000
# Share of a day's requests in each hour of it, UTC.
_HOURS: Final = (2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 6, 7, 8, 8, 7, 6, 5, 4, 3, 3, 3, 2)
_ROUTES: Final = ("chat", "search", "triage", "summaries")
_TEAMS: Final = 12
_KEYS: Final = 40
_ENDS: Final[tuple[tuple[Outcome, str, int], ...]] = (
    ("ok", "", 200),
    ("error", "provider_error", 500),
    ("error", "provider_rate_limited", 429),
    ("timeout", "provider_timeout", 0),
    ("cancelled", "caller_gone", 0),
)
_ENDS_SHARES: Final = (960, 12, 8, 8, 12)


class Shape(NamedTuple):
    """How much there is of everything; `until_s` is the end in UTC seconds."""

    inferences: int
    days: int
    users: int
    until_s: int


class _Model(NamedTuple):
    provider: str
    name: str
    input_nanousd: int  # per token
    output_nanousd: int
    slowness: float


class _Pools(NamedTuple):
    """Values drawn beforehand, because to draw each of them anew would be most of the time."""

    latency_s: list[float]
    input_tokens: list[int]
    output_tokens: list[int]
    frac: list[float]


def traffic(shape: Shape) -> Iterator[list[Record]]:
    """The entries of each inference, in the order in which they began."""
    rng = Random(_SEED)  # noqa: S311 - the same traffic each time
    models = _models()
    pools = _pools(rng)
    user_shares = list(accumulate(1 / (rank + 3) ** 0.85 for rank in range(shape.users)))
    model_shares = list(accumulate(1 / (rank + 1) ** 1.1 for rank in range(len(models))))
    callers = [
        Caller(f"key_{user % _KEYS:02}", f"team{user % _TEAMS:02}", f"user{user:05}", "")
        for user in range(shape.users)
    ]
    number = 0
    for hour_s, count in _hours(shape):
        users = rng.choices(range(shape.users), cum_weights=user_shares, k=count)
        chosen = rng.choices(models, cum_weights=model_shares, k=count)
        ends = rng.choices(_ENDS, weights=_ENDS_SHARES, k=count)
        at = sorted(rng.choices(range(3_600 * 1_000_000), k=count))
        for user, model, end, offset_us in zip(users, chosen, ends, at, strict=True):
            number += 1
            caller = callers[user]
            session = f"{caller.user}-{hour_s // 3_600 % 1_000}"
            yield _inference(
                number,
                hour_s * NS_PER_S + offset_us * 1_000,
                (model, end),
                caller=Caller(caller.key_id, caller.team, caller.user, session),
                pools=pools,
            )


def _hours(shape: Shape) -> Iterator[tuple[int, int]]:
    """Start of each hour, and how many begin in it: exactly `shape.inferences` in all."""
    first_s = shape.until_s // 3_600 * 3_600 - shape.days * _DAY_S
    starts = range(first_s, first_s + shape.days * _DAY_S, 3_600)
    weights = [_HOURS[start_s // 3_600 % 24] for start_s in starts]
    total, before = sum(weights), 0
    for start_s, upto in zip(starts, accumulate(weights), strict=True):
        there = shape.inferences * upto // total
        yield start_s, there - before
        before = there


def _models() -> list[_Model]:
    return [
        _Model(
            f"provider{rank % 5}",
            f"model-{rank:02}",
            100 * (1 + rank * 7 % 20),
            400 * (1 + rank * 11 % 25),
            0.5 + rank % 7 / 3,
        )
        for rank in range(20)
    ]


def _pools(rng: Random) -> _Pools:
    return _Pools(
        [rng.lognormvariate(0.2, 0.7) + 0.1 * rng.paretovariate(1.2) for _ in range(_POOL)],
        [int(rng.lognormvariate(6.5, 1.0)) + 20 for _ in range(_POOL - 2)],
        [int(rng.lognormvariate(5.0, 0.9)) + 1 for _ in range(_POOL - 6)],
        [rng.uniform(0.1, 0.6) for _ in range(_POOL - 8)],
    )


def _inference(
    number: int,
    started_ns: int,
    what: tuple[_Model, tuple[Outcome, str, int]],
    *,
    caller: Caller,
    pools: _Pools,
) -> list[Record]:
    model, (outcome, error_code, status) = what
    mixed = number * 7_919
    input_tokens = pools.input_tokens[mixed % (_POOL - 2)]
    output_tokens = pools.output_tokens[mixed % (_POOL - 6)] if outcome != "error" else 0
    latency_us = min(int(pools.latency_s[mixed % _POOL] * model.slowness * 1_000_000), _DEADLINE_US)
    if outcome == "timeout":
        latency_us = _DEADLINE_US
    streamed = number % 10 < 7
    ttft_us = None
    if streamed and output_tokens:
        ttft_us = int(latency_us * pools.frac[mixed % (_POOL - 8)])
    inference_id = f"inf_{started_ns // 1_000_000:012x}{mixed % (1 << 40):020x}"
    done = outcome != "error"
    cached = input_tokens // 2 if number % 3 == 0 else 0
    cost = (input_tokens - cached // 2) * model.input_nanousd + output_tokens * model.output_nanousd
    intent = Intent(
        inference_id=inference_id,
        attempt=1,
        started_ns=started_ns,
        caller=caller,
        route=_ROUTES[mixed % 11 % 4],
        alias="smart",
        provider=model.provider,
        model=model.name,
        streamed=streamed,
        hold_nanousd=2 * cost,
        price_version="2026-10-01",
    )
    settle = Settle(
        inference_id=inference_id,
        attempt=1,
        ended_ns=started_ns + latency_us * 1_000,
        outcome=outcome,
        latency_us=latency_us,
        ttft_us=ttft_us,
        status=status,
        error_code=error_code,
        served_model=f"{model.name}-2026-08-07" if done else "",
        provider_request_id=f"req_{mixed:016x}",
        finish_reason="stop" if outcome == "ok" else "",
        usage=Usage(
            input_tokens=input_tokens,
            cache_read_tokens=cached,
            output_tokens=output_tokens,
            reasoning_tokens=output_tokens // 4,
        )
        if done
        else NO_USAGE,
        usage_source="none" if not done else "reported" if outcome == "ok" else "estimated",
        cost_nanousd=cost if done else 0,
        price_version="2026-10-01",
    )
    if number % 50 == 0:
        return _with_a_first_try(intent, settle)
    return [intent, settle]


def _with_a_first_try(intent: Intent, settle: Settle) -> list[Record]:
    """The same inference, after an attempt at another provider that failed."""
    tried_us = settle.latency_us // 5
    return [
        msgspec.structs.replace(intent, provider="provider0", model="model-00"),
        Settle(
            inference_id=intent.inference_id,
            attempt=1,
            ended_ns=intent.started_ns + tried_us * 1_000,
            outcome="error",
            final=False,
            latency_us=tried_us,
            status=503,
            error_code="provider_error",
            price_version=intent.price_version,
        ),
        msgspec.structs.replace(intent, attempt=2, after_us=tried_us, cause="fallback", rung=1),
        msgspec.structs.replace(settle, attempt=2),
    ]
