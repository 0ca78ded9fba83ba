"""The ledger entries of a physical attempt, and the line that joins them.

An `Intent` says: we are about to call, and it may cost up to `hold_nanousd`. An `Extension` says:
by now it may cost more. A `Settle` says what came of it. Everything below the ledger is derived
from these.
"""

from typing import Literal

import msgspec

from trimtab.types.identity import Caller
from trimtab.types.usage import NO_USAGE, Usage

__all__ = [
    "Arm",
    "Cause",
    "Extension",
    "Intent",
    "Outcome",
    "PromptUse",
    "Settle",
    "UsageSource",
]

Outcome = Literal["ok", "error", "timeout", "cancelled"]
UsageSource = Literal["reported", "estimated", "none"]
Cause = Literal["first", "retry", "fallback", "hedge", "continue", "cache", "stale"]
"""Why an attempt is made. The last two are answers from the response cache: nobody is called."""


Arm = Literal["released", "canary", "shadow", "asked", "draft", "eval"]
"""Why a version of a prompt was rendered: it is released; it is tried, and shown or not; the caller
named it; no environment is served, and it is what the file says; or a suite is run with it."""


class PromptUse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The prompt that the messages of an inference were rendered from.

    Attributes:
        id: path of its file below `prompts/`.
        version: as people call it: `v12`, `v13-draft`.
        hash: of everything that changes behaviour.
        arm: why this version.
        environment: what the gateway serves; "" for the files as they are.
    """

    id: str
    version: str
    hash: str
    arm: Arm
    environment: str = ""


class Intent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Written before a provider is called; durable before a byte reaches the caller.

    Attributes:
        inference_id: the inference that this attempt belongs to.
        attempt: 1 for the first physical call of the inference.
        started_ns: UTC nanoseconds at which the inference began.
        caller: key, team, user and session.
        route: route that served it.
        alias: the model name as the caller wrote it.
        provider: provider that is called.
        model: the model asked of it.
        streamed: the caller asked for a stream.
        hold_nanousd: what it may cost at most by the estimate; shown while unsettled.
        price_version: price book version that the hold was computed with.
        after_us: microseconds from the start of the inference to the start of this attempt; 0 for
            the first.
        cause: why it is made.
        rung: which rung of the route's ladder it is made on; 0 for the first.
        repeat: the same user had an answer to the same messages in the hour before.
        prompt: what the messages were rendered from; None for the caller's own.
    """

    inference_id: str
    attempt: int
    started_ns: int
    caller: Caller
    route: str
    alias: str
    provider: str
    model: str
    streamed: bool
    hold_nanousd: int
    price_version: str
    after_us: int = 0
    cause: Cause = "first"
    rung: int = 0
    repeat: bool = False
    prompt: PromptUse | None = None


class Extension(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Written when the hold of an attempt grows while its stream flows.

    Attributes:
        inference_id, attempt: those of the intent.
        hold_nanousd: what the attempt may cost at most by now.
    """

    inference_id: str
    attempt: int
    hold_nanousd: int


class Settle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Written when an attempt is over, before the last frame goes to the caller.

    Attributes:
        inference_id, attempt: those of the intent.
        ended_ns: UTC nanoseconds.
        outcome: how it ended.
        final: no further attempt follows; the inference is over.
        latency_us: microseconds from the start of the inference; a timeout counts at its deadline.
        ttft_us: microseconds to the first token of a stream; a stream that timed out before it
            counts at its limit; None for answers that were not streamed.
        status: HTTP status that the provider gave, 0 if none.
        error_code: short stable word, "" when all went well.
        served_model: the model that the provider says it used.
        provider_request_id: the provider's own id of the call.
        finish_reason: as the provider gave it.
        usage: tokens.
        usage_source: whether the provider reported them, we estimated them, or nothing was used.
        cost_nanousd: what it cost.
        price_version: price book version that the cost was computed with.
        saved_nanousd: what an answer from the response cache had cost when it was made.
        service_tier: the tier that the provider says it was served at; "" where it does not say.
        form: whether the answer has the form that its prompt declares, "ok" or "invalid"; "" where
            none is declared, or there was nothing to judge.
    """

    inference_id: str
    attempt: int
    ended_ns: int
    outcome: Outcome
    final: bool = True
    latency_us: int
    ttft_us: int | None = None
    status: int = 0
    error_code: str = ""
    served_model: str = ""
    provider_request_id: str = ""
    finish_reason: str = ""
    usage: Usage = NO_USAGE
    usage_source: UsageSource = "none"
    cost_nanousd: int = 0
    price_version: str = ""
    saved_nanousd: int = 0
    service_tier: str = ""
    form: Literal["", "ok", "invalid"] = ""
