"""Rows of the day files: one for each inference, and attempts where there was more than one."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from trimtab.store.records import AttemptRecord, Event
from trimtab.store.sqlite.served import (
    ANSWERED_AGAIN,
    SettledAttempt,
    calls_of,
    served_of,
    wasted_nanousd,
)
from trimtab.types.records import Intent, PromptUse, Settle, UsageSource
from trimtab.types.usage import Usage

__all__ = [
    "EVENT_COLUMNS",
    "ROW_COLUMNS",
    "attempt_of_row",
    "event_of_row",
    "only_row",
    "open_attempt",
    "row_of",
    "settled_attempt",
]

EVENT_COLUMNS: Final = Event.__struct_fields__
ROW_COLUMNS: Final = (
    *EVENT_COLUMNS,
    # What the only attempt of an inference has and its event has not.
    "hold_nanousd",
    "input_audio_tokens",
    "output_audio_tokens",
    "cache_read_audio_tokens",
    "cache_write_1h_tokens",
)
_NO_PROMPT: Final = ("", "", "", "")
_CERTAINTY: Final[tuple[UsageSource, ...]] = ("estimated", "reported", "none")


def row_of(settled: Sequence[SettledAttempt]) -> tuple[Any, ...]:
    """The row of an inference, in the order of `ROW_COLUMNS`, from its attempts as they settled.

    Sums of all; the rest from the one that was served.
    """
    if len(settled) == 1:
        return only_row(*settled[0])
    row = dict(zip(ROW_COLUMNS, only_row(*served_of(settled)), strict=True))
    usages = [attempt.settle.usage for attempt in settled]
    for name in Usage.__struct_fields__:
        row[name] = sum(getattr(usage, name) for usage in usages)
    row["attempts"] = len(calls_of(settled))
    row["cost_nanousd"] = sum(attempt.settle.cost_nanousd for attempt in settled)
    row["wasted_nanousd"] = wasted_nanousd(settled)
    row["saved_nanousd"] = sum(attempt.settle.saved_nanousd for attempt in settled)
    row["hold_nanousd"] = sum(attempt.intent.hold_nanousd for attempt in settled)
    row["usage_source"] = min(
        (attempt.settle.usage_source for attempt in settled), key=_CERTAINTY.index
    )
    return tuple(row.values())


def only_row(intent: Intent, settle: Settle) -> tuple[Any, ...]:
    """The row of an inference of one attempt, in the order of `ROW_COLUMNS`."""
    caller, usage = intent.caller, settle.usage
    return (
        intent.inference_id,
        intent.started_ns,
        caller.key_id,
        caller.team,
        caller.user,
        caller.user_class,
        caller.session,
        intent.route,
        intent.alias,
        intent.provider,
        intent.model,
        settle.served_model,
        intent.streamed,
        settle.outcome,
        settle.status,
        settle.error_code,
        settle.finish_reason,
        settle.provider_request_id,
        0 if intent.cause in ANSWERED_AGAIN else 1,
        settle.latency_us,
        settle.ttft_us,
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        settle.cost_nanousd,
        settle.usage_source,
        settle.price_version or intent.price_version,
        intent.cause,
        intent.rung,
        0,
        settle.saved_nanousd,
        intent.repeat,
        *(_NO_PROMPT if intent.prompt is None else _prompt_columns(intent.prompt)),
        settle.form,
        intent.hold_nanousd,
        usage.input_audio_tokens,
        usage.output_audio_tokens,
        usage.cache_read_audio_tokens,
        usage.cache_write_1h_tokens,
    )


def _prompt_columns(use: PromptUse) -> tuple[str, str, str, str]:
    return use.id, use.version, use.hash, use.arm


def event_of_row(row: tuple[Any, ...]) -> Event:
    """The event in a row of `EVENT_COLUMNS` or `ROW_COLUMNS`."""
    # strict=False turns SQLite's 0 and 1 into booleans.
    return msgspec.convert(dict(zip(EVENT_COLUMNS, row, strict=False)), Event, strict=False)


def attempt_of_row(row: tuple[Any, ...]) -> AttemptRecord:
    """The only attempt of the inference in a row of `ROW_COLUMNS`."""
    values: dict[str, Any] = dict(zip(ROW_COLUMNS, row, strict=True))
    usage = Usage(**{name: values[name] for name in Usage.__struct_fields__})
    names = set(AttemptRecord.__struct_fields__) & values.keys()
    return AttemptRecord(
        attempt=1, usage=usage, settled=True, **{name: values[name] for name in names}
    )


def settled_attempt(intent: Intent, settle: Settle) -> AttemptRecord:
    """One of several attempts, over."""
    return AttemptRecord(
        attempt=intent.attempt,
        cause=intent.cause,
        rung=intent.rung,
        provider=intent.provider,
        model=intent.model,
        after_us=intent.after_us,
        latency_us=settle.latency_us,
        ttft_us=settle.ttft_us,
        outcome=settle.outcome,
        status=settle.status,
        error_code=settle.error_code,
        usage=settle.usage,
        cost_nanousd=settle.cost_nanousd,
        usage_source=settle.usage_source,
        hold_nanousd=intent.hold_nanousd,
        price_version=settle.price_version or intent.price_version,
        provider_request_id=settle.provider_request_id,
        settled=True,
    )


def open_attempt(intent: Intent) -> AttemptRecord:
    """An attempt whose end is not known."""
    return AttemptRecord(
        attempt=intent.attempt,
        cause=intent.cause,
        rung=intent.rung,
        provider=intent.provider,
        model=intent.model,
        after_us=intent.after_us,
        hold_nanousd=intent.hold_nanousd,
        price_version=intent.price_version,
        settled=False,
    )
