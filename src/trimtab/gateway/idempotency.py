"""`Idempotency-Key`: a caller declares two requests to be one, so the second is not made.

No provider offers this for inferences, so the gateway does it: for requests at the same time with
`trimtab.gateway.flights`, for later ones by remembering answers. Both die with the process.
"""

import hashlib
from collections import OrderedDict
from typing import Final, NamedTuple

from trimtab.store.answers import CachedAnswer
from trimtab.types.clock import Clock

__all__ = ["Recalled", "Remembered", "digest_of", "idempotency_key"]

_KEEP_S: Final = 86_400.0
_MOST: Final = 10_000
_MOST_BYTES: Final = 64_000_000
_OVERHEAD_BYTES: Final = 500


def idempotency_key(key_id: str, name: str) -> bytes:
    """Key of a flight, and in `Remembered`: 32 bytes.

    Args:
        key_id: of the caller: two tenants may use the same names.
        name: value of the `Idempotency-Key` header.
    """
    tenant = key_id.encode()
    head = b"trimtab idempotency 1 %d:%b" % (len(tenant), tenant)
    return hashlib.sha256(head + name.encode("utf-8", "surrogatepass")).digest()


def digest_of(body: bytes) -> bytes:
    """What tells bodies apart under one key: 32 bytes. A client that retries sends the same."""
    return hashlib.sha256(body).digest()


class Recalled(NamedTuple):
    """What is known of an idempotency key.

    Attributes:
        answer: the answer to the request that came first.
        conflict: that request was another one: nothing may be answered but the conflict.
    """

    answer: CachedAnswer
    conflict: bool


class _Kept(NamedTuple):
    digest: bytes
    answer: CachedAnswer
    until_s: float

    @property
    def size(self) -> int:
        return len(self.answer.body) + _OVERHEAD_BYTES


class Remembered:
    """Answers by idempotency key, for a day; the oldest go when there are too many.

    Args:
        clock: its monotonic time decides what is too old.
        keep_s: seconds that an answer is remembered.
        most: answers at most.
        most_bytes: bytes of all of them at most.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        keep_s: float = _KEEP_S,
        most: int = _MOST,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._now = clock.monotonic_s
        self._keep_s = keep_s
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: bytes, digest: bytes) -> Recalled | None:
        """What was answered under `key`, and whether to a body with another `digest`."""
        self._drop_old()
        kept = self._kept.get(key)
        return None if kept is None else Recalled(kept.answer, conflict=kept.digest != digest)

    def keep(self, key: bytes, digest: bytes, answer: CachedAnswer) -> None:
        """Remember the answer to the body with `digest`."""
        self._drop(key)
        kept = _Kept(digest, answer, self._now() + self._keep_s)
        self._kept[key] = kept
        self.bytes += kept.size
        self._drop_old()
        while len(self._kept) > self._most or self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop_old(self) -> None:
        now_s = self._now()
        while self._kept:
            key = next(iter(self._kept))  # the first in is the first to be too old
            if self._kept[key].until_s > now_s:
                return
            self._drop(key)

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.bytes -= kept.size
