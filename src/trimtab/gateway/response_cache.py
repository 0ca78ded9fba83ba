"""Answers that are given again to the same request: in memory, and behind that in a store.

All of it belongs to the event loop's thread, and nothing here waits for a disk: what is on the
disk only is brought into memory by `load`, which waits for a thread.

How old an answer is decides whether it may be given, so no step of the wall clock may make one
young again. Its age is the larger of what two clocks say: wall time since it was made, and
monotonic time since this process first knew of it. Setting the wall clock forward makes answers
too old, which costs calls; setting it back changes nothing for this process.
"""

import asyncio
from collections import OrderedDict
from itertools import islice
from typing import Final, NamedTuple

from trimtab.config.schema import Cache
from trimtab.config.schema import ResponseCache as Settings
from trimtab.gateway.outlet import Outlet
from trimtab.store.answers import CachedAnswer
from trimtab.store.protocol import AnswerStore
from trimtab.types.clock import NS_PER_S, Clock

__all__ = ["MAX_ANSWER_BYTES", "Found", "ResponseCache", "give_again"]

MAX_ANSWER_BYTES: Final = 1_000_000
"""A larger answer is not kept."""

_OVERHEAD_BYTES: Final = 500  # of an answer in memory beside its body
_MOST_KNOWN: Final = 100_000  # keys of what is on the disk, about 170 bytes each
_FORGOTTEN_AT_ONCE: Final = 256
_MB: Final = 1_000_000


class Found(NamedTuple):
    """An answer that may be given again.

    Attributes:
        answer: the answer.
        age_s: seconds since it was made.
        fresh: it may be given at once; else only when all models have failed.
    """

    answer: CachedAnswer
    age_s: float
    fresh: bool


class _Kept(NamedTuple):
    answer: CachedAnswer
    born_s: float


