"""An answer that was given before, given again: on record like an attempt, though none is made."""

from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.gateway.outlet import Outlet
from trimtab.gateway.replies import replay_headers
from trimtab.gateway.response_cache import Found, give_again
from trimtab.gateway.tally import Tally
from trimtab.store.answers import CachedAnswer
from trimtab.store.protocol import Ledger
from trimtab.types.clock import Clock
from trimtab.types.records import Cause, Intent, Settle
from trimtab.types.refs import ModelRef

__all__ = ["kept_answer", "replay"]


async def replay(  # noqa: PLR0913 - what is given to whom, and where that is written down
    call: Call,
    found: Found,
    *,
    number: int,
    cause: Cause,
    ledger: Ledger,
    tally: Tally,
    clock: Clock,
    outlet: Outlet,
) -> None:
    """Record that a cached answer is given, and give it.

    Args:
        call: the inference.
        found: the answer.
        number: which attempt of the inference this counts as.
        cause: "cache" for a fresh answer, "stale" for one that is given because all models failed.
        ledger: takes the record before the caller gets a byte.
        tally: counts it like the ledger does.
        clock: for the time that it took.
        outlet: the caller.

    Raises:
        LedgerUnavailable: it could not be recorded.
        Overloaded, ShuttingDown: nothing can be recorded now.
    """
    answer = found.answer
    after_us = round((clock.monotonic_s() - call.begun_s) * 1e6)
    durable = ledger.record_intent(_intent(call, answer, number, cause, after_us))
    settle = _settle(call, answer, number, after_us)
    appended = ledger.record_settle(settle)
    tally.settled(settle, (call.target.route, ModelRef(answer.provider, answer.model), cause))
    await durable
    await appended
    give_again(answer, outlet, replay_headers(call, found, cause=cause, made=number - 1))
    if call.keeps_bodies:
        ledger.record_body(call.inference_id, call.started_ns, call.body, answer.body)


def _intent(  # noqa: PLR0917 - one record
    call: Call, answer: CachedAnswer, number: int, cause: Cause, after_us: int
) -> Intent:
    return Intent(
        inference_id=call.inference_id,
        attempt=number,
        started_ns=call.started_ns,
        caller=call.caller,
        route=call.target.route,
        alias=call.request.model,
        provider=answer.provider,
        model=answer.model,
        streamed=answer.streamed,
        hold_nanousd=0,
        price_version="",
        after_us=after_us if number > 1 else 0,
        cause=cause,
        prompt=call.prompt,
    )


def _settle(call: Call, answer: CachedAnswer, number: int, after_us: int) -> Settle:  # noqa: PLR0917
    return Settle(
        inference_id=call.inference_id,
        attempt=number,
        ended_ns=call.started_ns + after_us * 1000,
        outcome="ok",
        latency_us=after_us,
        ttft_us=after_us if answer.streamed else None,
        status=200,
        served_model=answer.served_model,
        finish_reason=answer.finish_reason,
        saved_nanousd=answer.cost_nanousd,
    )


def kept_answer(attempt: Attempt, settle: Settle, body: bytes) -> CachedAnswer:
    """What is kept of a good answer, to be given again.

    Args:
        attempt: the call that made it.
        settle: what is on record of that call.
        body: the bytes that the caller got.
    """
    ref = attempt.rung.ref
    return CachedAnswer(
        streamed=attempt.stream is not None,
        body=body,
        provider=ref.provider,
        model=ref.model,
        served_model=settle.served_model,
        finish_reason=settle.finish_reason,
        usage=settle.usage,
        cost_nanousd=settle.cost_nanousd,
        provider_request_id=settle.provider_request_id,
        created_ns=settle.ended_ns,
    )
