"""What holds for every request of every row. Each rule gives its findings in words."""

from collections.abc import Iterator
from typing import Literal

from trimtab.store.records import AttemptRecord
from trimtab.testing.calls import Call
from trimtab.testing.scorecard.case import Case
from trimtab.testing.scorecard.project import PRICES
from trimtab.testing.scorecard.tale import Tale

__all__ = ["Expected", "broken_rules"]

Expected = Literal["answer", "error", "either"]
"""How a request has to end: whole, with a clear error, or in one of these two ways."""

_NANOUSD_PER_TOKEN = 1000  # at one USD per million tokens
# Attempts that end before a request is out: the provider never sees them.
_UNSEEN = frozenset(("unreachable", "timeout_connect", "hedge_lost"))


def broken_rules(tale: Tale, case: Case, *, within_s: float, expected: Expected) -> list[str]:
    """Every rule that a request broke.

    Args:
        tale: the request.
        case: what was scripted.
        within_s: its bound in seconds.
        expected: how it has to end.
    """
    found: list[str] = []
    if tale.took_s > within_s:
        found.append(f"took {tale.took_s:.2f} s, and {within_s:g} s is the bound")
    found += _ending(tale, case, expected)
    found += _every_attempt_is_on_record(tale)
    for attempt in tale.attempts:
        found += _cost_is_right(attempt, tale)
    if tale.heard.seems_complete:
        found += _caller_knows_who_answered(tale)
    return found


def _ending(tale: Tale, case: Case, expected: Expected) -> Iterator[str]:
    heard = tale.heard
    if heard.seems_complete:
        if heard.text not in case.whole_texts:
            yield f"a truncated answer was presented as success: {_end_of(heard.text)!r}"
        if expected == "error":
            yield "answered, and an error was due"
    elif not heard.fails_clearly:
        yield f"neither whole nor a clear error: status {heard.status}, {_end_of(heard.body)!r}"
    elif expected == "answer":
        yield f"an error instead of an answer: {heard.error}"
    if tale.event.outcome == "ok" and not heard.seems_complete:
        yield "recorded as ok, and the caller got an error"
    if tale.event.outcome != "ok" and heard.seems_complete:
        yield f"recorded as {tale.event.outcome}, and the caller got an answer"


def _every_attempt_is_on_record(tale: Tale) -> Iterator[str]:
    for which, calls in (("primary", tale.primary), ("spare", tale.spare)):
        recorded = [a for a in tale.attempts if a.model.endswith(f".{which}")]
        seen = [a for a in recorded if a.error_code not in _UNSEEN]
        if not len(seen) <= len(calls) <= len(recorded):
            yield f"the {which} saw {len(calls)} calls, {len(recorded)} are on record"
        known = {request_id(call) for call in calls}
        for attempt in recorded:
            if attempt.provider_request_id and attempt.provider_request_id not in known:
                yield f"attempt {attempt.attempt} names a call that the {which} did not see"
    numbers = [attempt.attempt for attempt in tale.attempts]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"attempts are numbered {numbers}"


def request_id(call: Call) -> str:
    """The id that a fault provider gives to a call."""
    return f"req_{call.index:08d}"


def _cost_is_right(attempt: AttemptRecord, tale: Tale) -> Iterator[str]:
    if attempt.status >= 300 and attempt.cost_nanousd:
        yield f"attempt {attempt.attempt} was refused and cost {attempt.cost_nanousd}"
    which = attempt.model.rpartition(".")[2]
    calls = tale.primary if which == "primary" else tale.spare
    call = next((c for c in calls if request_id(c) == attempt.provider_request_id), None)
    if attempt.outcome != "ok" or call is None or call.usage_reported is None:
        return
    price_in, price_out = PRICES[which]
    used = call.usage_reported
    due = price_in * used["prompt_tokens"] + price_out * used["completion_tokens"]
    if attempt.cost_nanousd != due * _NANOUSD_PER_TOKEN:
        yield f"attempt {attempt.attempt} cost {attempt.cost_nanousd}, {due}000 would be right"


def _caller_knows_who_answered(tale: Tale) -> Iterator[str]:
    heard, last = tale.heard, tale.attempts[-1]
    ref = f"{last.provider}:{last.model}"
    told = (
        f"{heard.headers.get('x-trimtab-provider')}:{heard.headers.get('x-trimtab-served-model')}"
    )
    if heard.continued_by:
        if heard.continued_by[-1] != ref or heard.models[-1] != last.model:
            yield f"gone on with by {ref}, and the stream names {heard.continued_by}"
        if told not in {f"{a.provider}:{a.model}" for a in tale.attempts}:
            yield f"the headers name {told}, which was not called"
        return
    if told != ref:
        yield f"answered by {ref}, and the headers name {told}"
    if heard.models != [last.model]:
        yield f"answered by {last.model}, and the answer names {heard.models}"
    if heard.headers.get("x-trimtab-attempts") != str(len(tale.attempts)):
        yield f"{len(tale.attempts)} attempts, and the headers say otherwise"
    calls = tale.primary if last.model.endswith(".primary") else tale.spare
    reported = calls[-1].usage_reported if calls else None
    if reported is not None and heard.usage != reported:
        yield f"usage {reported} was reported, and the caller was told {heard.usage}"


def _end_of(text: str | bytes | bytearray) -> str:
    shown = text if isinstance(text, str) else bytes(text).decode(errors="replace")
    return shown[-80:]
