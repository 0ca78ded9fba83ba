"""The response cache on disk: what it keeps, and that nothing about it is ever a failure."""

import asyncio
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gateway.cached import answer
from store.samples import NOON_NS, derived, pairs, record, rows
from trimtab.config.schema import Cache
from trimtab.config.schema import ResponseCache as Settings
from trimtab.gateway.response_cache import ResponseCache
from trimtab.store.sqlite import SqliteAnswers, forget_days, open_answers, rebuild, verify
from trimtab.testing.clock import FrozenClock
from trimtab.types.clock import NS_PER_S

Damage = Callable[[Path], None]
MB = 1_000_000
CLOCK = FrozenClock(NOON_NS)


@contextmanager
def answers(
    data_dir: Path, clock: FrozenClock = CLOCK, most_bytes: int = MB * 100, **changes: int
) -> Generator[SqliteAnswers]:
    store = SqliteAnswers(data_dir, clock, most_bytes=most_bytes, **changes)
    try:
        yield store
    finally:
        store.close()


def keep(data_dir: Path, numbers: range, size: int = 100, most_bytes: int = MB * 100) -> None:
    """Write answers to the disk as one process would."""
    with answers(data_dir, most_bytes=most_bytes) as store:
        for number in numbers:
            assert store.put(b"%08d" % number, answer(NOON_NS + number, body=os.urandom(size)))


def kept(data_dir: Path) -> list[bytes]:
    with answers(data_dir) as store:
        return [key for key, _ in store.stamps(1_000_000)]


def test_answers_are_there_after_a_restart(tmp_path: Path):
    clock = FrozenClock(NOON_NS + NS_PER_S)
    made = {b"1": answer(NOON_NS, body=b"\x00\xff" * 9), b"2": answer(NOON_NS + 1, streamed=False)}
    with answers(tmp_path, clock) as store:
        assert store.stamps(10) == []
        assert store.load(b"1") is None
        for key, one in made.items():
            assert store.put(key, one)
    with answers(tmp_path, clock) as store:
        assert store.stamps(10) == [(b"1", NOON_NS), (b"2", NOON_NS + 1)]
        assert store.stamps(1) == [(b"2", NOON_NS + 1)]
        assert {key: store.load(key) for key in made} == made
        assert store.load(b"3") is None
        assert store.dropped == 0
    assert rows(tmp_path / "answers.sqlite", "PRAGMA journal_mode") == [("wal",)]


def test_a_later_answer_takes_the_place_of_an_earlier_one(tmp_path: Path):
    with answers(tmp_path) as store:
        store.put(b"k", answer(NOON_NS - 2, body=b"old"))
        store.put(b"k", answer(NOON_NS - 1, body=b"new"))
    with answers(tmp_path) as store:
        assert store.load(b"k") == answer(NOON_NS - 1, body=b"new")
        assert store.stamps(10) == [(b"k", NOON_NS - 1)]


def test_text_is_compressed(tmp_path: Path):
    with answers(tmp_path) as store:
        store.put(b"k", answer(NOON_NS, body=b"the same again, " * 50_000))
    [(size,)] = rows(tmp_path / "answers.sqlite", "SELECT length(answer) FROM answers")
    assert size < 10_000


def test_the_oldest_go_when_the_file_is_full(tmp_path: Path):
    keep(tmp_path, range(3_000), size=2_000, most_bytes=2_000_000)
    there = kept(tmp_path)
    assert 450 < len(there) < 1_000
    assert there == [b"%08d" % number for number in range(3_000 - len(there), 3_000)]
    assert (tmp_path / "answers.sqlite").stat().st_size < 3_000_000
    keep(tmp_path, range(3_000, 3_001), most_bytes=500_000)  # the limit was lowered
    there = kept(tmp_path)
    assert 80 < len(there) < 250
    assert there[-1] == b"00003000"
    keep(tmp_path, range(3_001, 3_002), most_bytes=1)
    assert kept(tmp_path) == []


