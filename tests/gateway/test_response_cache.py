"""Answers given again: how old they may be, how many there are, and what is sent."""

import asyncio

import pytest

from gateway.cached import STREAM, MemoryStore, answer
from trimtab.config.schema import Cache
from trimtab.config.schema import ResponseCache as Settings
from trimtab.gateway.outlet import OutletListener
from trimtab.gateway.response_cache import MAX_ANSWER_BYTES, Found, ResponseCache, give_again
from trimtab.testing.clock import FrozenClock

LIMITS = Cache(ttl_s=60, stale_s=600)
HOUR_S = 3_600


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def opened(store: MemoryStore, clock: FrozenClock, memory_mb: int = 1) -> ResponseCache:
    """A cache as it is soon after the start of a process."""
    cache = ResponseCache(store, clock, Settings(memory_mb=memory_mb, disk_mb=2))
    asyncio.run(cache.warm())
    return cache


def found(cache: ResponseCache, key: bytes, limits: Cache = LIMITS) -> Found | None:
    """What a request finds."""
    first = cache.find(key, limits)
    if first is None and cache.on_disk(key):
        asyncio.run(cache.load(key))
        return cache.find(key, limits)
    return first


def fresh(cache: ResponseCache, key: bytes, limits: Cache = LIMITS) -> bool | None:
    there = found(cache, key, limits)
    return None if there is None else there.fresh


