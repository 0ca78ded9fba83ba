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
from trimtab.types.records import Intent, Settle, UsageSource
from trimtab.types.usage import Usage

__all__ = [
    "COMMON_COLUMNS",
    "EVENT_COLUMNS",
    "OWN_COLUMNS",
    "ROW_COLUMNS",
    "TABLE_COLUMNS",
    "WRITTEN_COLUMNS",
    "attempt_of_row",
    "common_of",
    "event_of_row",
    "open_attempt",
    "own_of",
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
COMMON_COLUMNS: Final = (
    "key_id", "team", "user_class", "route", "alias", "provider", "model", "served_model",
    "streamed", "outcome", "status", "error_code", "finish_reason", "attempts", "usage_source",
    "price_version", "cause", "rung", "wasted_nanousd", "repeat",
    "prompt", "prompt_version", "prompt_hash", "prompt_arm", "form",
)  # fmt: skip
"""What many inferences have in common."""

OWN_COLUMNS: Final = (
    "started_ns", "inference_id", "user", "session", "provider_request_id",
    "latency_us", "ttft_us", "cost_nanousd", "saved_nanousd", *Usage.__struct_fields__,
    "hold_nanousd",
)  # fmt: skip
"""What each inference has for itself, or nearly so."""

TABLE_COLUMNS: Final = ("started_ns", *(name for name in ROW_COLUMNS if name != "started_ns"))
"""In the order of the table: SQLite need not copy the values of a row that has it."""

WRITTEN_COLUMNS: Final = (*COMMON_COLUMNS, *OWN_COLUMNS)
"""`ROW_COLUMNS` in the order in which they are written."""

_NO_PROMPT: Final = ("", "", "", "")
_CERTAINTY: Final[tuple[UsageSource, ...]] = ("estimated", "reported", "none")


def row_of(settled: Sequence[SettledAttempt]) -> tuple[Any, ...]:
    """The row of an inference from its attempts as they settled, as `WRITTEN_COLUMNS`.

    Sums of all; the rest from the one that was served.
    """
    served = served_of(settled)
    row = dict(zip(WRITTEN_COLUMNS, (*common_of(*served), *own_of(*served)), strict=True))
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


def common_of(intent: Intent, settle: Settle) -> tuple[Any, ...]:
    """Of an inference of one attempt, in the order of `COMMON_COLUMNS`."""
    caller, prompt = intent.caller, intent.prompt
    return (
        caller.key_id,
        caller.team,
        caller.user_class,
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
        0 if intent.cause in ANSWERED_AGAIN else 1,
        settle.usage_source,
        settle.price_version or intent.price_version,
        intent.cause,
        intent.rung,
        0,
        intent.repeat,
        *(_NO_PROMPT if prompt is None else (prompt.id, prompt.version, prompt.hash, prompt.arm)),
        settle.form,
    )


def own_of(intent: Intent, settle: Settle) -> tuple[Any, ...]:
    """Of an inference of one attempt, in the order of `OWN_COLUMNS`."""
    caller, usage = intent.caller, settle.usage
    return (
        intent.started_ns,
        intent.inference_id,
        caller.user,
        caller.session,
        settle.provider_request_id,
        settle.latency_us,
        settle.ttft_us,
        settle.cost_nanousd,
        settle.saved_nanousd,
        usage.input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        usage.input_audio_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.output_audio_tokens,
        usage.cache_read_audio_tokens,
        usage.cache_write_1h_tokens,
        intent.hold_nanousd,
    )


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
