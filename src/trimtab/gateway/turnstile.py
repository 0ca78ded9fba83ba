"""Limits: each request passes those of its user and of its key, or hears when to return."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from trimtab.config.money import Limit
from trimtab.config.schema import Project
from trimtab.errors import RateLimited
from trimtab.gateway.call import Call
from trimtab.gateway.sanctions import Sanctions
from trimtab.spend.limits import Lease, Meter, Refusal, enter
from trimtab.types.clock import Clock
from trimtab.types.identity import Caller

__all__ = ["Turnstile"]

_MOST_KEPT: Final = 100_000
_OUTLIER: Final = "outliers/"  # before "user" or "key": the limit of those who stand out


_LINES: Final = (
    b"x-ratelimit-limit-requests: %d\r\n"
    b"x-ratelimit-remaining-requests: %d\r\n"
    b"x-ratelimit-reset-requests: %b\r\n"
)
_FORMS: Final = (_LINES, _LINES.replace(b"requests", b"tokens"))


class Turnstile:
    """One per process; belongs to the event loop's thread."""

    def __init__(self, project: Project, clock: Clock, sanctions: Sanctions) -> None:
        self._clock = clock
        self._sanctions = sanctions
        self._take_limits(project)
        self._meters: OrderedDict[tuple[str, str], Meter] = OrderedDict()  # by when last found
        self._found: dict[tuple[str, str, str], list[Meter]] = {}  # of the last few seconds

    def use(self, project: Project) -> None:
        """Take up a changed project. What was used stays used."""
        self._take_limits(project)
        self._found.clear()
        now_s = self._clock.monotonic_s()
        for key, meter in list(self._meters.items()):
            limit = self._limits.get(key[0]) or self._slow.get(key[0])
            if limit is None:
                del self._meters[key]
            else:
                meter.use(limit, now_s)

    def enter(self, call: Call) -> Lease | None:
        """Let a request in; None where nothing limits it.

        Raises:
            RateLimited: a limit is reached.
        """
        caller = call.caller
        slow = self._sanctions.throttled(caller) if self._sanctions.any else ()
        if not (self._limits or slow):
            return None
        now_s = self._clock.monotonic_s()
        whose = caller.key_id, caller.user, caller.user_class
        meters = self._found.get(whose)
        if meters is None:
            meters = self._found[whose] = self._meters_of(caller, now_s)
        if slow:
            meters = meters + self._slow_meters_of(slow, now_s)
        if not meters:
            return None
        found = enter(meters, call.input_estimate, now_s)
        if isinstance(found, Refusal):
            raise RateLimited(
                f"Limit {found.limit!r} of the project allows {found.allowed:,} {found.what}. "
                "Try again when Retry-After says.",
                retry_after_s=found.wait_s,
            )
        return found

    @staticmethod
    def headers(lease: Lease) -> bytes:
        """The state of the tightest limits as header lines, with OpenAI's names."""
        now_s, lines = lease.entered_s, b""
        for form, bucket in zip(_FORMS, lease.tightest(now_s), strict=True):
            if bucket is not None:
                limit, left, reset_s = bucket.rate(now_s)
                reset = b"%.0fms" % (reset_s * 1000) if reset_s < 1 else _duration(reset_s)
                lines += form % (limit, left, reset)
        return lines

    def drop_idle(self) -> None:
        """Forget meters that are full again, and the oldest of too many without open requests."""
        self._found.clear()  # else nobody would see that their meters are asked for
        now_s = self._clock.monotonic_s()
        while self._meters:
            key, meter = next(iter(self._meters.items()))
            crowded = len(self._meters) > _MOST_KEPT and not meter.live
            if not (crowded or meter.idle(now_s)):
                break
            del self._meters[key]

    def _take_limits(self, project: Project) -> None:
        self._limits = project.limits
        most = project.outliers.requests_per_minute
        self._slow = {
            f"{_OUTLIER}user": Limit(per="user", requests_per_minute=most),
            f"{_OUTLIER}key": Limit(per="key", requests_per_minute=most),
        }

    def _meters_of(self, caller: Caller, now_s: float) -> list[Meter]:
        return [
            self._meter((name, caller.user if limit.per == "user" else caller.key_id), limit, now_s)
            for name, limit in self._limits.items()
            if not limit.classes or caller.user_class in limit.classes
        ]

    def _slow_meters_of(self, slow: Iterable[tuple[str, str]], now_s: float) -> list[Meter]:
        names = [(f"{_OUTLIER}{per}", who) for per, who in slow]
        return [self._meter(name, self._slow[name[0]], now_s) for name in names]

    def _meter(self, key: tuple[str, str], limit: Limit, now_s: float) -> Meter:
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = Meter(key[0], limit, now_s)
        else:
            self._meters.move_to_end(key)
        return meter


def _duration(seconds: float) -> bytes:
    """A second or more as OpenAI writes it: `1s`, `6m0s`."""
    minutes, rest = divmod(round(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
