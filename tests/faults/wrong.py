"""Gateways with one thing wrong, each in a process of its own: the rows must notice.

`python -m tests.faults.wrong NAME --project FOLDER` serves with the defect of that name.
"""

import socket
import sys
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from trimtab.errors import ProviderError, ProviderRefused, ProviderTimeout
from trimtab.gateway import attempt, inference, refusal
from trimtab.gateway.attempt import Attempt
from trimtab.gateway.breakers import Breaker
from trimtab.gateway.inference import Inference
from trimtab.gateway.ladder import Ladder
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.server import handler, serve
from trimtab.store.sqlite.ledger import SqliteLedger
from trimtab.testing.scorecard import stepping
from trimtab.testing.scorecard.clock import SteppingClock

DEFECTS: dict[str, Callable[[], None]] = {}

_settle_of: Callable[..., Any] = inference.settle_of
_stream_headers: Callable[..., Any] = inference.stream_headers
_refused_by_status: Callable[..., Any] = refusal._refused_by_status
_in_band_refusal = attempt.in_band_refusal
_record: Callable[..., Any] = Inference._record


def put(owner: Any, name: str, part: Callable[..., Any]) -> None:
    """Exchange a part of the gateway for another one."""
    setattr(owner, name, part)


def fixed(value: Any) -> Callable[..., Any]:
    """A part that always says the same, whatever it is asked."""
    return lambda *_given, **_named: value


def defect(make: Callable[[], None]) -> Callable[[], None]:
    DEFECTS[make.__name__] = make
    return make


@defect
def ends_cleanly() -> None:
    """A stream that broke gets its terminator all the same."""
    put(inference, "stream_error", fixed(b"data: [DONE]\n\n"))


@defect
def hammers() -> None:
    """It tries again without a wait."""
    put(Ladder, "_wait_s", fixed(0.0))
    put(Ladder, "_retries", cast("Any", 8))


@defect
def gives_up_at_once() -> None:
    """It tries nothing again, and nothing else."""
    put(Ladder, "after", fixed(None))


@defect
def asks_the_silent_again() -> None:
    """A timeout is taken for something that passes."""
    ProviderTimeout.remedy = "retry"


@defect
def waits_to_the_end() -> None:
    """Only the total limit counts."""

    def limit(self: Attempt) -> tuple[float, str]:
        return self._total_s, "total"

    put(Attempt, "_limit", limit)


@defect
def never_leaves_alone() -> None:
    """No breaker opens."""
    put(Breaker, "_fails_too_often", fixed(False))


@defect
def is_deaf() -> None:
    """It does not hear that the caller has left."""
    put(Inference, "on_gone", fixed(None))


@defect
def forgets() -> None:
    """Of several attempts only the last is settled."""

    def record(self: Inference, *given: Any, final: bool) -> Any:
        return _record(self, *given, final=True) if final else None

    put(Inference, "_record", record)


def _settled(**changes: Any) -> Callable[..., Any]:
    return lambda *given, **named: msgspec.structs.replace(_settle_of(*given, **named), **changes)


@defect
def charges_nothing() -> None:
    put(inference, "settle_of", _settled(cost_nanousd=0))


@defect
def charges_for_failures() -> None:
    put(inference, "settle_of", _settled(cost_nanousd=1))


@defect
def hides_who_answered() -> None:
    """The headers name the model that was asked for."""

    def headers(*given: Any, **named: Any) -> bytes:
        told: bytes = _stream_headers(*given, **named)
        return told.replace(b"spare", b"primary")

    put(inference, "stream_headers", headers)


@defect
def hides_the_reason() -> None:
    """Every error of the provider becomes the same one."""
    put(handler, "error_body", fixed(b'{"error": {"message": "failed", "type": "x", "code": "x"}}'))


@defect
def shows_the_last_error() -> None:
    """What happened at the fallback hides what happened first."""
    put(Ladder, "began", fixed(False))


@defect
def keeps_anything() -> None:
    """No answer is too large."""
    put(attempt, "MAX_ANSWER_BYTES", cast("Any", 10**12))


@defect
def trusts_the_end() -> None:
    """A connection that ends is an answer that is complete."""

    def on_broken(self: Attempt, _: ProviderError) -> None:
        self.on_end()

    put(Attempt, "on_broken", on_broken)


@defect
def takes_errors_for_answers() -> None:
    """An error inside a stream is the provider's last word."""

    def refusal_of(error: bytes) -> ProviderRefused:
        refused = _in_band_refusal(error)
        refused.remedy = "final"
        return refused

    put(attempt, "in_band_refusal", refusal_of)


@defect
def knows_one_line_end() -> None:

    def normalised(_: ChatStream, data: bytes) -> bytes:
        return data

    put(ChatStream, "_normalised", normalised)


@defect
def follows() -> None:
    """It goes where a redirect points."""

    def refused(status: int, headers: dict[bytes, bytes], body: bytes) -> Any:
        target = urlsplit(headers.get(b"location", b"").decode())
        if target.hostname == "localhost":
            socket.create_connection((target.hostname, target.port or 80)).close()
        return _refused_by_status(status, headers, body)

    put(refusal, "_refused_by_status", refused)


@defect
def serves_unrecorded() -> None:
    """It calls providers though the ledger has failed."""
    put(SqliteLedger, "check_open", fixed(None))


@defect
def drops_what_is_under_way() -> None:
    """On SIGTERM nothing may finish."""
    drain = serve._Listener.drain

    async def drain_nothing(self: serve._Listener, _: float) -> None:
        await drain(self, 0.0)

    put(serve._Listener, "drain", drain_nothing)


@defect
def measures_by_the_wall() -> None:
    """Durations are differences of wall times."""

    def monotonic_s(self: SteppingClock) -> float:
        return self.wall_ns() / 1e9

    def init(self: SteppingClock) -> None:
        self._stepped_ns = 0

    put(SteppingClock, "__init__", init)
    put(SteppingClock, "monotonic_s", monotonic_s)


if __name__ == "__main__":
    DEFECTS[sys.argv.pop(1)]()
    stepping.main()
