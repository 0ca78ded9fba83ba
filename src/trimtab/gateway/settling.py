"""From what an attempt has learnt to what goes on record: usage, cost, outcome."""

from msgspec.structs import replace

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
from trimtab.providers.usage.openai_chat import read_usage, reading_of
from trimtab.providers.usage.reading import Reading
from trimtab.spend.estimate import estimate_tokens, tokens_made_in
from trimtab.types.records import Intent, Outcome, Settle, UsageSource
from trimtab.types.usage import NO_USAGE, Usage

__all__ = ["intent_of", "settle_of"]


_NOTHING_SAID = Reading()
_MAX_TIER_CHARS = 64
_REPORTED: UsageSource = "reported"


def intent_of(call: Call, attempt: Attempt) -> Intent:
    """The ledger entry that announces an attempt."""
    rung, step, grant = attempt.rung, attempt.step, attempt.grant
    if grant is not None and grant.guarded:
        hold_nanousd = grant.hold.amount_nanousd
    else:
        limit = call.request.output_limit(rung.max_output_tokens)
        hold_nanousd = attempt.card.hold_nanousd(call.input_estimate, limit)
    intent = Intent(
        inference_id=call.inference_id,
        attempt=attempt.number,
        started_ns=call.started_ns,
        caller=call.caller,
        route=call.target.route,
        alias=call.request.model,
        provider=rung.ref.provider,
        model=rung.ref.model,
        streamed=call.request.stream is True,
        hold_nanousd=hold_nanousd,
        price_version=attempt.card.version,
        cause=step.cause,
        rung=step.place,
        repeat=call.repeat,
    )
    if attempt.number == 1 and call.prompt is None:
        return intent  # nearly always; a call with more keywords would take a dict of them
    after_us = round((attempt.begun_s - call.begun_s) * 1e6) if attempt.number > 1 else 0
    return replace(intent, after_us=after_us, prompt=call.prompt)


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
    answer = attempt.answer
    said = _said(attempt) if answer is None else reading_of(answer) or _NOTHING_SAID
    usage, source = said.usage, _REPORTED
    if usage is None or said.unreported or not said.final:
        usage, source = _estimated(call, attempt, error, said=said)
    card = attempt.card
    tier = said.price_tier[:_MAX_TIER_CHARS]
    if tier:
        card = call.serving.prices.card(attempt.rung, call.started_ns, tier)
    latency_us = round((attempt.ended_s - call.begun_s) * 1e6)
    settle = Settle(
        inference_id=call.inference_id,
        attempt=attempt.number,
        ended_ns=call.started_ns + latency_us * 1000,
        outcome="ok" if error is None else _outcome(error),
        final=final,
        latency_us=latency_us,
        status=attempt.status,
        served_model=said.served_model,
        provider_request_id=attempt.headers.get(b"x-request-id", b"")[:128].decode("latin-1"),
        finish_reason=said.finish_reason,
        usage=usage,
        usage_source=source,
        # Work that was not done costs nothing, even where a price is per request.
        cost_nanousd=card.cost_nanousd(usage) if source != "none" else 0,
        price_version=card.version,
        service_tier=tier,
    )
    if error is None and attempt.stream is None and not attempt.form:
        return settle  # nearly every whole answer; see `intent_of`
    return replace(
        settle,
        ttft_us=None if attempt.stream is None else _ttft_us(call, attempt, first_token_s, error),
        error_code=("budget" if attempt.cut else "") if error is None else _error_code(error),
        form=attempt.form,
    )


def _said(attempt: Attempt) -> Reading:
    """What the provider said of its own work, where it gave no whole answer."""
    reading = attempt.stream.reading if attempt.stream is not None else None
    if reading is None and attempt.status == 200:
        reading = read_usage(attempt.body)  # not what was asked for, but it may be on the bill
    return reading or _NOTHING_SAID


def _estimated(
    call: Call, attempt: Attempt, error: Exception | None, *, said: Reading
) -> tuple[Usage, UsageSource]:
    """What was used where not all was told: a total that is missing is our estimate.

    The last usage of a stream that broke may be behind what was shown since.
    """
    usage = said.usage
    billed = attempt.sent_s > 0 and _may_be_billed(attempt, error)
    if usage is None:
        return (_estimate(call, attempt, error), "estimated") if billed else (NO_USAGE, "none")
    frames = attempt.stream.content_frames if attempt.stream is not None else 0
    lacks_input = "input_tokens" in said.unreported and not usage.input_tokens
    lacks_output = "output_tokens" in said.unreported and not usage.output_tokens
    is_behind = not said.final and usage.output_tokens < frames
    if not (billed and (lacks_input or lacks_output or is_behind)):
        return usage, _REPORTED
    estimate = _estimate(call, attempt, error)
    return replace(
        usage,
        input_tokens=estimate.input_tokens if lacks_input else usage.input_tokens,
        output_tokens=max(estimate.output_tokens, usage.output_tokens)
        if lacks_output or is_behind
        else usage.output_tokens,
    ), "estimated"


def _estimate(call: Call, attempt: Attempt, error: Exception | None) -> Usage:
    """What was used where the provider does not tell.

    Input is estimated from the request's bytes; output is counted in frames of a stream, or
    estimated from the bytes of a whole answer, as far as it came; if it did not all come, also from
    the time that the provider was at it.
    """
    input_tokens, stream, grant = call.input_estimate, attempt.stream, attempt.grant
    if stream is not None:
        usage = Usage(input_tokens, output_tokens=stream.content_frames)
        return usage if grant is None else grant.capped(usage)
    output_tokens = estimate_tokens(len(attempt.body)) if attempt.status == 200 else 0
    if error is not None:
        limit = call.request.output_limit(attempt.rung.max_output_tokens)
        made = tokens_made_in(attempt.ended_s - attempt.sent_s)
        output_tokens = min(max(output_tokens, made), limit)
    usage = Usage(input_tokens, output_tokens=output_tokens)
    return usage if grant is None else grant.capped(usage, unseen=True)


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
        return round((first_token_s - call.begun_s) * 1e6)
    if attempt.stream is not None and isinstance(error, ProviderTimeout):
        return round((attempt.ended_s - call.begun_s) * 1e6)
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
