import asyncio
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from store.processes import child, lines
from store.samples import (
    CLOCK,
    DAY_NS,
    NOON_NS,
    derived,
    intent,
    pair,
    pairs,
    record,
    rows,
    settle,
    thumb,
)
from trimtab.store.chain import Record
from trimtab.store.records import Event, EventQuery, GroupSummary
from trimtab.store.sqlite import catch_up, open_ledger, open_reader, rebuild
from trimtab.store.sqlite.event_rows import TABLE_COLUMNS, WRITTEN_COLUMNS
from trimtab.store.sqlite.files import day_db
from trimtab.store.sqlite.projector import Projector
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller
from trimtab.types.usage import Usage


def total(data_dir: Path) -> GroupSummary:
    [summary] = open_reader(data_dir, CLOCK).usage_by("total", NOON_NS, NOON_NS + 1)
    return summary


def event(data_dir: Path, inference_id: str) -> Event:
    found = open_reader(data_dir, CLOCK).event(inference_id)
    assert found is not None
    return found


def fallback() -> list[Record]:
    """A first attempt that timed out, and a second one, at another model, that went well."""
    return [
        intent("inf_1"),
        settle(
            "inf_1",
            final=False,
            outcome="timeout",
            cost_nanousd=300,
            usage=Usage(input_tokens=10),
            usage_source="estimated",
        ),
        intent("inf_1", attempt=2, cause="fallback", rung=1, provider="local", model="smol"),
        settle("inf_1", attempt=2, latency_us=3_000_000),
    ]


def test_several_attempts_are_one_inference(tmp_path: Path) -> None:
    record(tmp_path, fallback())
    found = event(tmp_path, "inf_1")
    assert (found.attempts, found.cost_nanousd, found.input_tokens) == (2, 1_500, 110)
    assert (found.outcome, found.provider, found.usage_source) == ("ok", "local", "estimated")
    summary = total(tmp_path)
    assert (summary.requests, summary.ok, summary.timeouts) == (1, 1, 0)
    assert (summary.cost_nanousd, summary.estimated_nanousd) == (1_500, 300)
    assert summary.cost_histogram.percentile(0.5) == pytest.approx(1_500, rel=0.01)
    models = open_reader(tmp_path, CLOCK).usage_by("model", NOON_NS, NOON_NS + 1)
    assert [(m.value, m.requests, m.cost_nanousd) for m in models] == [
        ("local:smol", 1, 1_200),
        ("openai:gpt-5-mini", 0, 300),
    ]


def test_hedge_that_lost_adds_its_cost_only(tmp_path: Path) -> None:
    lost = settle("inf_1", final=False, outcome="cancelled", cost_nanousd=40)
    record(
        tmp_path,
        [intent("inf_1"), intent("inf_1", attempt=2), settle("inf_1", attempt=2), lost],
    )
    found = event(tmp_path, "inf_1")
    assert (found.outcome, found.attempts, found.cost_nanousd) == ("ok", 2, 1_240)
    assert (total(tmp_path).requests, total(tmp_path).cost_nanousd) == (1, 1_240)
    assert rows(tmp_path / "rollups.sqlite", "SELECT * FROM open_inferences") == []


@pytest.mark.parametrize("chunk", [1, 2, 3])
def test_chunks_make_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    entries = [*pairs(3), *fallback(), intent("inf_open"), *pair("inf_z", started_ns=NOON_NS + 1)]
    entries.insert(3, thumb("inf_1"))
    record(tmp_path / "whole", entries)
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", chunk)
    record(tmp_path / "chunked", entries)
    whole, chunked = derived(tmp_path / "whole"), derived(tmp_path / "chunked")
    del whole["cursors"], chunked["cursors"]
    assert chunked == whole


def test_inferences_that_are_alike_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries: list[Record] = []
    for number in range(90):
        name, kind = f"inf_{number:06}", number % 3
        caller = Caller("key_1", "search", f"user {number % 7}" if kind else "", f"s{number}")
        began = {"caller": caller, "started_ns": NOON_NS + number * 50 * NS_PER_S}
        ended = {"cost_nanousd": 1_000 + number, "latency_us": 500 + number, "ttft_us": None}
        entries.append(intent(name, route=f"route {kind}", hold_nanousd=number, **began))
        usage = Usage(*range(number, number + 9))
        outcome = "error" if kind == 1 else "ok"
        entries.append(settle(name, outcome=outcome, usage=usage, **ended))
    record(tmp_path / "together", entries)
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", 4)
    record(tmp_path / "apart", entries)
    together, apart = derived(tmp_path / "together"), derived(tmp_path / "apart")
    del together["cursors"], apart["cursors"]
    assert together == apart
    found = event(tmp_path / "together", "inf_000031")
    assert (found.route, found.outcome, found.user) == ("route 1", "error", "user 3")
    assert (found.input_tokens, found.output_tokens, found.cost_nanousd) == (31, 35, 1_031)


def test_columns_that_are_written_are_those_of_the_table(tmp_path: Path) -> None:
    with closing(day_db(tmp_path, "2026-11-23")) as db:
        table = [row[1] for row in db.execute("PRAGMA table_info(events)")]
    assert list(TABLE_COLUMNS) == table
    assert sorted(WRITTEN_COLUMNS) == sorted(table)


