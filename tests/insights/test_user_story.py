"""One user's story and the parts of the bill, over a small ledger."""

from pathlib import Path

import msgspec
import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, record, settle
from trimtab.config.money import UserClass
from trimtab.insights import user_story as module
from trimtab.insights.spend_days import spend_between
from trimtab.insights.spend_groups import bill_of, spend_by
from trimtab.insights.spending import spend_per_user
from trimtab.insights.user_story import UserStory, user_story
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_reader, pages
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

NOW_NS = NOON_NS + 3_600 * NS_PER_S
WEEK = (NOW_NS - 7 * DAY_NS, NOW_NS)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    entries: list[Record] = []
    number = 0
    for ago in range(34, -1, -1):
        for user in ("ann", "ben", "cleo", "dan", "eve", "fay"):
            for turn in range(4 if ago == 0 and user == "ann" else 1):
                team = "search" if user < "c" else ""
                entries += [
                    intent(
                        f"inf_{number}",
                        started_ns=NOON_NS - ago * DAY_NS + turn * NS_PER_S,
                        caller=Caller("", team, user, f"s{ago}" if ago % 2 else ""),
                        model=f"model{number % 3}",
                    ),
                    settle(
                        f"inf_{number}",
                        cost_nanousd=100
                        + number % 10
                        + (90_000 if user == "ann" and not ago else 0),
                        outcome="timeout" if number % 7 == 0 else "ok",
                    ),
                ]
                number += 1
    entries += [
        intent("inf_open", started_ns=NOON_NS, caller=Caller("", "", "ann", "")),
        intent("inf_other", started_ns=NOON_NS, caller=Caller("", "", "ben", "")),
    ]
    record(tmp_path, entries)
    return open_reader(tmp_path, CLOCK)


def story(reader: Reader, user: str) -> UserStory:
    return user_story(reader, user, WEEK, now_ns=NOW_NS, classes={"vip": UserClass(users=("ann",))})


def test_it_is_the_line_of_the_report(reader: Reader):
    found = story(reader, "ann")
    report = spend_per_user(
        reader, *WEEK, classes={"vip": UserClass(users=("ann",))}, with_past=True
    )
    [line] = [user for user in report.users if user.user == "ann"]
    assert found.spend == msgspec.structs.replace(line, outlier="")
    assert line.unsettled_nanousd == 5_000
    assert [found.flagged] == [one for one in report.flagged if one.name == "ann"]
    assert found.flagged is not None
    past = next(reason for reason in found.flagged.reasons if reason.rule == "past")
    assert past.usual_nanousd == found.usual_nanousd
    assert (found.user_class, found.standing.rank, found.standing.count) == ("vip", 1, 6)


def test_days_sessions_and_models(reader: Reader):
    found = story(reader, "ann")
    assert len(found.days) == 30
    assert [day.requests for day in found.days] == [1] * 29 + [4]
    assert found.days[-1].since_ns == NOON_NS - NOON_NS % DAY_NS
    assert found.whole
    assert found.events == 31
    assert sum(one.turns for one in found.sessions) == found.events
    assert sum(one.inferences for one in found.models) == found.events
    unnamed = next(one for one in found.sessions if not one.session)
    assert (unnamed.turns, unnamed.last_ns) == (17, NOON_NS + 3 * NS_PER_S)
    assert unnamed == found.sessions[0]
    assert sum(one.cost_nanousd for one in found.sessions) == sum(
        one.cost_nanousd for one in found.models
    )
    assert sum(one.failures for one in found.sessions) > 0


def test_only_the_newest_inferences_are_read(reader: Reader, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_EVENTS", 5)
    found = story(reader, "ann")
    assert (found.events, found.whole) == (5, False)
    assert found.searched_to_ns == NOON_NS - DAY_NS


def test_a_search_that_ends_early_says_how_far_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pages, "_BUDGET_S", -1.0)
    monkeypatch.setattr(pages, "_BAND", 20)
    monkeypatch.setattr(pages, "_FEW", 0)
    entries: list[Record] = []
    for number in range(60):
        who = Caller("", "", "ann" if number % 2 else "ben", "")
        started_ns = NOON_NS + number * NS_PER_S
        entries.append(intent(f"inf_{number}", started_ns=started_ns, caller=who))
        entries.append(settle(f"inf_{number}"))
    record(tmp_path, entries)
    found = story(open_reader(tmp_path, CLOCK), "ann")
    assert not found.whole
    assert 0 < found.events < 30
    assert NOON_NS < found.searched_to_ns < NOON_NS + 60 * NS_PER_S


def test_nobody(reader: Reader):
    found = story(reader, "nobody")
    assert (found.spend, found.flagged, found.usual_nanousd, found.standing.rank) == (
        None, None, None, 0,
    )  # fmt: skip
    assert (found.sessions, found.models, found.events, found.whole) == ([], [], 0, True)
    assert [day.cost_nanousd for day in found.days] == [0] * 30


def test_every_split_adds_up_to_the_bill(reader: Reader):
    bill = bill_of(reader, *WEEK)
    assert (bill.unsettled, bill.unsettled_nanousd) == (2, 10_000)
    for by in ("model", "route", "team"):
        rows = spend_by(reader, by, *WEEK)
        for name in ("cost_nanousd", "requests", "estimated_nanousd"):
            assert sum(getattr(row, name) for row in rows) == getattr(bill, name)
        assert sum(row.share for row in rows) == pytest.approx(1)
        assert rows == sorted(rows, key=lambda row: -row.cost_nanousd)
        rest = [row for row in rows if not row.value]
        assert [row.median_nanousd for row in rest] == ([None] if by == "team" else [])
    assert spend_by(reader, "team", 0, DAY_NS) == []


def test_hours_and_days_add_up_too(reader: Reader):
    edges_ns = list(range(NOON_NS - 3 * DAY_NS, NOON_NS + DAY_NS + 1, DAY_NS))
    amounts = spend_between(reader, edges_ns)
    assert len(amounts) == 4
    assert sum(amounts) == bill_of(reader, edges_ns[0], edges_ns[-1]).cost_nanousd
    assert spend_between(reader, [0, DAY_NS]) == [0]
