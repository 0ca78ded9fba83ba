"""Versions that are tried in the shadow: a copy of a share of the traffic, shown to nobody.

A shadow is an inference of its own, with its own records, as nobody in particular: what it costs is
on no user's account. What it may cost in all is held before it begins, so the cap is never passed.
"""

import logging
from collections.abc import Mapping
from typing import Final

import msgspec

from trimtab.gateway.call import Call
from trimtab.gateway.outlet import OutletListener
from trimtab.gateway.prompted import pinned, prompted_as
from trimtab.gateway.worst_case import most_nanousd
from trimtab.providers.wire.chat_request import parse_request
from trimtab.releases.serving import Trial
from trimtab.types.identity import Caller
from trimtab.types.money import NANO_PER_USD
from trimtab.types.records import Settle

__all__ = ["NobodysOutlet", "ShadowSeat", "Shadows"]

_log = logging.getLogger("trimtab.gateway")

_MOST_AT_ONCE: Final = 32


class NobodysOutlet:
    """Takes an answer that nobody sees."""

    listener: OutletListener | None = None
    gone = False
    started = False

    def note(self, lines: bytes) -> None:
        """Nothing."""

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        """Nothing."""

    def fail(self, error: Exception) -> None:
        """It is on record."""

    def start(self, status: int, headers: bytes) -> None:  # noqa: ARG002
        """Nothing."""
        self.started = True

    def write(self, data: bytes) -> None:
        """Nothing."""

    def write_chunk(self, chunk: bytes) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class ShadowSeat:
    """What one shadow may cost, held until it is known what it did."""

    __slots__ = ("_held_nanousd", "_meter")

    def __init__(self, meter: "_Meter", held_nanousd: int) -> None:
        self._meter = meter
        self._held_nanousd = held_nanousd
        meter.held_nanousd += held_nanousd
        meter.open += 1

    def end(self, settle: Settle, *, cost_nanousd: int) -> None:  # noqa: ARG002 - others look at it
        """It is over."""
        self._meter.spent_nanousd += cost_nanousd
        self.leave()

    def leave(self) -> None:
        """It is over, or will not be. Any number of times."""
        if self._held_nanousd >= 0:
            self._meter.held_nanousd -= self._held_nanousd
            self._meter.open -= 1
            self._held_nanousd = -1


class _Meter:
    """What the shadows of one version have cost, and may still."""

    def __init__(self, spent_nanousd: int) -> None:
        self.spent_nanousd = spent_nanousd
        self.held_nanousd = 0
        self.open = 0


class Shadows:
    """All shadows of a process. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._meters: dict[str, _Meter] = {}  # by the hash of the version
        self._seats: dict[str, ShadowSeat] = {}  # of those that are about to begin

    def use(self, spent_nanousd: Mapping[str, int]) -> None:
        """Learn what shadows of versions, by their hash, have cost before this process began.

        A version of which this is not known has no shadows.
        """
        for version_hash, spent in spent_nanousd.items():
            self._meters.setdefault(version_hash, _Meter(spent))

    def call_beside(self, call: Call, body: bytes, *, inference_id: str) -> Call | None:
        """The call of a shadow beside another call, if there is to be one and it can be paid.

        Args:
            call: of a released version of a prompt.
            body: the request as its caller sent it.
            inference_id: of the shadow.
        """
        desk = call.serving.prompts
        trial = desk.shadow(call.prompt.id, call.inference_id) if call.prompt else None
        if trial is None:
            return None
        shadow = self._made(call, body, trial, inference_id=inference_id)
        seat = self._seat(shadow, trial)
        if seat is None:
            return None
        self._seats[inference_id] = seat
        return shadow

    def seat(self, inference_id: str) -> ShadowSeat | None:
        """The seat of a shadow that begins now."""
        return self._seats.pop(inference_id, None)

    def _made(self, call: Call, body: bytes, trial: Trial, *, inference_id: str) -> Call:
        serving = call.serving
        made = prompted_as(serving.prompts, trial.served, body=body, request=parse_request(body))
        target = pinned(serving.project, serving.project.resolve(made.request.model), made.pin)
        policy = msgspec.structs.replace(target.policy, cache=None, hedge=None)
        return msgspec.structs.replace(
            call,
            inference_id=inference_id,
            caller=Caller(key_id=call.caller.key_id, team=call.caller.team),
            request=made.request,
            body=made.body,
            target=msgspec.structs.replace(target, policy=policy),
            mark=0,
            repeat=False,
            prompt=made.use,
            form=made.form,
        )

    def _seat(self, shadow: Call, trial: Trial) -> ShadowSeat | None:
        meter = self._meters.get(trial.settings.hash)
        if meter is None or meter.open >= _MOST_AT_ONCE:
            return None
        held = most_nanousd(shadow)
        cap = int(trial.settings.most_usd * NANO_PER_USD)
        if meter.spent_nanousd + meter.held_nanousd + held > cap:
            return None
        return ShadowSeat(meter, held)
