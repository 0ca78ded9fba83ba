"""From what an attempt has learnt to what goes on record: usage, cost, outcome."""

from typing import NamedTuple

from trimtab.errors import (
    CallerGone,
    ProviderError,
    ProviderGarbage,
    ProviderRefused,
    ProviderRejectedKey,
    ProviderTimeout,
    ProviderUnreachable,
    TrimtabError,
    reply_of,
)
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.providers.wire.chat_answer import Answer, read_answer
from trimtab.spend.estimate import estimate_tokens
from trimtab.types.records import Outcome, Settle, UsageSource
from trimtab.types.usage import NO_USAGE, Usage

__all__ = ["settle_of"]

_NO_ANSWER = Answer(choices=[])


class _Learnt(NamedTuple):
    """What the provider said of its own work."""

    usage: Usage | None
    served_model: str
    service_tier: str
    finish_reason: str


def settle_of(
    call: Call, attempt: Attempt, error: BaseException | None, *, number: int, final: bool
) -> Settle:
    """The ledger entry that ends attempt number `number`, which `error` ended if it is not None."""
    learnt = _learnt(attempt)
    usage, source = _usage(call, attempt, learnt.usage, error=error)
    card = call.card
    if learnt.service_tier:
        card = call.serving.prices.card(call.target, call.started_ns, learnt.service_tier)
    latency_us = int((attempt.ended_s - call.begun_s) * 1e6)
    return Settle(
        inference_id=call.inference_id,
        attempt=number,
        ended_ns=call.started_ns + latency_us * 1000,
        outcome=_outcome(error),
        final=final,
        latency_us=latency_us,
        ttft_us=_ttft_us(call, attempt, error),
        status=attempt.status,
        error_code=_error_code(error),
        served_model=learnt.served_model,
        provider_request_id=_text(attempt.headers.get(b"x-request-id", b"")),
        finish_reason=learnt.finish_reason,
        usage=usage,
        usage_source=source,
        # Work that was not done costs nothing, even where a price is per request.
        cost_nanousd=card.cost_nanousd(usage) if source != "none" else 0,
        price_version=card.version,
    )


def _learnt(attempt: Attempt) -> _Learnt:
    stream = attempt.stream
    if stream is not None:
        return _Learnt(stream.usage, stream.served_model, stream.service_tier, stream.finish_reason)
    answer = (read_answer(attempt.body) if attempt.status == 200 else None) or _NO_ANSWER
    return _Learnt(
        answer.usage.normalised() if answer.usage is not None else None,
        answer.model,
        answer.service_tier or "",
        next((c.finish_reason for c in answer.choices if c.finish_reason), ""),
    )


def _usage(
    call: Call, attempt: Attempt, reported: Usage | None, *, error: BaseException | None
) -> tuple[Usage, UsageSource]:
    """What was used, and who says so: the provider, or our estimate where it may bill all the same.

    Input is estimated from the request's bytes; output is counted in frames of a stream, or
    estimated from the bytes of a whole answer, if it came.
    """
    if reported is not None:
        return reported, "reported"
    if not attempt.sent or not _may_be_billed(attempt, error):
        return NO_USAGE, "none"
    if attempt.stream is not None:
        output_tokens = attempt.stream.content_frames
    else:
        output_tokens = estimate_tokens(len(attempt.body)) if error is None else 0
    return Usage(input_tokens=call.input_estimate, output_tokens=output_tokens), "estimated"


def _may_be_billed(attempt: Attempt, error: BaseException | None) -> bool:
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


def _ttft_us(call: Call, attempt: Attempt, error: BaseException | None) -> int | None:
    if attempt.first_token_s is not None:
        return int((attempt.first_token_s - call.begun_s) * 1e6)
    if attempt.stream is not None and isinstance(error, ProviderTimeout):
        return int((attempt.ended_s - call.begun_s) * 1e6)
    return None


def _outcome(error: BaseException | None) -> Outcome:
    if error is None:
        return "ok"
    if isinstance(error, ProviderTimeout):
        return "timeout"
    return "error" if isinstance(error, Exception) and not _left(error) else "cancelled"


def _left(error: BaseException) -> bool:
    return isinstance(error, CallerGone)


def _error_code(error: BaseException | None) -> str:
    if error is None:
        return ""
    if isinstance(error, ProviderError):
        return error.error_code
    if isinstance(error, TrimtabError):
        return reply_of(error).code
    return "internal" if isinstance(error, Exception) else "shutdown"


def _text(value: bytes) -> str:
    return value[:128].decode("latin-1")