def test_what_no_route_would_give_any_more_is_deleted(tmp_path: Path):
    with answers(tmp_path) as store:
        for number in range(3_000):
            store.put(b"%08d" % number, answer(NOON_NS - 3_000 + number))
    with answers(tmp_path) as store:
        store.forget_before(NOON_NS - 10)
    assert kept(tmp_path) == [b"%08d" % number for number in range(2_990, 3_000)]


def test_answers_wait_in_a_bounded_queue(tmp_path: Path):
    with answers(tmp_path, most_waiting_bytes=250) as store:
        with store._file.using():  # so that the writer cannot go on
            taken = [store.put(b"%d" % n, answer(NOON_NS + n, body=b"x" * 100)) for n in range(4)]
            assert taken == [True, True, False, False]
            assert store.load(b"0") is None  # and whoever wants one does not wait long
        assert store.dropped == 2
    assert kept(tmp_path) == [b"0", b"1"]


def test_an_answer_from_the_future_counts_as_made_now_and_then_ages(tmp_path: Path):
    with answers(tmp_path) as store:
        store.put(b"future", answer(NOON_NS + 3_600 * NS_PER_S))
        store.put(b"past", answer(NOON_NS - 1))
    for later_s in (0, 5, 10):  # not at each start anew
        with answers(tmp_path, FrozenClock(NOON_NS + later_s * NS_PER_S)) as store:
            assert store.stamps(9) == [(b"past", NOON_NS - 1), (b"future", NOON_NS)]
            assert store.load(b"future") == answer(NOON_NS)


def _scribble(path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)


def _foreign_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE secrets (name TEXT)")


def _other_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version=99")


def _without_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA user_version=1")


def _torn_pages(path: Path) -> None:
    keep(path.parent, range(200), size=1_000)
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "damage", [_scribble, _foreign_table, _other_version, _without_table, _torn_pages]
)
def test_a_damaged_or_foreign_file_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Damage
):
    damage(tmp_path / "answers.sqlite")
    caplog.clear()
    with caplog.at_level(logging.WARNING), answers(tmp_path) as store:
        assert store.stamps(10) == []
        assert store.load(b"00000001") is None
        store.put(b"k", answer(NOON_NS))
    assert "answers.sqlite is thrown away and begun anew" in caplog.text
    assert len(caplog.records) == 1
    caplog.clear()
    assert kept(tmp_path) == [b"k"]
    assert not caplog.records


def test_a_file_that_is_damaged_while_it_is_used_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.WARNING), answers(tmp_path) as store:
        store.put(b"1", answer(NOON_NS))
        store.stamps(1)
        with store._file.using() as db:
            db.execute("DROP TABLE IF EXISTS answers")
        assert store.load(b"1") is None
        store.put(b"2", answer(NOON_NS))
    assert "begun anew" in caplog.text
    assert b"2" in kept(tmp_path)


