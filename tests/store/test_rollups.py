"""The tail, closed days and series: answers are the same wherever a sample lies."""

import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, derived, intent, pair, record, rows, settle
from trimtab.errors import StoreError, UsageError
from trimtab.store.chain import Record
from trimtab.store.sqlite import forget_days, open_reader, rebuild
from trimtab.store.sqlite.tiers import Span, apart
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

HOUR_NS = 3_600 * NS_PER_S
DAY_S = 86_400


def traffic(count: int) -> Iterator[Record]:
    """Over four days, some of them late: settled after later ones."""
    rng = Random(11)
    for number in range(count):
        inference_id = f"inf_{number:04}"
        late_ns = DAY_NS * rng.randrange(3) if number % 20 == 0 else 0
        user = f"user{rng.randrange(9)}"
        yield intent(
            inference_id,
            started_ns=max(NOON_NS + number * 4 * DAY_NS // count - late_ns, NOON_NS),
            caller=Caller(rng.choice(["", "key_1"]), rng.choice(["", "search"]), user, ""),
        )
        yield settle(
            inference_id,
            cost_nanousd=rng.randrange(5_000),
            latency_us=int(1_000 * rng.paretovariate(0.8)),
            ttft_us=None if number % 3 else rng.randrange(1_000),
        )


@pytest.mark.parametrize("most_in_tail", [1, 50, 400])
def test_the_tail_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_in_tail: int
) -> None:
    record(tmp_path / "in tail", traffic(500))
    assert rows(tmp_path / "in tail" / "rollups.sqlite", "SELECT count(*) FROM rollups") == [(0,)]
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", most_in_tail)
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", 30)
    record(tmp_path / "in rows", traffic(500))
    rollups = tmp_path / "in rows" / "rollups.sqlite"
    assert rows(rollups, "SELECT count(*) FROM rollups") > [(100,)]
    assert len(rows(rollups, "SELECT 1 FROM days WHERE closed")) >= 2
    in_tail, in_rows = derived(tmp_path / "in tail"), derived(tmp_path / "in rows")
    assert in_rows.keys() == in_tail.keys()
    for name, there in in_tail.items():
        assert in_rows[name] == there, name


def test_days_that_are_over_have_their_indexes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", 1)
    record(tmp_path, [*pair("inf_1"), *pair("inf_2", started_ns=NOON_NS + DAY_NS)])
    sql = "SELECT count(*) FROM sqlite_master WHERE name = 'events_by_cost'"
    assert rows(tmp_path / "events-2026-11-23.sqlite", sql) == [(1,)]
    assert rows(tmp_path / "events-2026-11-24.sqlite", sql) == [(0,)]


