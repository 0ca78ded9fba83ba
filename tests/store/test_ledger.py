import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store.processes import child, lines
from store.samples import CLOCK, NOON_NS, intent, pairs, record, rows, settle
from trimtab.errors import LedgerUnavailable, Overloaded, ShuttingDown, StoreError
from trimtab.store.protocol import Ledger
from trimtab.store.receipt import Receipt
from trimtab.store.sqlite import SqliteLedger, open_ledger, open_reader, verify
from trimtab.store.sqlite.bodies import BodyWriter


def test_what_is_written_verifies(tmp_path: Path) -> None:
    record(tmp_path, [*pairs(100), intent("inf_open")])
    record(tmp_path, [intent("inf_later"), settle("inf_later")])
    report = verify(tmp_path)
    assert report.ok
    assert report.findings == ()
    assert (report.entries, report.writers) == (203, 2)
    assert (report.intents, report.settles) == (102, 101)
    assert (report.unsettled, report.unsettled_nanousd, report.in_flight) == (1, 5_000, 0)


async def _number_of_a_new_writer(data_dir: Path) -> int:
    ledger: Ledger = open_ledger(data_dir, CLOCK)
    await ledger.close()
    assert isinstance(ledger, SqliteLedger)
    return ledger.writer


def test_second_writer_is_chained_to_the_first(tmp_path: Path) -> None:
    record(tmp_path, pairs(1))
    record(tmp_path, [intent("inf_2")])
    record(tmp_path, [])
    assert asyncio.run(_number_of_a_new_writer(tmp_path)) == 4
    rows(tmp_path / "ledger.sqlite", "DELETE FROM writers WHERE writer = 4")
    [(head,), (second,), (third,)] = rows(
        tmp_path / "ledger.sqlite", "SELECT first_prev_hash FROM writers ORDER BY writer"
    )
    assert head == bytes(32)
    entries = rows(tmp_path / "ledger.sqlite", "SELECT writer, seq, hash FROM entries")
    assert [entry[:2] for entry in entries] == [(1, 1), (1, 2), (2, 1)]
    assert (second, third) == (entries[1][2], entries[2][2])


def test_killed_at_any_moment(tmp_path: Path) -> None:
    with child("write", tmp_path) as process:
        promised = [line for _, line in zip(range(300), lines(process), strict=False)]
        while_alive = verify(tmp_path)
        process.kill()
        process.wait()
    assert while_alive.ok
    report = verify(tmp_path)
    assert report.ok
    assert report.in_flight == 0
    assert report.unsettled <= 1
    assert report.settles >= len(promised) == 300
    reader = open_reader(tmp_path, CLOCK)
    [total] = reader.usage_by("total", NOON_NS, NOON_NS + 1)
    assert total.requests == report.settles
    assert all(reader.event(inference_id) for inference_id in promised[::50])
    record(tmp_path, [intent("inf_next"), settle("inf_next")])
    assert verify(tmp_path).ok


def test_full_disk(tmp_path: Path) -> None:
    with child("fill", tmp_path) as process:
        refused, closed, settled = lines(process)
    assert refused.startswith(f"refused: {tmp_path}/ledger.sqlite cannot be used")
    assert "check its free space" in refused
    assert closed == "closed"
    report = verify(tmp_path)
    assert report.ok
    assert settled == f"settled {report.settles}"
    assert report.unsettled == 0


async def _wait_for(receipt: Receipt) -> None:
    await receipt