@pytest.mark.parametrize("bad", [b"", b"no zlib", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_an_answer_that_cannot_be_read_is_not_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bad: bytes
):
    keep(tmp_path, range(2))
    rows(tmp_path / "answers.sqlite", f"UPDATE answers SET answer = x'{bad.hex()}' WHERE rowid = 1")
    with caplog.at_level(logging.WARNING), answers(tmp_path) as store:
        assert store.load(b"%08d" % 0) is None
        assert store.load(b"%08d" % 1) is not None
    assert "could not be read" in caplog.text


def test_a_full_disk_is_said_once_and_forgiven(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.WARNING), answers(tmp_path) as store:
        file = store._file
        prepare = file._prepare

        def prepare_full(db: sqlite3.Connection) -> None:
            prepare(db)
            db.execute("PRAGMA max_page_count=6")

        file._prepare = prepare_full
        for number in range(6):
            store.put(b"%d" % number, answer(NOON_NS, body=os.urandom(20_000)))
        _wait_until_written(store)
        assert store.dropped == 6
        [line] = caplog.messages
        assert line == (
            f"the response cache goes on in memory only: {tmp_path}/answers.sqlite cannot be used "
            "(database or disk is full). The disk is full: free some space."
        )
        file._prepare = prepare
        store.put(b"k", answer(NOON_NS))
        _wait_until_written(store)
        assert store.load(b"k") == answer(NOON_NS)
        assert len(caplog.records) == 1


def _wait_until_written(store: SqliteAnswers) -> None:
    """End the writer, which then has written all, and begin another one."""
    store._queue.put(None)
    store._thread.join()
    store._thread = threading.Thread(target=store._run, daemon=True)
    store._thread.start()


def test_a_folder_that_cannot_be_used_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").touch()
    for data_dir in (tmp_path / "file", tmp_path / "folder"):
        (tmp_path / "folder" / "answers.sqlite").mkdir(parents=True, exist_ok=True)
        caplog.clear()
        with caplog.at_level(logging.WARNING), answers(data_dir) as store:
            assert store.stamps(10) == []
            assert store.put(b"k", answer(NOON_NS))
        assert store.dropped == 1
        assert [line.message[:28] for line in caplog.records] == [
            "the response cache goes on in"[:28]
        ]


def test_another_process_that_holds_the_file_is_no_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    keep(tmp_path, range(1))
    with answers(tmp_path) as store:
        assert store.load(b"%08d" % 0) is not None
        with closing(sqlite3.connect(tmp_path / "answers.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.put(b"k", answer(NOON_NS))
            _wait_until_written(store)
            other.execute("ROLLBACK")
        assert store.dropped == 1
        assert "Another process keeps it locked" in caplog.text
        store.put(b"k", answer(NOON_NS))
    assert b"k" in kept(tmp_path)


def test_two_processes_may_begin_at_the_same_time(tmp_path: Path):
    barrier = threading.Barrier(4)

    def begin(number: int) -> None:
        with answers(tmp_path) as store:
            barrier.wait()
            store.put(b"%d" % number, answer(NOON_NS))

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keep(tmp_path, range(1))
    assert b"%08d" % 0 in kept(tmp_path)


def test_nothing_else_in_the_folder_knows_of_it(tmp_path: Path):
    record(tmp_path, pairs(10))
    before, report = derived(tmp_path), verify(tmp_path)
    keep(tmp_path, range(10))
    content = (tmp_path / "answers.sqlite").read_bytes()
    assert verify(tmp_path) == report
    assert rebuild(tmp_path).events == 10
    assert derived(tmp_path) == before
    assert forget_days(tmp_path, NOON_NS + 900 * 86_400 * NS_PER_S, 1) != []
    assert (tmp_path / "answers.sqlite").read_bytes() == content
    assert len(kept(tmp_path)) == 10


def test_the_cache_on_real_files(tmp_path: Path):
    """A process serves, ends, and the next one gives the same answers again."""
    clock, limits = FrozenClock(NOON_NS), Cache(ttl_s=60, stale_s=60)

    async def serve(*, asked: int, put: int) -> list[bool | None]:
        store = open_answers(tmp_path, clock, most_bytes=100)
        cache = ResponseCache(store, clock, Settings(memory_mb=1, disk_mb=50))
        await cache.warm()
        found: list[bool | None] = []
        for number in range(asked):
            key = b"%d" % number
            assert cache.find(key, limits) is None
            assert cache.on_disk(key)
            await cache.load(key)
            there = cache.find(key, limits)
            found.append(None if there is None else there.fresh)
        for number in range(asked, asked + put):
            cache.put(b"%d" % number, answer(clock.wall_ns(), body=os.urandom(100_000)))
        await cache.close()
        return found

    assert asyncio.run(serve(asked=0, put=30)) == []
    clock.advance(40)
    assert asyncio.run(serve(asked=30, put=5)) == [True] * 30
    clock.advance(40)
    assert asyncio.run(serve(asked=35, put=0)) == [False] * 30 + [True] * 5
    clock.advance(60)
    assert asyncio.run(serve(asked=35, put=0)) == [None] * 30 + [False] * 5
