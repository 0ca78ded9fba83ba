"""Requests and tokens per minute, and requests at once. Pure: the caller brings the time.

Each limit of each subject is a bucket that holds a minute's worth and fills evenly. A request takes
its input tokens, as far as they can be told beforehand; what it used beside them is taken when
it is known, and may leave a debt, in which nothing is admitted. `max_tokens` takes nothing: it is a
promise and no use, and to charge for it would refuse who asks for much and uses little.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from trimtab.config.money import Limit

__all__ = ["Bucket", "Lease", "Meter", "Refusal", "enter"]

_MINUTE_S: Final = 60.0
_SOON_S: Final = 1.0
_DUST: Final = 1e-6  # what sums of floats may lack


class Refusal(NamedTuple):
    """Why a request may not enter.

    Attributes:
        limit: name of the limit.
        what: what there is too much of.
        allowed: how much the limit allows.
        wait_s: seconds after which it makes sense to come back.
    """

    limit: str
    what: str
    allowed: int
    wait_s: float


class Bucket:
    """Fills evenly to `limit` in a minute, and nothing has to be done for that.

    On a line along which the clock goes on by `limit` each minute, `full_at` is the place at which
    the bucket is full: what it lacks lies between the clock and there, and to take is to move that
    place on. This is the generic cell rate algorithm (ITU-T I.371), in units in place of seconds.

    Attributes:
        full_at: where it is full; nothing is lacking once the clock is beyond.
        per_s: how fast the clock goes.
        entered_at: where the clock was at the latest entry.
    """

    __slots__ = ("entered_at", "full_at", "limit", "per_s")

    def __init__(self, limit: int, now_s: float) -> None:
        self.limit = limit
        self.per_s = limit / _MINUTE_S
        self.full_at = self.entered_at = now_s * self.per_s

    def wait_s(self, need: int, now_s: float) -> float:
        """Seconds until `need` is there; 0 if it is. More than a full bucket needs a full one."""
        level = self.limit - max(self.full_at - now_s * self.per_s, 0.0)
        lacking = min(need, self.limit) - level
        return 0.0 if lacking <= _DUST else lacking * _MINUTE_S / self.limit

    def rate(self, now_s: float) -> tuple[int, int, float]:
        """What a caller may know: the limit, what is there now, seconds until it is full."""
        limit = self.limit
        lacks = self.full_at - now_s * self.per_s
        if lacks <= 0:
            return limit, limit, 0.0
        left = int(limit - lacks + _DUST)
        return limit, left if left > 0 else 0, lacks * _MINUTE_S / limit  # noqa: FURB136 - faster

    def idle(self, now_s: float) -> bool:
        """No caller could tell it from a full one."""
        limit, left, _ = self.rate(now_s)
        return left == limit

    def resize(self, limit: int, now_s: float) -> None:
        """Take up a changed limit; what was used stays used, but a lowered limit makes no debt."""
        lacks = max(self.full_at - now_s * self.per_s, 0.0)
        debt = max(lacks - self.limit, 0.0)
        self.limit = limit
        self.per_s = limit / _MINUTE_S
        self.entered_at = now_s * self.per_s
        self.full_at = self.entered_at + min(lacks, limit + debt)


class Meter:
    """One limit of one subject.

    Attributes:
        name: of the limit.
        buckets: of requests and of tokens; None where they are not limited.
        live: how many leases are open. One that nobody has any more closes itself, so this number
            cannot leak.
    """

    __slots__ = ("_concurrent", "buckets", "live", "name")

    def __init__(self, name: str, limit: Limit, now_s: float) -> None:
        self.name = name
        self.live = 0
        self.buckets = (
            _bucket(limit.requests_per_minute, now_s),
            _bucket(limit.tokens_per_minute, now_s),
        )
        self._concurrent = limit.concurrent

    def use(self, limit: Limit, now_s: float) -> None:
        """Take up a changed limit."""
        requests, tokens = self.buckets
        self.buckets = (
            _changed(requests, limit.requests_per_minute, now_s),
            _changed(tokens, limit.tokens_per_minute, now_s),
        )
        self._concurrent = limit.concurrent

    def refusal(self, tokens: int, now_s: float) -> Refusal | None:
        """Why a request of so many input tokens may not enter; None if it may."""
        most = self._concurrent
        if most is not None and self.live >= most:
            return Refusal(self.name, "requests at once", most, _SOON_S)
        # Mostly there is enough; else the bucket tells how long it takes.
        bucket, of_tokens = self.buckets
        if bucket is not None and bucket.full_at + 1 > bucket.limit + now_s * bucket.per_s:
            wait_s = bucket.wait_s(1, now_s)
            if wait_s > 0:
                return Refusal(self.name, "requests per minute", bucket.limit, wait_s)
        bucket, need = of_tokens, tokens or 1
        if bucket is not None and bucket.full_at + need > bucket.limit + now_s * bucket.per_s:
            wait_s = bucket.wait_s(need, now_s)
            if wait_s > 0:
                return Refusal(self.name, "tokens per minute", bucket.limit, wait_s)
        return None

    def enter(self, tokens: int, now_s: float) -> None:
        """Count a request that enters; what is not there becomes a debt."""
        self.live += 1
        for bucket, amount in zip(self.buckets, (1, tokens), strict=True):
            if bucket is not None:
                at = bucket.entered_at = now_s * bucket.per_s
                full_at = bucket.full_at
                bucket.full_at = (full_at if full_at > at else at) + amount  # noqa: FURB136 - faster

    def used(self, tokens: int) -> None:
        """Count what was used beside what was counted at the entry; less than that is negative."""
        bucket = self.buckets[1]
        if bucket is not None:
            bucket.full_at = max(bucket.full_at + tokens, bucket.entered_at)  # no more than full

    def idle(self, now_s: float) -> bool:
        """It is as if it had never been used, so it can be forgotten."""
        return not self.live and all(
            bucket is None or bucket.idle(now_s) for bucket in self.buckets
        )


class Lease:
    """One request that has entered. Made by `enter`.

    Attributes:
        entered_s: when it did; monotonic seconds.
        holders: how many work for it, as counted by those who do.
    """

    __slots__ = ("_charged", "_meters", "_open", "entered_s", "holders")

    def __init__(self, meters: Sequence[Meter], tokens: int, now_s: float) -> None:
        self._meters = meters
        self._charged = tokens
        self._open = True
        self.entered_s = now_s
        self.holders = 0
        for meter in meters:
            meter.enter(tokens, now_s)

    def used(self, tokens: int) -> None:
        """So many tokens were used by an attempt; what was charged at the entry is part of them."""
        beside = tokens - self._charged
        self._charged = 0
        for meter in self._meters:
            meter.used(beside)

    def close(self) -> None:
        """It is over. Any number of times."""
        if self._open:
            self._open = False
            for meter in self._meters:
                meter.live -= 1

    def __del__(self) -> None:
        """Nobody can close it any more: it was forgotten, which is a defect and must not cost."""
        if self._open:
            self.close()

    def tightest(self, now_s: float) -> tuple[Bucket | None, Bucket | None]:
        """Of its limits, the bucket of requests and that of tokens in which the least is left."""
        meters = self._meters
        if len(meters) == 1:
            return meters[0].buckets
        requests, tokens = zip(*(meter.buckets for meter in meters), strict=True)
        return _tightest(requests, now_s), _tightest(tokens, now_s)


def enter(meters: Sequence[Meter], tokens: int, now_s: float) -> Lease | Refusal:
    """Let a request in, past all of `meters` or none.

    Args:
        meters: those that it falls under.
        tokens: input tokens, as far as they can be told.
        now_s: monotonic seconds.

    Returns:
        A lease, to be closed; or the refusal with the longest wait.
    """
    for meter in meters:
        if meter.refusal(tokens, now_s) is not None:
            refusals = [meter.refusal(tokens, now_s) for meter in meters]
            return max(filter(None, refusals), key=_wait_of)
    return Lease(meters, tokens, now_s)


def _wait_of(refusal: Refusal) -> float:
    return refusal.wait_s


def _tightest(buckets: Iterable[Bucket | None], now_s: float) -> Bucket | None:
    known = [bucket for bucket in buckets if bucket is not None]
    return min(known, key=lambda bucket: bucket.rate(now_s)[1], default=None)


def _bucket(limit: int | None, now_s: float) -> Bucket | None:
    return None if limit is None else Bucket(limit, now_s)


def _changed(bucket: Bucket | None, limit: int | None, now_s: float) -> Bucket | None:
    if bucket is None or limit is None:
        return _bucket(limit, now_s)
    bucket.resize(limit, now_s)
    return bucket