async def _while_locked(data_dir: Path) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_1"))
    with closing(sqlite3.connect(data_dir / "ledger.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        both = [ledger.record_intent(intent("inf_2")), ledger.record_settle(settle("inf_1"))]
        unwatched = ledger.record_intent(intent("inf_3"))
        cancelled = asyncio.ensure_future(_wait_for(ledger.record_intent(intent("inf_4"))))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(LedgerUnavailable, match="Another process keeps it locked"):
            await both[0]
        with pytest.raises(LedgerUnavailable, match="locked"):
            ledger.check_open()
        with pytest.raises(LedgerUnavailable):
            await unwatched  # it may be in the next batch
        assert not both[1].done
        # The attempt was made before the refusal was known: its settle brings the intent along.
        late = ledger.record_settle(settle("inf_2"))
        other.execute("ROLLBACK")
    await both[1]
    await late
    await ledger.record_intent(intent("inf_5"))
    ledger.check_open()
    await ledger.close()


def test_locked_ledger_refuses_and_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(_while_locked(tmp_path))
    report = verify(tmp_path)
    assert report.ok
    assert (report.intents, report.settles, report.unsettled) == (3, 2, 1)
    assert "can be written again" in caplog.text


async def _give_up(data_dir: Path) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_1"))
    with closing(sqlite3.connect(data_dir / "ledger.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiter = ledger.record_settle(settle("inf_1"))
        await ledger.close()
        await asyncio.sleep(0)
        assert isinstance(waiter.error, LedgerUnavailable)


def test_close_gives_up_and_says_how_much_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.ledger._CLOSE_PATIENCE_S", 0.1)
    asyncio.run(_give_up(tmp_path))
    assert "1 settles could not be written" in caplog.text
    assert verify(tmp_path).unsettled == 1


async def _until_refused(ledger: SqliteLedger) -> None:
    while True:
        await asyncio.sleep(0.01)
        ledger.check_open()


async def _close_while_locked(data_dir: Path) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_1"))
    with closing(sqlite3.connect(data_dir / "ledger.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiter = ledger.record_settle(settle("inf_1"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ledger.close())
            with pytest.raises(LedgerUnavailable):
                await _until_refused(ledger)
            other.execute("ROLLBACK")
    await waiter


def test_close_tries_again(tmp_path: Path) -> None:
    asyncio.run(_close_while_locked(tmp_path))
    assert verify(tmp_path).settles == 1


async def _failing_sync(data_dir: Path, fail: list[bool]) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    fail.append(True)
    with pytest.raises(LedgerUnavailable, match="disk refuses"):
        await ledger.record_intent(intent("inf_1"))
    fail.clear()
    await ledger.record_settle(settle("inf_1"))
    await ledger.record_intent(intent("inf_2"))
    ledger.check_open()
    await ledger.close()


async def _dying_writer(data_dir: Path, patch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger(data_dir, CLOCK)
    patch.setattr("trimtab.store.sqlite.writer.links", None)  # a defect: calling it is a TypeError
    with pytest.raises(LedgerUnavailable, match="restart the gateway"):
        await ledger.record_intent(intent("inf_1"))
    with pytest.raises(LedgerUnavailable, match="restart the gateway"):
        ledger.record_settle(settle("inf_1"))
    await ledger.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_writer_that_died_leaves_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(_dying_writer(tmp_path, monkeypatch))


def test_refused_intents_are_remembered_within_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.writer._REMEMBERED", 1)
    asyncio.run(_while_locked(tmp_path))
    assert verify(tmp_path).settles == 2


def test_disk_that_does_not_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail: list[bool] = []

    def sync(fd: int) -> None:
        if fail:
            raise OSError(5, "Input/output error")
        os.fdatasync(fd)

    monkeypatch.setattr("trimtab.store.sqlite.writer._sync_file", sync)
    asyncio.run(_failing_sync(tmp_path, fail))
    assert verify(tmp_path).ok


def _fill(ledger: SqliteLedger) -> None:
    for number in range(100_000):
        ledger.record_intent(intent(f"inf_{number}"))


async def _flood(data_dir: Path) -> None:
    ledger = SqliteLedger(data_dir, CLOCK, most_waiting=10)
    with pytest.raises(Overloaded, match="10 records wait"):
        _fill(ledger)
    ledger.record_settle(settle("inf_0"))  # never refused
    await ledger.close()
    with pytest.raises(ShuttingDown):
        ledger.record_intent(intent("inf_late"))
    await ledger.close()


def test_bounded(tmp_path: Path) -> None:
    asyncio.run(_flood(tmp_path))
    assert verify(tmp_path).ok


def test_loop_that_ended_early(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    loop = asyncio.new_event_loop()

    async def begin() -> SqliteLedger:
        return open_ledger(tmp_path, CLOCK)

    ledger = loop.run_until_complete(begin())
    ledger.record_intent(intent("inf_1"))
    loop.close()
    asyncio.run(ledger.close())
    assert verify(tmp_path).intents == 1


async def _record_bodies(data_dir: Path) -> int:
    ledger = open_ledger(data_dir, CLOCK)
    ledger.record_body("inf_1", NOON_NS, b"asked" * 100, b"answered")
    ledger.record_body("inf_2", NOON_NS + 86_400 * 10**9, b"", b"next day")
    for number in range(200):
        ledger.record_body(f"inf_x{number}", NOON_NS, b"x", b"y")
    await ledger.close()
    return ledger.dropped_bodies


def test_bodies(tmp_path: Path) -> None:
    assert asyncio.run(_record_bodies(tmp_path)) == 0
    reader = open_reader(tmp_path, CLOCK)
    assert reader.body("inf_1") == (b"asked" * 100, b"answered")
    assert reader.body("inf_2") == (b"", b"next day")
    assert reader.body("inf_x199") == (b"x", b"y")
    assert reader.body("inf_3") is None


def test_bodies_without_room_are_counted(tmp_path: Path) -> None:
    bodies = BodyWriter(tmp_path, most_bytes=10)
    bodies.put("inf_1", NOON_NS, (b"0123456789", b"!"))
    bodies.put("inf_2", NOON_NS, (b"0123456789", b""))
    bodies.close()
    assert bodies.dropped == 1


def test_bodies_that_cannot_be_written_are_counted(tmp_path: Path) -> None:
    (tmp_path / "events-2026-11-23.sqlite").mkdir()
    bodies = BodyWriter(tmp_path)
    bodies.put("inf_1", NOON_NS, (b"1", b"2"))
    bodies.close()
    assert bodies.dropped == 1


def _folder_in_the_way(path: Path) -> None:
    path.mkdir()


def _not_a_database(path: Path) -> None:
    path.write_bytes(b"no database at all, " * 100)


@pytest.mark.parametrize(
    ("spoil", "remedy"),
    [(_folder_in_the_way, "cannot be opened"), (_not_a_database, "is not a database")],
)
def test_ledger_that_cannot_be_opened(
    tmp_path: Path, spoil: Callable[[Path], None], remedy: str
) -> None:
    spoil(tmp_path / "ledger.sqlite")

    async def begin() -> None:
        open_ledger(tmp_path, CLOCK)

    with pytest.raises(LedgerUnavailable, match=remedy):
        asyncio.run(begin())
    with pytest.raises(StoreError):
        open_reader(tmp_path, CLOCK)


def test_files_of_a_newer_trimtab(tmp_path: Path) -> None:
    record(tmp_path, [])
    rows(tmp_path / "ledger.sqlite", "PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="newer trimtab"):
        open_reader(tmp_path, CLOCK)