class ResponseCache:
    """Answers by the key of `trimtab.gateway.cache_key`.

    One way to use it, for a route with a cache:

        found = cache.find(key, policy)
        if found is None and cache.on_disk(key):
            await cache.load(key)
            found = cache.find(key, policy)

    A fresh one is given. A stale one is held, and given with `gave_stale` if every rung fails.
    A good answer that a provider gave is `put`.

    Args:
        store: what keeps answers when this process has ended.
        clock: both of its clocks are read.
        settings: how much room there is.

    Attributes:
        bytes: what the answers in memory take.
        hits: how often a fresh answer was found.
        stale_hits: how often a stale one was given.
        misses: how often a model had to be asked.
    """

    def __init__(self, store: AnswerStore, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()  # the longest unused first
        self._known: dict[bytes, float] = {}  # what may be on the disk: its birth, monotonic
        self._loading: dict[bytes, asyncio.Event] = {}
        self._refused = 0
        self.bytes = 0
        self.hits = 0
        self.stale_hits = 0
        self.misses = 0
        self.use(settings)

    @property
    def dropped(self) -> int:
        """Answers that were too large to keep, or were not written to the disk."""
        return self._refused + self._store.dropped

    def use(self, settings: Settings) -> None:
        """Take up changed settings."""
        self._most_bytes = settings.memory_mb * _MB
        self._store.most_bytes = settings.disk_mb * _MB
        self._make_room()

    async def warm(self) -> None:
        """Learn what is on the disk. Once, at the start; until then nothing there is found."""
        known = await asyncio.to_thread(self._read_stamps)
        known.update(self._known)  # what was put meanwhile
        self._known = known

    def find(self, key: bytes, cache: Cache) -> Found | None:
        """The answer in memory, if it is not too old to be given.

        One that is too old is dropped, from the disk's list too. So routes that share a model and
        a scope but not their limits share answers as long as the stricter one allows.

        Args:
            key: of the request.
            cache: the limits of the route.
        """
        kept = self._kept.get(key)
        if kept is None:
            self.misses += key not in self._known  # else it is to be loaded, and found then
            return None
        age_s = self._age_s(kept)
        if age_s >= cache.ttl_s + cache.stale_s:
            self._drop(key)
            self._known.pop(key, None)
            self.misses += 1
            return None
        self._kept.move_to_end(key)
        fresh = age_s < cache.ttl_s
        self.hits += fresh
        self.misses += not fresh
        return Found(kept.answer, age_s, fresh)

    def gave_stale(self) -> None:
        """Count a stale answer that was given."""
        self.stale_hits += 1

    def on_disk(self, key: bytes) -> bool:
        """Whether an answer is not in memory but may be on the disk: worth a `load`."""
        return key in self._known and key not in self._kept

    async def load(self, key: bytes) -> None:
        """Bring an answer from the disk into memory, if it is still there. Never fails.

        Any number at a time: the disk is asked once.
        """
        loaded = self._loading.get(key)
        if loaded is not None:
            await loaded.wait()
            return
        loaded = self._loading[key] = asyncio.Event()
        try:
            answer = await asyncio.to_thread(self._store.load, key)
            if key not in self._kept:  # else a newer one was put meanwhile
                self._take(key, answer)
        finally:
            del self._loading[key]
            loaded.set()

    def put(self, key: bytes, answer: CachedAnswer) -> None:
        """Keep an answer, in the place of one with the same key.

        Args:
            key: of the request that it answers.
            answer: complete and good, made just now.
        """
        if len(answer.body) > MAX_ANSWER_BYTES:
            self._refused += 1
            return
        now_s = self._clock.monotonic_s()
        self._keep(key, _Kept(answer, now_s))
        if self._store.put(key, answer):
            self._known.pop(key, None)  # to be the last
            self._known[key] = now_s
            if len(self._known) > _MOST_KNOWN:
                for oldest in list(islice(self._known, _FORGOTTEN_AT_ONCE)):
                    del self._known[oldest]

    async def forget_older_than(self, age_s: float) -> None:
        """Delete from the disk what no route would give any more."""
        oldest_ns = self._clock.wall_ns() - int(age_s * NS_PER_S)
        await asyncio.to_thread(self._store.forget_before, oldest_ns)

    async def close(self) -> None:
        """Write what waits to be written."""
        await asyncio.to_thread(self._store.close)

    def _age_s(self, kept: _Kept) -> float:
        wall_s = (self._clock.wall_ns() - kept.answer.created_ns) / NS_PER_S
        return max(wall_s, self._clock.monotonic_s() - kept.born_s)

    def _born_s(self, created_ns: int) -> float:
        """Monotonic time at which an answer of another process was made."""
        age_s = (self._clock.wall_ns() - created_ns) / NS_PER_S
        return self._clock.monotonic_s() - max(age_s, 0.0)

    def _read_stamps(self) -> dict[bytes, float]:
        stamps = self._store.stamps(_MOST_KNOWN)
        now_s, now_ns = self._clock.monotonic_s(), self._clock.wall_ns()
        return {key: now_s - max(now_ns - made_ns, 0) / NS_PER_S for key, made_ns in stamps}

    def _take(self, key: bytes, answer: CachedAnswer | None) -> None:
        """Keep what was loaded."""
        if answer is None:
            self._known.pop(key, None)
        else:
            born_s = self._born_s(answer.created_ns)
            self._keep(key, _Kept(answer, min(born_s, self._known.get(key, born_s))))

    def _keep(self, key: bytes, kept: _Kept) -> None:
        self._drop(key)
        self._kept[key] = kept
        self.bytes += len(kept.answer.body) + _OVERHEAD_BYTES
        self._make_room()

    def _make_room(self) -> None:
        while self.bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.bytes -= len(kept.answer.body) + _OVERHEAD_BYTES


def give_again(answer: CachedAnswer, outlet: Outlet, headers: bytes) -> None:
    """Give an answer again: exactly the bytes of the first time, frames, usage and terminator.

    Args:
        answer: from the cache, a flight or an idempotency key.
        outlet: of the caller who gets it.
        headers: all of them, its content type included.
    """
    if not answer.streamed:
        outlet.send(200, headers, answer.body)
        return
    outlet.start(200, headers)
    outlet.write(answer.body)
    outlet.end()