def test_a_series_has_the_steps_that_saw_anything(tmp_path: Path) -> None:
    for hours in (0, 1, 5):
        record(tmp_path, pair(f"inf_{hours}", started_ns=NOON_NS + hours * HOUR_NS))
    reader = open_reader(tmp_path, CLOCK)

    def starts(step_s: int, since_ns: int = NOON_NS, until_ns: int = NOON_NS + DAY_NS) -> list[int]:
        found = reader.usage_over_time("user", "ann", since_ns, until_ns, step_s=step_s)
        assert all(s.until_ns - s.since_ns == step_s * NS_PER_S for s in found)
        return [(step.since_ns - NOON_NS) // HOUR_NS for step in found]

    assert starts(3_600) == [0, 1, 5]
    assert starts(7_200) == [0, 4]
    assert starts(3_600, NOON_NS + HOUR_NS + 5, NOON_NS + HOUR_NS + 6) == [1]
    [day] = reader.usage_over_time("total", "", NOON_NS, NOON_NS + 1, step_s=86_400)
    assert day.requests == 3
    assert reader.usage_over_time("user", "bob", 0, NOON_NS + DAY_NS, step_s=86_400) == []
    for step_s in (60, 0, -3_600, 5_000):
        with pytest.raises(UsageError, match="multiple of 3600"):
            starts(step_s)


def test_whole_closed_days_are_set_apart() -> None:
    hours = Span(3_600, DAY_S - 7_200, 5 * DAY_S + 3_600)
    whole, left = apart([hours], {0, DAY_S, 3 * DAY_S, 4 * DAY_S, 5 * DAY_S})
    assert whole == [Span(3_600, day * DAY_S, (day + 1) * DAY_S) for day in (1, 3, 4)]
    assert left == [
        Span(3_600, DAY_S - 7_200, DAY_S),
        Span(3_600, 2 * DAY_S, 3 * DAY_S),
        Span(3_600, 5 * DAY_S, 5 * DAY_S + 3_600),
    ]
    assert apart([Span(DAY_S, 0, DAY_S)], {0}) == ([Span(DAY_S, 0, DAY_S)], [])
    assert apart([Span(60, 60, 120), hours], ()) == ([], [Span(60, 60, 120), hours])


def test_some_values_only(tmp_path: Path) -> None:
    record(tmp_path, traffic(300))
    reader = open_reader(tmp_path, CLOCK)
    everyone = {group.value: group for group in reader.usage_by("user", 0, NOON_NS + 9 * DAY_NS)}
    some = reader.usage_by("user", 0, NOON_NS + 9 * DAY_NS, values=["user3", "user7", "nobody"])
    assert {group.value: group for group in some} == {
        name: everyone[name] for name in ("user3", "user7")
    }
    costs = reader.cost_per_user(0, NOON_NS + 9 * DAY_NS)
    assert costs == {name: group.cost_nanousd for name, group in everyone.items()}


def test_any_thread_may_ask(tmp_path: Path) -> None:
    record(tmp_path, traffic(200))
    reader = open_reader(tmp_path, CLOCK)
    expected = reader.usage_by("user", 0, NOON_NS + 9 * DAY_NS)
    found: list[object] = []

    def ask() -> None:
        for _ in range(10):
            assert reader.event("inf_0007") is not None
            found.append(reader.usage_by("user", 0, NOON_NS + 9 * DAY_NS))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 60
    assert all(answer == expected for answer in found)


def test_a_reader_sees_files_that_were_made_anew(tmp_path: Path) -> None:
    record(tmp_path, pair("inf_1"))
    reader = open_reader(tmp_path, CLOCK)
    assert reader.event("inf_1") is not None
    for path in [*tmp_path.glob("events-*"), *tmp_path.glob("rollups*")]:
        path.unlink()
    assert reader.event("inf_1") is not None
    assert [group.requests for group in reader.usage_by("total", 0, NOON_NS + 1)] == [1]


def test_a_day_that_was_deleted_is_let_go(tmp_path: Path) -> None:
    record(tmp_path, [*pair("inf_1"), *pair("inf_2", started_ns=NOON_NS + DAY_NS)])
    reader = open_reader(tmp_path, CLOCK)
    assert reader.event("inf_1") is not None
    forget_days(tmp_path, NOON_NS + 9 * DAY_NS, 8)
    assert reader.event("inf_1") is None
    held = [link.resolve() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    gone = [path for path in held if path.parent == tmp_path.resolve() and "deleted" in path.name]
    assert not [path for path in gone if path.name.startswith("events-2026-11-23")]
    assert reader.first_day() == "2026-11-24"


def test_files_of_an_older_trimtab_are_made_anew_by_rebuild(tmp_path: Path) -> None:
    record(tmp_path, pair("inf_1"))
    for name in ("rollups.sqlite", "events-2026-11-23.sqlite"):
        rows(tmp_path / name, "PRAGMA user_version = 1")
    with pytest.raises(StoreError, match="trimtab ledger rebuild"):
        open_reader(tmp_path, CLOCK)
    assert rebuild(tmp_path).events == 1
    assert open_reader(tmp_path, CLOCK).event("inf_1") is not None