def test_fresh_then_stale_then_gone(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    kept = answer(clock.wall_ns())
    assert cache.find(b"k", LIMITS) is None
    cache.put(b"k", kept)
    assert cache.find(b"k", LIMITS) == Found(kept, 0.0, fresh=True)
    clock.advance(59.5)
    assert cache.find(b"k", LIMITS) == Found(kept, 59.5, fresh=True)
    clock.advance(0.5)
    assert cache.find(b"k", LIMITS) == Found(kept, 60.0, fresh=False)
    cache.gave_stale()
    clock.advance(599.5)
    assert fresh(cache, b"k") is False
    clock.advance(0.5)
    assert cache.find(b"k", LIMITS) is None
    assert not cache.on_disk(b"k")
    assert (cache.hits, cache.stale_hits, cache.misses, cache.bytes) == (2, 1, 4, 0)


def test_without_stale_s_an_old_answer_is_gone(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    cache.put(b"k", answer(clock.wall_ns()))
    clock.advance(60)
    assert cache.find(b"k", Cache(ttl_s=60)) is None
    assert cache.bytes == 0


def test_a_new_answer_takes_the_place_of_the_old(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    cache.put(b"k", answer(clock.wall_ns(), body=b"old"))
    clock.advance(100)
    cache.put(b"k", answer(clock.wall_ns(), body=b"newer"))
    there = cache.find(b"k", LIMITS)
    assert there is not None
    assert (there.answer.body, there.fresh) == (b"newer", True)
    assert cache.bytes == 500 + 5


@pytest.mark.parametrize("restarted", [False, True])
def test_x12_a_clock_set_back_makes_no_answer_young(
    clock: FrozenClock, store: MemoryStore, *, restarted: bool
):
    cache = opened(store, clock)
    cache.put(b"k", answer(clock.wall_ns()))
    if restarted:
        clock.advance(10)
        cache = opened(store, clock)
        assert fresh(cache, b"k") is True
    clock.step_wall(-HOUR_S)
    clock.advance(30)
    assert fresh(cache, b"k") is True
    clock.advance(30)
    assert fresh(cache, b"k") is False
    clock.advance(600)
    assert fresh(cache, b"k") is None


def test_x12_nor_does_it_on_its_way_over_the_disk(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    cache.put(b"k", answer(clock.wall_ns()))
    clock.step_wall(-HOUR_S)
    clock.advance(61)
    cache.put(b"large", answer(clock.wall_ns(), body=b"x" * 999_500))
    assert cache.on_disk(b"k")
    assert fresh(cache, b"k") is False


def test_x12_an_answer_from_the_future_is_new_once(clock: FrozenClock, store: MemoryStore):
    store.kept[b"k"] = answer(clock.wall_ns() + HOUR_S * 10**9)
    cache = opened(store, clock)
    assert fresh(cache, b"k") is True
    clock.advance(60)
    assert fresh(cache, b"k") is False


def test_x12_a_clock_set_forward_costs_a_call(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    cache.put(b"k", answer(clock.wall_ns()))
    clock.step_wall(HOUR_S)
    assert fresh(cache, b"k") is None
    cache.put(b"k", answer(clock.wall_ns()))
    clock.step_wall(-HOUR_S)
    assert fresh(cache, b"k") is True
    clock.advance(60)
    assert fresh(cache, b"k") is False


def test_the_longest_unused_go_first(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    for number in range(4):
        cache.put(b"%d" % number, answer(clock.wall_ns(), body=b"x" * 249_500))
    assert cache.bytes == 1_000_000
    assert cache.find(b"0", LIMITS) is not None
    cache.put(b"4", answer(clock.wall_ns(), body=b"x"))
    assert cache.find(b"1", LIMITS) is None
    assert cache.on_disk(b"1")
    assert [cache.find(b"%d" % n, LIMITS) is not None for n in (0, 2, 3, 4)] == [True] * 4
    assert cache.bytes == 3 * 250_000 + 501
    assert (cache.hits, cache.misses) == (5, 0)  # what is on the disk is not missed yet


def test_changed_settings_take_effect_at_once(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock, memory_mb=2)
    assert store.most_bytes == 2_000_000
    for number in range(2):
        cache.put(b"%d" % number, answer(clock.wall_ns(), body=b"x" * 700_000))
    assert cache.bytes == 1_401_000
    cache.use(Settings(memory_mb=1, disk_mb=1))
    assert (cache.bytes, store.most_bytes) == (700_500, 1_000_000)
    assert cache.find(b"1", LIMITS) is not None


def test_what_is_too_large_is_not_kept(clock: FrozenClock, store: MemoryStore):
    cache = opened(store, clock)
    cache.put(b"k", answer(clock.wall_ns(), body=b"x" * (MAX_ANSWER_BYTES + 1)))
    assert cache.find(b"k", LIMITS) is None
    assert (cache.dropped, cache.bytes, store.kept) == (1, 0, {})
    # Too large for the memory that there is, but not for the disk.
    cache.put(b"k", answer(clock.wall_ns(), body=b"x" * MAX_ANSWER_BYTES))
    assert (cache.bytes, cache.on_disk(b"k")) == (0, True)


def test_what_the_disk_does_not_take_is_in_memory_all_the_same(
    clock: FrozenClock, store: MemoryStore
):
    cache = opened(store, clock)
    store.full = True
    cache.put(b"k", answer(clock.wall_ns()))
    assert fresh(cache, b"k") is True
    assert not cache.on_disk(b"k")
    assert cache.dropped == 1


def test_answers_outlive_the_process(clock: FrozenClock, store: MemoryStore):
    opened(store, clock).put(b"k", answer(clock.wall_ns()))
    clock.advance(30)
    cache = opened(store, clock)
    assert cache.find(b"k", LIMITS) is None
    there = found(cache, b"k")
    assert there == Found(answer(clock.wall_ns() - 30 * 10**9), 30.0, fresh=True)
    assert not cache.on_disk(b"k")
    assert (cache.hits, cache.misses, store.loads) == (1, 0, 1)


def test_what_the_disk_has_lost_is_missed_once(clock: FrozenClock, store: MemoryStore):
    opened(store, clock).put(b"k", answer(clock.wall_ns()))
    cache = opened(store, clock)
    store.kept.clear()
    assert found(cache, b"k") is None
    assert found(cache, b"k") is None
    assert (cache.misses, store.loads) == (2, 1)


def test_many_who_want_the_same_ask_the_disk_once(clock: FrozenClock, store: MemoryStore):
    opened(store, clock).put(b"k", answer(clock.wall_ns()))
    cache = opened(store, clock)

    async def load() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(cache.load(b"k"))

    asyncio.run(load())
    assert store.loads == 1
    assert fresh(cache, b"k") is True


def test_an_answer_put_while_one_is_loaded_stays(clock: FrozenClock, store: MemoryStore):
    store.kept[b"k"] = answer(clock.wall_ns() - 50 * 10**9, body=b"old")
    cache = opened(store, clock)

    async def load() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(cache.load(b"k"))
            await asyncio.sleep(0)  # it has begun
            cache.put(b"k", answer(clock.wall_ns(), body=b"new"))

    asyncio.run(load())
    there = found(cache, b"k")
    assert there is not None
    assert (there.answer.body, there.age_s) == (b"new", 0.0)


def test_who_leaves_while_waiting_for_the_disk_strands_nobody(
    clock: FrozenClock, store: MemoryStore
):
    opened(store, clock).put(b"k", answer(clock.wall_ns()))
    cache = opened(store, clock)

    async def load() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(cache.load(b"k")) for _ in range(3)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[1].cancel()

    asyncio.run(load())
    assert fresh(cache, b"k") is True


def test_so_many_keys_are_known_and_no_more(
    clock: FrozenClock, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("trimtab.gateway.response_cache._MOST_KNOWN", 300)
    cache = opened(store, clock)
    for number in range(301):
        cache.put(b"%d" % number, answer(clock.wall_ns(), body=b"x" * 30_000))
    assert [cache.on_disk(b"%d" % number) for number in (0, 255, 256)] == [False, False, True]
    assert len(opened(store, clock)._known) == 300


def test_closing_closes_the_store(clock: FrozenClock, store: MemoryStore):
    asyncio.run(opened(store, clock).close())
    assert store.closed


class Outlet:
    """What a caller gets."""

    gone = False
    started = False
    listener: OutletListener | None = None

    def __init__(self) -> None:
        self.got: list[object] = []

    def note(self, lines: bytes) -> None:
        self.got.append(lines)

    def send(self, status: int, headers: bytes, body: bytes) -> None:
        self.got += [status, headers, body]

    def fail(self, error: Exception) -> None:
        raise error

    def start(self, status: int, headers: bytes) -> None:
        self.got += [status, headers]

    def write(self, data: bytes) -> None:
        self.got.append(data)

    def write_chunk(self, chunk: bytes) -> None:
        raise AssertionError("what is given again has no chunks")

    def end(self) -> None:
        self.got.append("end")


def test_t25_a_give_again_is_what_was_sent_at_first():
    headers = b"content-type: text/event-stream\r\n"
    streamed, whole = Outlet(), Outlet()
    give_again(answer(1), streamed, headers)
    assert streamed.got == [200, headers, STREAM, "end"]
    give_again(answer(1, streamed=False, body=b"{}"), whole, headers)
    assert whole.got == [200, headers, b"{}"]