def test_rebuild_gives_the_same_again(tmp_path: Path) -> None:
    first_day = [*pairs(20), *fallback(), intent("inf_open")]
    record(tmp_path, [*first_day, *pair("inf_next_day", started_ns=NOON_NS + DAY_NS)])
    before = derived(tmp_path)
    rows(tmp_path / "events-2026-11-23.sqlite", "UPDATE events SET cost_nanousd = 0")
    rows(tmp_path / "rollups.sqlite", "DELETE FROM tail")
    rows(tmp_path / "events-2026-11-23.sqlite", "INSERT INTO bodies VALUES ('inf_1', x'', x'')")
    report = rebuild(tmp_path)
    assert (report.entries, report.events, report.days) == (47, 22, 2)
    assert derived(tmp_path) == before
    kept = rows(tmp_path / "events-2026-11-23.sqlite", "SELECT inference_id FROM bodies")
    assert kept == [("inf_1",)]


async def _record_only(data_dir: Path, entries: list[Record]) -> None:
    """Like a process that dies before it projects anything."""
    ledger = open_ledger(data_dir, CLOCK)
    for entry in entries:
        ledger.record_settle(entry)  # pyright: ignore[reportArgumentType] - it takes either kind
    await ledger.close()


def test_exactly_once_from_three_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("trimtab.store.sqlite.projection_thread.ProjectionThread._look", _nothing)
        asyncio.run(_record_only(tmp_path, pairs(8_000)))
    with ExitStack() as stack:
        others = [stack.enter_context(child("project", tmp_path)) for _ in range(2)]
        mine = catch_up(tmp_path)
        done = [mine, *(int(next(lines(other))) for other in others)]
    assert sum(done) == 16_000
    assert total(tmp_path).requests == 8_000
    assert total(tmp_path).cost_nanousd == 8_000 * 1_200
    before = derived(tmp_path)
    rebuild(tmp_path)
    assert derived(tmp_path) == before


def _nothing(_: object) -> None:
    """Stands in for the projection thread's look."""


def test_death_between_events_and_rollups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trimtab.store.sqlite.projection_thread.ProjectionThread._look", _nothing)
        asyncio.run(_record_only(tmp_path, [*pairs(10), *fallback()]))
        patch.setattr("trimtab.store.sqlite.projector.add_samples", power_cut)
        with closing(Projector(tmp_path)) as projector, pytest.raises(KeyboardInterrupt):
            projector.catch_up()
    day = tmp_path / "events-2026-11-23.sqlite"
    assert rows(day, "SELECT count(*) FROM events") == [(11,)]
    assert total(tmp_path).requests == 11
    assert event(tmp_path, "inf_1").cost_nanousd == 1_500


def test_doubles_and_orphans_are_not_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, [*pairs(1), settle("inf_000000"), settle("inf_unknown")])
    assert total(tmp_path).requests == 1
    assert "settled twice or never begun" in caplog.text


def test_entry_that_cannot_be_read_does_not_stop_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    record(tmp_path, pairs(2))
    rows(tmp_path / "ledger.sqlite", "UPDATE entries SET body = x'7b' WHERE seq = 2")
    rebuild(tmp_path)
    assert total(tmp_path).requests == 1
    assert "Entry 2 of writer 1 cannot be read" in caplog.text


async def _projected_while_running(data_dir: Path) -> list[tuple[object, ...]]:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_1"))
    await ledger.record_settle(settle("inf_1"))
    found: list[tuple[object, ...]] = []
    while not found:
        await asyncio.sleep(0.01)
        path = data_dir / "events-2026-11-23.sqlite"
        if path.exists() and rows(path, "PRAGMA user_version") != [(0,)]:
            found = rows(path, "SELECT inference_id FROM events")
    await ledger.close()
    return found


def test_running_gateway_projects_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.projection_thread._INTERVAL_S", 0.01)
    assert asyncio.run(_projected_while_running(tmp_path)) == [("inf_1",)]


async def _projection_in_trouble(data_dir: Path) -> None:
    (data_dir / "rollups.sqlite").mkdir()
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_1"))
    await ledger.record_settle(settle("inf_1"))
    await ledger.close()


def test_projection_in_trouble_does_not_touch_the_ledger(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.run(_projection_in_trouble(tmp_path))
    assert "fall behind the ledger" in caplog.text
    (tmp_path / "rollups.sqlite").rmdir()
    assert total(tmp_path).requests == 1


def test_days_around_midnight(tmp_path: Path) -> None:
    entries = [
        entry for day in range(5) for entry in pair(f"inf_{day}", started_ns=NOON_NS + day * DAY_NS)
    ]
    record(tmp_path, entries)
    assert len(list(tmp_path.glob("events-*.sqlite"))) == 5
    found = open_reader(tmp_path, CLOCK).event_page(
        EventQuery(since_ns=0, until_ns=NOON_NS + 9 * DAY_NS)
    )
    assert [e.inference_id for e in found.events] == [f"inf_{day}" for day in (4, 3, 2, 1, 0)]


def test_open_gateway_knows_no_key_and_no_team(tmp_path: Path) -> None:
    record(tmp_path, pair("inf_1", caller=Caller()))
    reader = open_reader(tmp_path, CLOCK)
    assert reader.usage_by("key", NOON_NS, NOON_NS + 1) == []
    assert reader.usage_by("team", NOON_NS, NOON_NS + 1) == []
    assert [group.value for group in reader.usage_by("user", NOON_NS, NOON_NS + 1)] == [""]


def test_sqlite_gives_back_every_value(tmp_path: Path) -> None:
    record(tmp_path, [intent("inf_1", streamed=False), settle("inf_1", ttft_us=None)])
    found = event(tmp_path, "inf_1")
    assert found.streamed is False
    assert found.ttft_us is None
    assert found.price_version == "2026-11-01"
    assert isinstance(sqlite3.sqlite_version, str)
