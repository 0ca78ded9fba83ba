import asyncio
import os
import shutil
import sqlite3
from pathlib import Path
from random import Random

import pytest

from store.samples import CLOCK, intent, pairs, record, rows, settle
from trimtab.store.chain import link
from trimtab.store.records import VerifyReport
from trimtab.store.sqlite import catch_up, open_ledger, verify

LEDGER = "ledger.sqlite"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A ledger of two writers, projected."""
    record(tmp_path, pairs(5))
    record(tmp_path, [intent("inf_x"), settle("inf_x"), intent("inf_y")])
    assert verify(tmp_path).ok
    return tmp_path


def after(data_dir: Path, change: str) -> VerifyReport:
    rows(data_dir / LEDGER, change)
    report = verify(data_dir)
    assert not report.ok
    return report


def test_missing_entry_inside(data_dir: Path) -> None:
    report = after(data_dir, "DELETE FROM entries WHERE writer = 1 AND seq IN (4, 5)")
    assert report.gaps == 1
    assert "Writer 1 lacks its entries 4 to 5." in report.findings


def test_missing_entry_at_the_end(data_dir: Path) -> None:
    report = after(data_dir, "DELETE FROM entries WHERE writer = 2 AND seq = 3")
    assert report.gaps == 1
    assert report.beyond_head == 1
    assert "Writer 2 ends at entry 2; its head is 3." in report.findings


def test_tail_removed_together_with_its_head(data_dir: Path) -> None:
    rows(data_dir / LEDGER, "DELETE FROM entries WHERE writer = 2 AND seq = 3")
    report = after(
        data_dir,
        "UPDATE writers SET head_seq = 2, head_hash = "
        "(SELECT hash FROM entries WHERE writer = 2 AND seq = 2) WHERE writer = 2",
    )
    assert (report.gaps, report.broken_links, report.beyond_head) == (0, 0, 1)


def test_writer_removed_altogether(data_dir: Path) -> None:
    rows(data_dir / LEDGER, "DELETE FROM entries WHERE writer = 2")
    report = after(data_dir, "DELETE FROM writers WHERE writer = 2")
    assert report.findings == ("Writer 2 is missing; the projection has seen 3 of its entries.",)


def test_writer_removed_from_the_middle(data_dir: Path) -> None:
    record(data_dir, pairs(1)[:1])
    rows(data_dir / LEDGER, "DELETE FROM writers WHERE writer = 2")
    report = verify(data_dir)
    assert "Writer 3 is not chained to the one before it." in report.findings
    assert "3 entries belong to no known writer." in report.findings


def test_number_of_a_lost_writer_is_not_used_again(data_dir: Path) -> None:
    rows(data_dir / LEDGER, "DELETE FROM writers WHERE writer = 2")
    record(data_dir, [])
    assert rows(data_dir / LEDGER, "SELECT max(writer) FROM writers") == [(3,)]


def test_any_flipped_byte_of_any_entry(data_dir: Path) -> None:
    rng = Random(5)
    for writer, seq, body, entry_hash in rows(
        data_dir / LEDGER, "SELECT writer, seq, body, hash FROM entries"
    ):
        for column, value in (("body", body), ("hash", entry_hash)):
            flipped = bytearray(value)
            flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            place = f"WHERE writer = {writer} AND seq = {seq}"
            change = f"UPDATE entries SET {column} = x'%s' {place}"
            assert after(data_dir, change % flipped.hex()).broken_links >= 1
            rows(data_dir / LEDGER, change % value.hex())
    assert verify(data_dir).ok


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET kind = 'settle' WHERE writer = 1 AND seq = 3",
        "UPDATE entries SET kind = 'settlf' WHERE writer = 1 AND seq = 4",
        "UPDATE entries SET seq = 100 WHERE writer = 1 AND seq = 10",
        "UPDATE entries SET writer = 2, seq = 4 WHERE writer = 1 AND seq = 10",
        "UPDATE writers SET head_seq = 9 WHERE writer = 1",
        "UPDATE writers SET head_seq = 11 WHERE writer = 1",
        "UPDATE writers SET head_hash = randomblob(32) WHERE writer = 1",
        "UPDATE writers SET first_prev_hash = randomblob(32) WHERE writer = 1",
        "UPDATE writers SET first_prev_hash = zeroblob(32) WHERE writer = 2",
    ],
)
def test_changed_number_or_head(data_dir: Path, change: str) -> None:
    after(data_dir, change)


def test_byte_flipped_on_the_disk(data_dir: Path) -> None:
    path = data_dir / LEDGER
    content = bytearray(path.read_bytes())
    content[content.rindex(b"gpt-5-mini-2026-08-07") + 3] ^= 0x20
    path.write_bytes(content)
    assert verify(data_dir).broken_links == 1


@pytest.mark.parametrize("name", [LEDGER, "rollups.sqlite", "events-2026-11-23.sqlite"])
def test_file_that_is_no_database_any_more(data_dir: Path, name: str) -> None:
    content = bytearray((data_dir / name).read_bytes())
    content[:16] = b"not a database!!"
    (data_dir / name).write_bytes(content)
    report = verify(data_dir)
    assert report.damage >= 1
    assert not report.ok


def test_chained_but_not_a_record(data_dir: Path) -> None:
    ledger = data_dir / LEDGER
    [(head,)] = rows(ledger, "SELECT head_hash FROM writers WHERE writer = 2")
    forged = link(head, (2, 4), kind="settle", body=b"{}").hex()
    rows(ledger, f"INSERT INTO entries VALUES (2, 4, 'settle', x'7b7d', x'{forged}')")
    report = after(
        data_dir, f"UPDATE writers SET head_seq = 4, head_hash = x'{forged}' WHERE writer = 2"
    )
    assert report.findings == ("Entry 4 of writer 2 cannot be read.",)


def contents(data_dir: Path) -> list[tuple[object, ...]]:
    """All that a verification must vouch for."""
    found = rows(data_dir / LEDGER, "SELECT * FROM entries")
    return found + rows(
        data_dir / LEDGER, "SELECT writer, first_prev_hash, head_seq, head_hash FROM writers"
    )


def test_any_flipped_bit_of_the_file(data_dir: Path) -> None:
    path = data_dir / LEDGER
    original, expected = path.read_bytes(), contents(data_dir)
    rng = Random(11)
    found = 0
    for _ in range(300):
        flipped = bytearray(original)
        # The pages of writers and entries; the first one is the schema's.
        flipped[rng.randrange(4096, len(flipped))] ^= 1 << rng.randrange(8)
        path.write_bytes(flipped)
        report = verify(data_dir)
        try:
            unchanged = contents(data_dir) == expected
        except sqlite3.DatabaseError:
            unchanged = False
        assert unchanged or not report.ok
        found += not report.ok
    assert found > 50


def test_page_overwritten(data_dir: Path) -> None:
    path = data_dir / LEDGER
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 100] = os.urandom(100)
    path.write_bytes(content)
    assert not verify(data_dir).ok


async def _copy_with_log(source: Path, target: Path) -> None:
    ledger = open_ledger(source, CLOCK)
    for entry in range(50):
        await ledger.record_intent(intent(f"inf_{entry}"))
    catch_up(source)
    shutil.copytree(source, target)
    await ledger.close()


def test_tail_of_the_log_lost_beyond_the_projection(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    asyncio.run(_copy_with_log(tmp_path / "data", copy))
    assert verify(copy).entries == 50
    shutil.rmtree(copy)
    shutil.rmtree(tmp_path / "data")
    asyncio.run(_copy_with_log(tmp_path / "data", copy))
    log = copy / "ledger.sqlite-wal"
    os.truncate(log, log.stat().st_size * 2 // 3)
    report = verify(copy)
    assert 0 < report.entries < 50
    assert (report.gaps, report.broken_links, report.beyond_head) == (0, 0, 1)


def test_doubled_settle(tmp_path: Path) -> None:
    record(tmp_path, [intent("inf_1"), settle("inf_1"), settle("inf_1")])
    report = verify(tmp_path)
    assert report.doubles == 1
    assert report.findings == ("Attempt 1 of inf_1 has a second settle.",)


def test_settle_without_intent(tmp_path: Path) -> None:
    record(tmp_path, [intent("inf_1", attempt=2), settle("inf_1")])
    assert verify(tmp_path).findings == ("Attempt 1 of inf_1 has a settle but no intent.",)


def test_doubled_intent(tmp_path: Path) -> None:
    record(tmp_path, [*pairs(1), intent("inf_000000")])
    assert verify(tmp_path).doubles == 1


def test_many_findings_are_counted_and_the_first_hundred_told(tmp_path: Path) -> None:
    record(tmp_path, [settle(f"inf_{number}") for number in range(150)])
    report = verify(tmp_path)
    assert report.doubles == 150
    assert len(report.findings) == 100


async def _in_flight(data_dir: Path) -> VerifyReport:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_live"))
    report = verify(data_dir)
    await ledger.close()
    return report


def test_in_flight_is_not_unsettled(tmp_path: Path) -> None:
    report = asyncio.run(_in_flight(tmp_path))
    assert (report.in_flight, report.unsettled) == (1, 0)
    assert report.ok
    report = verify(tmp_path)
    assert (report.in_flight, report.unsettled, report.unsettled_nanousd) == (0, 1, 5_000)
