"""What a reader keeps of closed days is what the files say, whoever writes them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, pair, record, rows, settle
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_reader, rebuild
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

HOUR_NS = 3_600 * NS_PER_S
SPAN = (NOON_NS - DAY_NS, NOON_NS + 9 * DAY_NS)


@pytest.fixture(autouse=True)
def short_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that rows are written, and days closed, at once."""
    monkeypatch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", 1)


def traffic(days: int = 5, users: int = 7) -> list[Record]:
    entries: list[Record] = []
    for number in range(days * 40):
        inference_id = f"inf_{number:04}"
        user = number % users
        entries += [
            intent(
                inference_id,
                started_ns=NOON_NS + number * DAY_NS // 40,
                caller=Caller("key_1", "search", f"user{user}", ""),
                model=f"model{number % 3}",
            ),
            settle(
                inference_id,
                cost_nanousd=0 if user == 2 else 1_000 + number,
                latency_us=1_000 * (number + 1),
            ),
        ]
    return entries


def late(inference_id: str, user: str) -> list[Record]:
    """Of the second day, which was closed long ago."""
    caller = Caller("key_1", "search", user, "")
    return [
        intent(inference_id, started_ns=NOON_NS + DAY_NS, caller=caller, model="model1"),
        settle(inference_id, cost_nanousd=77_000, latency_us=9_000_000),
    ]


def answers(reader: Reader) -> list[Any]:
    """In each of the ways in which closed days are asked for."""
    users = ["user3", "user5", "nobody", "late"]
    return [
        reader.usage_by("user", *SPAN, values=users, measures=("cost",)),
        reader.usage_by("user", *SPAN, values=[*users, "user1"], measures=("cost",)),
        reader.usage_by("user", *SPAN),
        reader.usage_by("model", *SPAN, measures=("latency", "ttft")),
        reader.usage_by("total", *SPAN, values=[""]),
        reader.usage_over_time("user", "user3", *SPAN, step_s=21_600),
        reader.usage_over_time("total", "", *SPAN, step_s=7 * 86_400),
        reader.cost_per_user(*SPAN),
        reader.cost_per_user(NOON_NS + HOUR_NS, NOON_NS + 3 * DAY_NS),
    ]


def closed(data_dir: Path) -> dict[int, int]:
    return dict(rows(data_dir / "rollups.sqlite", "SELECT start_s, closed FROM days WHERE closed"))


def assert_true(reader: Reader, data_dir: Path) -> list[Any]:
    """The same answers from a reader that has kept nothing; twice, for what is kept by then."""
    found = answers(reader)
    assert found == answers(open_reader(data_dir, CLOCK))
    assert found == answers(reader)
    return found


def test_a_late_one_is_seen(tmp_path: Path) -> None:
    record(tmp_path, traffic())
    reader = open_reader(tmp_path, CLOCK)
    before = assert_true(reader, tmp_path)
    stamps = closed(tmp_path)
    assert len(stamps) >= 3
    record(tmp_path, late("inf_late", "user3"))
    changed = {day_s for day_s, stamp in closed(tmp_path).items() if stamps[day_s] != stamp}
    assert changed == {(NOON_NS + DAY_NS) // DAY_NS * 86_400}
    after = assert_true(reader, tmp_path)
    assert all(first != second for first, second in zip(before, after, strict=True))
    record(tmp_path, late("inf_later", "late"))
    assert assert_true(reader, tmp_path)[-1]["late"] == 77_000


def test_what_is_kept_is_not_read_again(tmp_path: Path) -> None:
    record(tmp_path, traffic())
    reader = open_reader(tmp_path, CLOCK)

    def requests() -> int:
        return sum(group.requests for group in reader.usage_by("model", *SPAN))

    assert requests() == 200
    rows(
        tmp_path / "rollups.sqlite",
        "UPDATE rollups SET requests = requests + 1000 WHERE tier_s = 86400 "
        f"AND dimension = 'model' AND start_s = {(NOON_NS + DAY_NS) // DAY_NS * 86_400}",
    )
    assert requests() == 200
    rows(tmp_path / "rollups.sqlite", "UPDATE days SET closed = closed + 1 WHERE closed")
    assert requests() == 3_200


def test_a_rebuild_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("trimtab.store.sqlite.projector._CHUNK", 1)
        record(tmp_path, traffic(users=40))
    reader = open_reader(tmp_path, CLOCK)
    before = assert_true(reader, tmp_path)
    stamps, ids = closed(tmp_path), "SELECT id, user FROM users ORDER BY id"
    users = rows(tmp_path / "rollups.sqlite", ids)
    rebuild(tmp_path)  # in large chunks, so that users get their ids in another order
    assert rows(tmp_path / "rollups.sqlite", ids) != users
    assert not set(closed(tmp_path).values()) & set(stamps.values())
    assert assert_true(reader, tmp_path) == before


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("kept._MOST_TOTALS", 0),
        ("kept._MOST_TOTALS", 5),
        ("rollup_rows._MOST_AT_ONCE", 2),
        ("user_costs._MOST_USERS", 3),
    ],
)
def test_limits_change_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int
) -> None:
    record(tmp_path, traffic())
    expected = answers(open_reader(tmp_path, CLOCK))
    monkeypatch.setattr(f"trimtab.store.sqlite.{name}", most)
    assert assert_true(open_reader(tmp_path, CLOCK), tmp_path) == expected


def test_many_ranges_in_turns(tmp_path: Path) -> None:
    record(tmp_path, traffic(days=9))
    reader = open_reader(tmp_path, CLOCK)
    ask: Callable[[Reader, int], object] = lambda reader, days: reader.cost_per_user(  # noqa: E731
        NOON_NS - HOUR_NS, NOON_NS + days * DAY_NS
    )
    for days in (1, 2, 3, 4, 5, 6, 7, 1, 2, 7):
        assert ask(reader, days) == ask(open_reader(tmp_path, CLOCK), days)


def test_a_young_project_has_nothing_to_keep(tmp_path: Path) -> None:
    record(tmp_path, pair("inf_1"))
    reader = open_reader(tmp_path, CLOCK)
    assert closed(tmp_path) == {}
    assert reader.cost_per_user(*SPAN) == {"ann": 1_200}
    record(tmp_path, pair("inf_2", caller=Caller("", "", "bob", "")))
    assert_true(reader, tmp_path)
    assert reader.cost_per_user(*SPAN) == {"ann": 1_200, "bob": 1_200}
