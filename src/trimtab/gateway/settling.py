"""From what an attempt has learnt to what goes on record: usage, cost, outcome."""

import asyncio
from typing import NamedTuple

from trimtab.errors import (
    CallerGone,
    ProviderError,
    ProviderGarbage,
    ProviderRefused,
    ProviderRejectedKey,
    ProviderTimeout,
    ProviderUnreachable,
    ShuttingDown,
    Superseded,
    TrimtabError,
    reply_of,
)
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.spend.estimate import estimate_tokens
from trimtab.types.records import Intent, Outcome, Settle, UsageSource
from trimtab.types.usage import NO_USAGE, Usage

__all__ = ["intent_of", "problem_of", "settle_of"]


class _Learnt(NamedTuple):
    """What the provider said of its own work."""

    usage: Usage | None = None
    served_model: str = ""
    service_tier: str = ""
    finish_reason: str = ""


_NOTHING = _Learnt()


def intent_of(call: Call, attempt: Attempt) -> Intent:
    """The ledger entry that announces an attempt."""
    rung, step, grant = attempt.rung, attempt.step, attempt.grant
    if grant is not None and grant.guarded:
        hold_nanousd = grant.hold.amount_nanousd
    else:
        limit = call.request.output_limit(rung.max_output_tokens)
        hold_nanousd = attempt.card.hold_nanousd(call.input_estimate, limit)
    return Intent(
        inference_id=call.inference_id,
        attempt=attempt.number,
        started_ns=call.started_ns,
        caller=call.caller,
        route=call.target.route,
        alias=call.request.model,
        provider=rung.ref.provider,
        model=rung.ref.model,
        streamed=bool(call.request.stream),
        hold_nanousd=hold_nanousd,
        price_version=attempt.card.version,
        after_us=int((attempt.begun_s - call.begun_s) * 1e6) if attempt.number > 1 else 0,
        cause=step.cause,
        rung=step.place,
        repeat=call.repeat,
    )


def settle_of(
    call: Call,
    attempt: Attempt,
    error: Exception | None,
    *,
    final: bool,
    first_token_s: float | None,
) -> Settle:
    """The ledger entry that ends an attempt, which `error` ended if it is not None.

    Args:
        call: the inference.
        attempt: what is over.
        error: why, if not all went well.
        final: no further attempt follows.
        first_token_s: monotonic time at which the answer's first token could be seen, or None.
    """
    learnt = _learnt(attempt)
    usage, source = learnt.usage, "reported"
    if usage is None:
        usage, source = _usage(call, attempt, error)
    card = attempt.card
    if learnt.service_tier:
        card = call.serving.prices.card(attempt.rung, call.started_ns, learnt.service_tier)
    latency_us = int((attempt.ended_s - call.begun_s) * 1e6)
    return Settle(
        inference_id=call.inference_id,
        attempt=attempt.number,
        ended_ns=call.started_ns + latency_us * 1000,
        outcome="ok" if error is None else _outcome(error),
        final=final,
        latency_us=latency_us,
        ttft_us=None if attempt.stream is None else _ttft_us(call, attempt, first_token_s, error),
        status=attempt.status,
        error_code=_error_code(error) if error is not None else "budget" if attempt.cut else "",
        served_model=learnt.served_model,
        provider_request_id=attempt.headers.get(b"x-request-id", b"")[:128].decode("latin-1"),
        finish_reason=learnt.finish_reason,
        usage=usage,
        usage_source=source,
        # Work that was not done costs nothing, even where a price is per request.
        cost_nanousd=card.cost_nanousd(usage) if source != "none" else 0,
        price_version=card.version,
    )


def _learnt(attempt: Attempt) -> _Learnt:
    stream, answer = attempt.stream, attempt.answer
    if stream is not None:
        return _Learnt(stream.usage, stream.served_model, stream.service_tier, stream.finish_reason)
    if answer is None:
        return _NOTHING
    usage = answer.usage.normalised() if answer.usage is not None else None
    return _Learnt(usage, answer.model, answer.service_tier or "", answer.finish_reason)


def _usage(call: Call, attempt: Attempt, error: Exception | None) -> tuple[Usage, UsageSource]:
    """What was used where the provider reported nothing: our estimate, if it may bill all the same.

    Input is estimated from the request's bytes; output is counted in frames of a stream, or
    estimated from the bytes of a whole answer, if it came.
    """
    if not attempt.sent or not _may_be_billed(attempt, error):
        return NO_USAGE, "none"
    if attempt.stream is not None:
        output_tokens = attempt.stream.content_frames
    else:
        output_tokens = estimate_tokens(len(attempt.body)) if error is None else 0
    usage = Usage(input_tokens=call.input_estimate, output_tokens=output_tokens)
    return (usage if attempt.grant is None else attempt.grant.capped(usage)), "estimated"


def _may_be_billed(attempt: Attempt, error: Exception | None) -> bool:
    """Whether a provider that reported no usage may have done work.

    One that refused, or was never reached, did none. One that was cut off, left by us, or answered
    something that we cannot read, may have.
    """
    if isinstance(error, ProviderUnreachable | ProviderRejectedKey):
        return False
    if isinstance(error, ProviderRefused):
        return attempt.stream is not None and attempt.stream.started
    if isinstance(error, ProviderGarbage):
        return attempt.status == 200
    return True


def _ttft_us(  # noqa: PLR0917 - what is known of one moment
    call: Call, attempt: Attempt, first_token_s: float | None, error: Exception | None
) -> int | None:
    if first_token_s is not None:
        return int((first_token_s - call.begun_s) * 1e6)
    if attempt.stream is not None and isinstance(error, ProviderTimeout):
        return int((attempt.ended_s - call.begun_s) * 1e6)
    return None


def _outcome(error: Exception) -> Outcome:
    if isinstance(error, ProviderTimeout):
        return "timeout"
    return "cancelled" if isinstance(error, CallerGone | ShuttingDown | Superseded) else "error"


def _error_code(error: Exception) -> str:
    if isinstance(error, ProviderError):
        return error.error_code
    if isinstance(error, ShuttingDown):
        return "shutdown"
    if isinstance(error, Superseded):
        return "hedge_lost"
    return reply_of(error).code if isinstance(error, TrimtabError) else "internal"


def problem_of(entry: asyncio.Future[None]) -> Exception | None:
    """Why the ledger did not take an entry."""
    if entry.cancelled():
        return ShuttingDown("The gateway was stopped. Try again elsewhere.")
    error = entry.exception()
    assert error is None or isinstance(error, Exception)
    return error
