"""Who stands out, asked of a real store, and what follows from it."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, record, settle
from trimtab.config.money import Outliers, UserClass
from trimtab.insights.concentration import Concentration, concentration
from trimtab.insights.key_spending import spend_per_key
from trimtab.insights.outlier_actions import outlier_alerts, sanctions
from trimtab.insights.outliers import (
    Flagged,
    OutlierReport,
    Reason,
    find_changes,
    find_peers,
    outlier_report,
)
from trimtab.insights.overview import overview
from trimtab.insights.spending import spend_per_user
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_ledger, open_reader
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller, Key

HOUR_NS = 3_600 * NS_PER_S
USD = 1_000_000_000
USERS = 25
POLICY = Outliers()
NOTHING = Concentration()


def call(at_ns: int, nanousd: int, *, user: str, key: str = "key_web") -> Iterator[Record]:
    """One inference."""
    inference_id = f"inf_{user}_{at_ns}"
    caller = Caller(key, "", user, "")
    yield intent(inference_id, started_ns=at_ns, caller=caller)
    yield settle(inference_id, cost_nanousd=nanousd, ended_ns=at_ns + NS_PER_S)


def history(rng: Random) -> Iterator[Record]:
    """Four weeks and a day up to noon of users who spend about 20 cents a day."""
    for ago in range(29):
        at_ns = NOON_NS - HOUR_NS - ago * DAY_NS
        for number in range(USERS):
            key = f"key_{number % 2}"
            usual = round(rng.lognormvariate(0, 0.4) * USD / 5)
            jumps = number == 7 and ago == 0
            yield from call(at_ns, usual * (20 if jumps else 1), user=f"user{number:02}", key=key)
        yield from call(at_ns, 30 * USD, user="whale", key="key_0")
        yield from call(at_ns, 9 * USD, user="", key="")
        if ago < 3:
            yield from call(at_ns, (3 - ago) ** 4 * USD // 400, user="newcomer", key="key_1")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("outliers")
    record(folder, history(Random(11)))
    return open_reader(folder, CLOCK)


def test_the_report_tells_who_and_why(reader: Reader) -> None:
    report = outlier_report(reader, NOON_NS, policy=POLICY)
    assert (report.since_ns, report.until_ns) == (NOON_NS - DAY_NS, NOON_NS)
    assert [(one.per, one.name) for one in report.flagged] == [
        ("user", "whale"),
        ("key", "key_1"),  # by which user07 asks
        ("user", "user07"),
    ]
    whale, key, jumped = report.flagged
    assert [reason.rule for reason in key.reasons] == ["past"]
    [among_peers] = whale.reasons
    assert among_peers.rule == "peers"
    assert among_peers.amount_nanousd == whale.amount_nanousd == 30 * USD
    assert whale.text == f"{among_peers.times:.1f}x the median user"
    assert 100 < among_peers.times < 200
    assert among_peers.score > among_peers.cutoff
    [own] = [reason for reason in jumped.reasons if reason.rule == "past"]
    assert own.text == f"{own.times:.1f}x its own usual day"
    assert 5 < own.times < 60
    assert own.usual_nanousd == pytest.approx(USD / 5, rel=0.3)
    # The requests without a user's name are a part of the whole, and nobody's.
    assert report.users.top_1 == pytest.approx(30 / 49, rel=0.1)
    assert report.keys.percent_count == 1


def test_nobody_is_flagged_below_the_least_amount(reader: Reader) -> None:
    policy = Outliers(least_usd=Decimal(20))
    report = outlier_report(reader, NOON_NS, policy=policy)
    assert [one.name for one in report.flagged] == ["whale"]
    assert outlier_report(reader, NOON_NS, policy=Outliers(least_usd=Decimal(31))).flagged == ()


def test_only_who_is_looked_at(reader: Reader) -> None:
    report = outlier_report(reader, NOON_NS, policy=Outliers(per=("key",)))
    assert [one.name for one in report.flagged] == ["key_1"]
    assert report.users == NOTHING
    assert report.keys.top_1 > 0.5


def test_an_hour_is_looked_at_as_a_whole(reader: Reader) -> None:
    report = outlier_report(reader, NOON_NS - HOUR_NS // 2, policy=Outliers(window_h=1))
    assert (report.since_ns, report.until_ns) == (NOON_NS - HOUR_NS, NOON_NS)
    assert "whale" in [one.name for one in report.flagged]


def test_of_an_empty_store_nothing_is_told(tmp_path: Path) -> None:
    record(tmp_path, [])
    report = outlier_report(open_reader(tmp_path, CLOCK), NOON_NS, policy=POLICY)
    assert (report.flagged, report.users, report.keys) == ((), NOTHING, NOTHING)


def test_the_bill_marks_them(reader: Reader) -> None:
    span = (NOON_NS - DAY_NS, NOON_NS)
    report = spend_per_user(reader, *span, with_past=True)
    marked = {user.user: user.outlier for user in report.users if user.outlier}
    assert marked == {one.name: one.text for one in report.flagged}
    assert set(marked) == {"whale", "user07"}
    assert report.concentration.top_1 == pytest.approx(30 * USD / report.cost_nanousd)
    without = spend_per_user(reader, *span, top=1)
    assert [user.user for user in without.users] == ["whale"]
    assert "its own" not in "".join(one.text for one in without.flagged)


def test_the_console_compares_within_classes_too(reader: Reader) -> None:
    classes = {"light": UserClass(users=("user*",))}
    found = overview(reader, NOON_NS - DAY_NS, NOON_NS, classes=classes)
    marked = {user.user: user.outlier for user in found.users if user.outlier}
    assert marked["whale"].endswith("x the median user")
    assert marked["user07"].endswith("x the median user of class light")


def test_the_bill_by_key(reader: Reader) -> None:
    known = [Key(key_id="key_0", name="web", prefix="tt_a", team="shop", created_ns=0)]
    report = spend_per_key(reader, NOON_NS - DAY_NS, NOON_NS, known=known)
    by_id = {key.key_id: key for key in report.keys}
    assert (by_id["key_0"].name, by_id["key_0"].team) == ("web", "shop")
    assert (by_id["key_1"].name, by_id[""].name) == ("", "")
    assert sum(key.cost_nanousd for key in report.keys) == report.cost_nanousd
    assert sum(key.share for key in report.keys) == pytest.approx(1)
    assert report.requests == USERS + 3
    assert by_id["key_0"].outlier == ""
    spent = spend_per_user(reader, NOON_NS - DAY_NS, NOON_NS)
    assert (report.cost_nanousd, report.requests) == (spent.cost_nanousd, spent.requests)


def test_a_key_that_jumps_and_one_with_an_open_end(tmp_path: Path) -> None:
    entries: list[Record] = []
    for ago in range(29):
        at_ns = NOON_NS - HOUR_NS - ago * DAY_NS
        entries += call(at_ns, USD * (40 if ago == 0 else 1), user="ann", key="key_a")
    entries.append(intent("inf_open", started_ns=NOON_NS - HOUR_NS, caller=Caller("key_b")))
    record(tmp_path, entries)
    reader = open_reader(tmp_path, CLOCK)
    known = [Key(key_id="key_b", name="batch", prefix="tt_b", team="lab", created_ns=0)]
    report = spend_per_key(reader, NOON_NS - DAY_NS, NOON_NS, known=known)
    jumped, still_open = report.keys
    assert jumped.outlier == "40.0x its own usual day"
    assert (still_open.name, still_open.team, still_open.requests) == ("batch", "lab", 0)
    assert still_open.unsettled_nanousd == report.unsettled_nanousd == 5_000
    users = spend_per_user(reader, NOON_NS - DAY_NS, NOON_NS).users
    assert [(user.user, user.unsettled_nanousd) for user in users] == [("ann", 0), ("", 5_000)]
    told = outlier_report(reader, NOON_NS, policy=Outliers(per=("key",)))
    assert [(one.per, one.name) for one in told.flagged] == [("key", "key_a")]


def test_what_is_under_way_is_not_unsettled(tmp_path: Path) -> None:
    async def asked() -> tuple[int, int]:
        ledger = open_ledger(tmp_path, CLOCK)
        try:
            await ledger.record_intent(intent("inf_now", started_ns=NOON_NS - HOUR_NS))
            reader = open_reader(tmp_path, CLOCK)
            span = (NOON_NS - DAY_NS, NOON_NS)
            keys, users = spend_per_key(reader, *span), spend_per_user(reader, *span)
            return keys.unsettled_nanousd, users.unsettled_nanousd
        finally:
            await ledger.close()

    assert asyncio.run(asked()) == (0, 0)


# ------------------------------------------------------------------ peers of the same class

CLASSES = {"pro": UserClass(users=("pro-*",)), "few": UserClass(users=("few-*",))}


def population() -> dict[str, int]:
    rng = Random(14)
    costs = {f"free-{i}": round(rng.lognormvariate(0, 0.4) * USD) for i in range(300)}
    costs |= {f"pro-{i}": round(rng.lognormvariate(3, 0.4) * USD) for i in range(30)}
    return costs | {"few-1": 3 * USD, "few-2": 2_000 * USD}


def test_users_are_compared_within_their_class() -> None:
    costs = population() | {"free-rich": 15 * USD, "pro-rich": 400 * USD}
    found = find_peers(costs, classes=CLASSES)
    assert set(found) == {"free-rich", "pro-rich", "few-2"}
    assert found["pro-rich"].text.endswith("x the median user of class pro")
    assert found["free-rich"].text.endswith("x the median user without a class")
    assert found["few-2"].text.endswith("x the median user")
    assert [found[name].user_class for name in ("pro-rich", "free-rich", "few-2")] == [
        "pro",
        "",
        "",
    ]
    assert 15 < found["pro-rich"].times < 25


def test_without_classes_a_class_hides_among_all() -> None:
    assert "free-rich" not in find_peers(population() | {"free-rich": 15 * USD})


def test_keys_have_no_class() -> None:
    costs = {f"pro-{i}": USD for i in range(30)} | {"pro-rich": 100 * USD, "": 5_000 * USD}
    [found] = find_peers(costs, per="key", classes=CLASSES).values()
    assert found.text == "100.0x the median key"


def test_where_all_users_are_in_large_classes() -> None:
    costs = {f"pro-{i}": USD for i in range(30)}
    assert find_peers(costs, classes=CLASSES) == {}
    assert find_peers({}, classes=CLASSES) == find_peers({}) == {}


# ------------------------------------------------------------------ whose past says nothing


@pytest.mark.parametrize(
    "active_days",
    [
        range(1, 14),  # came thirteen days ago
        range(8, 28, 4),  # five times in four weeks
    ],
)
def test_newcomers_and_rare_guests_are_not_judged(active_days: range) -> None:
    def read(since_ns: int, until_ns: int) -> dict[str, int]:
        ago = (NOON_NS - DAY_NS - since_ns) // DAY_NS
        if since_ns == NOON_NS - DAY_NS:
            return {"ann": 500 * USD}
        return {"ann": USD} if ago + 1 in active_days else {"ben": until_ns}

    assert find_changes(read, NOON_NS) == {}


def test_the_past_is_not_asked_for_where_nobody_spent_enough() -> None:
    asked: list[int] = []

    def read(since_ns: int, until_ns: int) -> dict[str, int]:
        asked.append(until_ns)
        return {"ann": USD, "": 1_000 * USD}

    assert find_changes(read, NOON_NS, least_nanousd=2 * USD) == {}
    assert asked == [NOON_NS]


# ------------------------------------------------------------------ what is done about it


def reason(**changes: Any) -> Reason:
    values: dict[str, Any] = {
        "rule": "peers",
        "text": "14.0x the median user",
        "amount_nanousd": 14 * USD,
        "usual_nanousd": USD,
        "times": 14.0,
        "score": 6.5,
        "cutoff": 3.6,
    }
    return Reason(**(values | changes))


def report_of(*flagged: Flagged) -> OutlierReport:
    span = {"since_ns": NOON_NS - DAY_NS, "until_ns": NOON_NS}
    return OutlierReport(flagged=flagged, users=NOTHING, keys=NOTHING, **span)


ANA = Flagged(per="user", name="ana", reasons=(reason(),))
BOTH = Flagged(
    per="key",
    name="key_1",
    reasons=(
        reason(),
        reason(rule="past", text="9.0x its own usual day", amount_nanousd=9 * USD, times=9.04),
    ),
)


def test_sanctions_last_until_the_next_looks() -> None:
    policy = Outliers(actions=("alert", "throttle", "downgrade", "throttle"), every_s=600)
    found = sanctions(report_of(ANA), policy, now_ns=NOON_NS)
    assert [(one.per, one.subject, one.action) for one in found] == [
        ("user", "ana", "throttle"),
        ("user", "ana", "downgrade"),
    ]
    assert {one.reason for one in found} == {"14.0x the median user"}
    assert {one.until_ns for one in found} == {NOON_NS + 1_200 * NS_PER_S}
    assert sanctions(report_of(), policy, now_ns=NOON_NS) == []


def test_by_default_people_are_told_and_nothing_is_done() -> None:
    assert sanctions(report_of(ANA), POLICY, now_ns=NOON_NS) == []
    [alert] = outlier_alerts(report_of(ANA), POLICY, now_ns=NOON_NS, time_zone="UTC")
    assert alert.kind == "outlier"
    assert alert.key == "outlier/user/ana/2026-11-23"
    assert alert.at_ns == NOON_NS
    assert alert.message == "User 'ana' spent $14.00 in the last 24 h, 14.0x the median user."
    assert alert.facts == {
        "user": "ana",
        "peers_nanousd": 14 * USD,
        "peers_usual_nanousd": USD,
        "peers_times": 14.0,
    }


def test_both_reasons_and_the_name_of_a_key() -> None:
    [alert] = outlier_alerts(
        report_of(BOTH),
        POLICY,
        now_ns=NOON_NS,
        time_zone="UTC",
        key_names={"key_1": "web"},
    )
    assert alert.message == (
        "Key 'web' spent $14.00 in the last 24 h, 14.0x the median user; "
        "and $9.00 in the last 24 h, 9.0x its own usual day."
    )
    assert alert.facts["key"] == "key_1"
    assert alert.facts["past_times"] == 9.0
    assert msgspec.structs.replace(BOTH).text == (
        "14.0x the median user and 9.0x its own usual day"
    )


def test_the_day_is_that_of_the_time_zone() -> None:
    keys = {
        zone: outlier_alerts(report_of(ANA), POLICY, now_ns=NOON_NS, time_zone=zone)[0].key
        for zone in ("Pacific/Auckland", "Europe/Berlin")
    }
    assert keys["Pacific/Auckland"].endswith("/2026-11-24")
    assert keys["Europe/Berlin"].endswith("/2026-11-23")


def test_without_alert_nobody_is_told() -> None:
    policy = Outliers(actions=("throttle",))
    assert outlier_alerts(report_of(ANA), policy, now_ns=NOON_NS, time_zone="UTC") == []


def test_names_from_outside_stay_one_short_line_and_apart() -> None:
    names = ["a\nFAKE: all is well", "a\rFAKE: all is well", "x" * 1_000, "x" * 1_001, "\ud800"]
    flagged = [Flagged(per="user", name=name, reasons=(reason(),)) for name in names]
    alerts = outlier_alerts(report_of(*flagged), POLICY, now_ns=NOON_NS, time_zone="UTC")
    assert len({alert.key for alert in alerts}) == len(names)
    for alert in alerts:
        assert alert.message.isprintable()
        assert len(alert.message) < 250
        assert str(alert.facts["user"]).isprintable()


# ------------------------------------------------------------------ shares of the few


def test_shares_of_the_few_at_the_top() -> None:
    costs = {f"user{i}": 1 for i in range(198)} | {"a": 100, "b": 50, "": 52, "nothing": 0}
    assert concentration(costs) == Concentration(
        count=200, top_1=0.25, top_5=153 / 400, top_percent=0.375, percent_count=2
    )


def test_shares_of_nothing() -> None:
    assert concentration({}) == concentration({"": 5, "a": 0}) == NOTHING
