"""Alerts from a sink to a receiver, with everything that may come between."""

import logging
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerts.receiver import Planned, free_port, running_receiver, webhook
from alerts.samples import CLOCK, QUICK, alert, deliveries, open_outbox, settings, states, told
from harness import wait_until
from trimtab.alerts.outbox import KEPT_S, Outbox
from trimtab.alerts.outbox_file import OutboxFile
from trimtab.alerts.records import Delivery
from trimtab.alerts.schedule import Schedule
from trimtab.errors import StoreError
from trimtab.testing import FrozenClock
from trimtab.types.alerts import Alert
from trimtab.types.clock import NS_PER_S


def test_an_alert_arrives_with_all_that_it_says(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        outbox.put(alert())
        wait_until(lambda: states(tmp_path) == ["delivered"])
    (request,) = receiver.requests
    assert request.path == "/hooks/token-in-the-path?x=1"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "type": "alert.budget",
        "timestamp": "2026-10-01T00:00:00Z",
        "data": {
            "kind": "budget",
            "key": "budget/daily/ana/2026-10-01/0.8",
            "message": "ana has used 80 % of the daily budget.",
            "facts": {"user": "ana", "limit_nanousd": 5_000_000_000, "share": 0.8},
        },
    }
    (one,) = told(tmp_path)
    assert one.alert == alert()
    assert one.alert_id == request.alert_id
    (delivery,) = one.deliveries
    assert (delivery.webhook, delivery.tries, delivery.status) == ("ops", 1, 204)
    assert delivery.ended_ns is not None
    assert outbox.counts() == {("budget", "told"): 1, ("budget", "delivered"): 1}


def test_of_one_key_only_the_first_is_delivered_across_restarts(tmp_path: Path):
    with running_receiver() as receiver:
        for number in range(3):
            with open_outbox(tmp_path, webhook(receiver.url)) as outbox:
                for _ in range(100):
                    outbox.put(alert(message=f"of process {number}"))
                outbox.put(alert(f"key of {number}"))
                wait_until(lambda wanted=number + 2: states(tmp_path) == ["delivered"] * wanted)
        assert receiver.keys() == [alert().key, "key of 0", "key of 1", "key of 2"]
        assert receiver.requests[0].json["data"]["message"] == "of process 0"


def test_a_refusing_receiver_is_asked_until_it_accepts(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.plan = [Planned(500), Planned(503), Planned(429), Planned(408), Planned(425)]
        outbox.put(alert())
        wait_until(lambda: states(tmp_path) == ["delivered"])
        assert len(set(receiver.ids())) == 1, "the receiver can tell that they are the same"
        assert len({request.body for request in receiver.requests}) == 1
        assert len(receiver.requests) == deliveries(tmp_path)[0].tries == 6
        assert outbox.counts()["budget", "failed"] == 5


def test_nobody_listens_and_then_somebody_does(tmp_path: Path):
    port = free_port()
    target = webhook(f"http://127.0.0.1:{port}/x")
    with open_outbox(tmp_path, target) as outbox:
        outbox.put(alert())
        wait_until(lambda: [one.tries > 1 for one in deliveries(tmp_path)] == [True])
        assert "no connection" in deliveries(tmp_path)[0].problem
    assert states(tmp_path) == ["waiting"]
    with running_receiver(port) as receiver, open_outbox(tmp_path, target):
        wait_until(lambda: states(tmp_path) == ["delivered"])
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413])
def test_a_final_no_is_not_repeated(tmp_path: Path, status: int):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.plan = [Planned(status)]
        outbox.put(alert())
        wait_until(lambda: states(tmp_path) == ["given_up"])
        outbox.put(alert("another"))
        wait_until(lambda: states(tmp_path) == ["delivered", "given_up"])
        assert receiver.keys() == [alert().key, "another"]
    assert deliveries(tmp_path)[1].problem == f"it answered {status}"


def test_a_redirect_is_not_followed(tmp_path: Path):
    with running_receiver() as other, running_receiver() as receiver:
        receiver.plan = [Planned(307, {"location": other.url}), Planned(302, {"location": "/x"})]
        with open_outbox(tmp_path, webhook(receiver.url)) as outbox:
            outbox.put(alert())
            wait_until(lambda: states(tmp_path) == ["delivered"])
        assert len(receiver.requests) == 3
        assert other.requests == []


def test_retry_after_is_waited_for(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.plan = [Planned(429, {"retry-after": "60"})]
        outbox.put(alert())
        before_ns = CLOCK.wall_ns()
        (delivery,) = wait_until(
            lambda: [one for one in deliveries(tmp_path) if one.tries == 1] or None
        )
    assert delivery.state == "waiting"
    assert 59 * NS_PER_S < delivery.next_try_ns - before_ns < 70 * NS_PER_S
    assert len(receiver.requests) == 1


def test_who_wants_to_wait_longer_than_patience_is_given_up(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.plan = [Planned(503, {"retry-after": "3601"})]  # QUICK is patient for an hour
        outbox.put(alert())
        wait_until(lambda: states(tmp_path) == ["given_up"])


def test_patience_ends(tmp_path: Path):
    with running_receiver() as receiver:
        receiver.usual = Planned(500)
        schedule = Schedule(first_s=0.01, most_s=0.05, within_s=0.3)
        with closing(
            Outbox(tmp_path, CLOCK, settings(webhook(receiver.url)), schedule=schedule)
        ) as outbox:
            outbox.put(alert())
            wait_until(lambda: states(tmp_path) == ["given_up"])
    assert 3 < len(receiver.requests) < 60


def test_what_waited_for_days_is_tried_once_more(tmp_path: Path):
    clock = FrozenClock(CLOCK.wall_ns() - 2 * 86_400 * NS_PER_S)
    with closing(OutboxFile(tmp_path, clock)) as file:
        file.add([alert()], lambda _: ["ops"])
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)):
        wait_until(lambda: states(tmp_path) == ["delivered"])


def test_each_webhook_is_told_of_its_kinds_and_a_slow_one_holds_nobody_up(tmp_path: Path):
    answer = threading.Event()
    with running_receiver() as slow, running_receiver() as quick:
        slow.usual = Planned(delay=answer)
        first = webhook(slow.url, name="slow")
        second = webhook(quick.url, name="quick", kinds=("outlier", "forecast"))
        with open_outbox(tmp_path, first, second) as outbox:
            outbox.put(alert("a"))
            outbox.put(alert("b", kind="outlier"))
            wait_until(lambda: quick.keys() == ["b"] and len(slow.requests) == 1)
            answer.set()
            wait_until(lambda: states(tmp_path) == ["delivered"] * 3)
        assert slow.keys() == ["a", "b"]
    (newer, older) = told(tmp_path)
    assert [one.webhook for one in newer.deliveries] == ["quick", "slow"]
    assert [one.webhook for one in older.deliveries] == ["slow"]


def test_turns_are_in_the_order_of_the_alerts(tmp_path: Path):
    keys = [f"key {number}" for number in range(50)]
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        for key in keys:
            outbox.put(alert(key))
        wait_until(lambda: states(tmp_path) == ["delivered"] * 50)
        assert receiver.keys() == keys


def test_one_that_fails_lets_others_pass(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.plan = [Planned(500, {"retry-after": "2"})]
        outbox.put(alert("first"))
        outbox.put(alert("second"))
        wait_until(lambda: states(tmp_path) == ["delivered", "delivered"])
        assert receiver.keys() == ["first", "second", "first"]


def test_put_never_waits_for_a_receiver_or_the_disk(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        outbox.put(alert("first"))
        wait_until(lambda: states(tmp_path) == ["delivered"])
        with closing(sqlite3.connect(tmp_path / "alerts.sqlite", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")  # somebody holds the file
            began_s = time.perf_counter()
            for number in range(1_500):
                outbox.put(alert(str(number)))
            assert time.perf_counter() - began_s < 1.0
            db.execute("COMMIT")
        wait_until(lambda: outbox.counts().get(("budget", "told"), 0) > 1_000)
    counts = outbox.counts()
    assert counts["budget", "dropped"] == 1_501 - counts["budget", "told"] > 400


def test_a_disk_that_refuses_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / "data"
    folder.write_text("a file where the folder should be")
    with running_receiver() as receiver, open_outbox(folder, webhook(receiver.url)) as outbox:
        outbox.put(alert())
        wait_until(lambda: "alerts cannot be kept" in caplog.text)
        folder.unlink()
        wait_until(lambda: states(folder) == ["delivered"])
    assert caplog.text.count("cannot be kept") == 1


def test_at_the_end_a_disk_that_refuses_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    folder = tmp_path / "data"
    folder.write_text("a file where the folder should be")
    with open_outbox(folder) as outbox:
        outbox.put(alert())
    assert "1 alerts could not be kept and are lost" in caplog.text


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch):
    """A file that somebody holds is refused at once."""
    monkeypatch.setattr("trimtab.alerts.outbox_file._BUSY_S", 0.01)
    monkeypatch.setattr("trimtab.alerts.courier._LOOK_S", 0.05)


def states_once_free(folder: Path) -> list[str]:
    """The same as `states`; none as long as the courier writes, for which nobody waits here."""
    try:
        return states(folder)
    except StoreError:
        return []


@pytest.mark.usefixtures("impatient")
def test_nothing_is_sent_twice_while_the_disk_refuses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """The receiver took it, and that cannot be written: nothing else is sent meanwhile."""
    answer = threading.Event()
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.usual = Planned(delay=answer)
        outbox.put(alert("a"))
        outbox.put(alert("b"))
        wait_until(lambda: len(receiver.requests) == 1 and len(told(tmp_path)) == 2)
        with closing(sqlite3.connect(tmp_path / "alerts.sqlite", isolation_level=None)) as db:
            db.execute("BEGIN EXCLUSIVE")
            answer.set()
            wait_until(lambda: "alerts wait" in caplog.text)
            assert len(receiver.requests) == 1
            db.execute("COMMIT")
        wait_until(lambda: states_once_free(tmp_path) == ["delivered"] * 2)
        assert receiver.keys() == ["a", "b"]
    assert caplog.text.count("alerts wait") == 1


@pytest.mark.usefixtures("impatient")
def test_what_cannot_be_noted_at_the_end_comes_again_with_the_same_id(tmp_path: Path):
    answer = threading.Event()
    with running_receiver() as receiver:
        receiver.usual = Planned(delay=answer)
        with open_outbox(tmp_path, webhook(receiver.url)) as outbox:
            outbox.put(alert())
            wait_until(lambda: len(receiver.requests) == 1)
            db = sqlite3.connect(tmp_path / "alerts.sqlite", isolation_level=None)
            db.execute("BEGIN EXCLUSIVE")
            answer.set()
            wait_until(lambda: outbox.counts().get(("budget", "delivered")) == 1)
        db.close()
        with open_outbox(tmp_path, webhook(receiver.url)):
            wait_until(lambda: states_once_free(tmp_path) == ["delivered"])
        assert len(receiver.requests) == 2
        assert len(set(receiver.ids())) == 1


def test_a_file_that_cannot_be_read_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("trimtab.alerts.courier._LOOK_S", 0.01)
    with closing(sqlite3.connect(tmp_path / "alerts.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        wait_until(lambda: "alerts wait" in caplog.text)
        wait_until(lambda: "alerts: " in caplog.text)  # the chores
        outbox.use(settings(webhook(receiver.url)))
        with closing(sqlite3.connect(tmp_path / "alerts.sqlite")) as db:
            db.execute("PRAGMA user_version = 0")
        outbox.put(alert())
        wait_until(lambda: states(tmp_path) == ["delivered"])
    assert caplog.text.count("alerts wait") == 1


def test_only_so_many_keys_are_remembered_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("trimtab.alerts.outbox._MOST_KEYS", 2)
    with open_outbox(tmp_path) as outbox:
        for _ in range(2):
            for key in ("a", "b", "c"):
                outbox.put(alert(key))
    assert len(told(tmp_path)) == 3
    assert outbox.counts() == {("budget", "told"): 3}


@pytest.mark.parametrize(
    "odd",
    [
        alert(message="half a \ud83d"),
        alert("key \udc80"),
        alert(facts={"share": float("nan")}),
        alert(facts={"share": float("inf")}),
    ],
)
def test_what_is_no_json_is_lost_and_nothing_else(
    tmp_path: Path, odd: Alert, caplog: pytest.LogCaptureFixture
):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        outbox.put(odd)
        outbox.put(alert("sound", facts={"nanousd": 1 << 70}))
        wait_until(lambda: states(tmp_path) == ["delivered"])
        assert receiver.keys() == ["sound"]
    assert outbox.counts()["budget", "dropped"] == 1
    assert "its facts are no JSON" in caplog.text


def test_all_of_a_batch_is_kept_or_nothing(tmp_path: Path):
    def fail(_: str) -> list[str]:
        raise ValueError("no webhook")

    with closing(OutboxFile(tmp_path, CLOCK)) as file:
        with pytest.raises(ValueError, match="no webhook"):
            file.add([alert()], fail)
        assert file.newest(None) == []
        assert len(file.add([alert(), alert()], lambda _: [])) == 1


def test_two_processes_share_the_work(tmp_path: Path):
    keys = [str(number) for number in range(40)]
    with (
        running_receiver() as receiver,
        open_outbox(tmp_path, webhook(receiver.url)) as one,
        open_outbox(tmp_path, webhook(receiver.url)) as other,
    ):
        for key in keys:
            one.put(alert(key))
            other.put(alert(key))
        wait_until(lambda: states(tmp_path) == ["delivered"] * 40)
        assert sorted(receiver.keys()) == sorted(keys)


def test_an_alert_of_another_process_is_found(tmp_path: Path):
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)):
        with closing(OutboxFile(tmp_path, CLOCK)) as file:
            file.add([alert()], lambda _: ["ops"])
        wait_until(lambda: states(tmp_path) == ["delivered"])


def test_settings_are_taken_up(tmp_path: Path):
    with running_receiver() as old, running_receiver() as new:
        old.usual = Planned(500)
        with open_outbox(tmp_path, webhook(old.url), webhook(old.url, name="gone")) as outbox:
            outbox.put(alert())
            wait_until(lambda: len(old.requests) > 1)
            outbox.use(settings(webhook(new.url), webhook(new.url, name="late")))
            wait_until(lambda: sorted(states(tmp_path)) == ["delivered", "waiting"])
            outbox.put(alert("next"))
            wait_until(lambda: states(tmp_path).count("delivered") == 3)
        assert new.keys().count("next") == 2


def test_a_webhook_that_cannot_be_told_is_given_up_in_time(tmp_path: Path):
    clock = FrozenClock()
    with closing(OutboxFile(tmp_path, clock)) as file:
        file.add([alert()], lambda _: ["gone", "mute", "ops"])
        assert file.give_up_overdue(clock.wall_ns(), {"mute": "no URL", "ops": ""}) == []
        clock.advance(1)
        lost = file.give_up_overdue(clock.wall_ns(), {"mute": "no URL", "ops": ""})
        assert lost == ["budget", "budget"]
        (one,) = file.newest(1)
    assert {(two.webhook, two.state, two.problem) for two in one.deliveries} == {
        ("gone", "given_up", "the project has no webhook of this name"),
        ("mute", "given_up", "no URL"),
        ("ops", "waiting", ""),
    }


def test_chores_are_done_at_the_start(tmp_path: Path):
    clock = FrozenClock(CLOCK.wall_ns() - (KEPT_S + 10) * NS_PER_S)
    with closing(OutboxFile(tmp_path, clock)) as file:
        file.add([alert("old")], lambda _: ["gone"])
    clock = FrozenClock(CLOCK.wall_ns() - 2 * 86_400 * NS_PER_S)
    with closing(OutboxFile(tmp_path, clock)) as file:
        file.add([alert()], lambda _: ["gone"])
    with open_outbox(tmp_path) as outbox:
        wait_until(lambda: states(tmp_path) == ["given_up"])
        assert outbox.counts() == {("budget", "given_up"): 1}
        outbox.put(alert("old"))
        wait_until(lambda: len(told(tmp_path)) == 2)


def test_a_mute_webhook_waits(tmp_path: Path):
    with running_receiver() as receiver:
        mute = webhook(receiver.url, problem="the environment variable X is not set")
        with open_outbox(tmp_path, mute) as outbox:
            outbox.put(alert())
            wait_until(lambda: states(tmp_path) == ["waiting"])
            outbox.use(settings(webhook(receiver.url)))
            wait_until(lambda: states(tmp_path) == ["delivered"])


def test_keys_count_as_new_after_ninety_days(tmp_path: Path):
    clock = FrozenClock()
    with closing(Outbox(tmp_path, clock, settings(), schedule=QUICK)) as outbox:
        outbox.put(alert())
        wait_until(lambda: len(told(tmp_path)) == 1)
        clock.advance(KEPT_S + 1)
        outbox.put(alert("another"))  # wakes it
        wait_until(lambda: [one.alert.key for one in told(tmp_path)] == ["another"])
        outbox.put(alert())
        wait_until(lambda: len(told(tmp_path)) == 2)


def test_the_clock_was_set_back(tmp_path: Path):
    clock = FrozenClock(CLOCK.wall_ns() + 1_000_000 * NS_PER_S)
    with closing(OutboxFile(tmp_path, clock)) as file:
        file.add([alert()], lambda _: ["ops"])
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)):
        wait_until(lambda: states(tmp_path) == ["delivered"])


def test_what_is_delivered_stays_so(tmp_path: Path):
    with closing(OutboxFile(tmp_path, CLOCK)) as file:
        assert file.due("ops") is None
        file.add([alert()], lambda _: ["ops"])
        assert file.due("else") is None
        due = file.due("ops")
        assert due is not None
        values: dict[str, Any] = {"webhook": "ops", "tries": 1, "status": 200, "problem": ""}
        values["next_try_ns"] = 0
        file.settle(due.number, Delivery(state="delivered", ended_ns=1, **values))
        file.settle(due.number, Delivery(state="waiting", ended_ns=None, **values))
        assert file.due("ops") is None


def test_another_process_takes_over(tmp_path: Path):
    with running_receiver() as receiver:
        with open_outbox(tmp_path, webhook(receiver.url)) as one:
            one.put(alert("a"))
            wait_until(lambda: states(tmp_path) == ["delivered"])
            with open_outbox(tmp_path, webhook(receiver.url)) as other:
                other.put(alert("b"))
                wait_until(lambda: states(tmp_path) == ["delivered"] * 2)
                assert other.counts() == {("budget", "told"): 1}, "delivered by the first"
        with open_outbox(tmp_path, webhook(receiver.url)) as other:
            other.put(alert("c"))
            wait_until(lambda: other.counts().get(("budget", "delivered")) == 1)
        assert receiver.keys() == ["a", "b", "c"]


def test_a_damaged_file_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "alerts.sqlite").write_bytes(b"this is no database, " * 100)
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        outbox.put(alert())
        wait_until(lambda: receiver.keys() == [alert().key])
        wait_until(lambda: states(tmp_path) == ["delivered"])
    assert (tmp_path / "damaged-alerts.sqlite").read_bytes().startswith(b"this is no database")
    assert "damaged-alerts.sqlite" in caplog.text


def test_the_file_of_a_newer_trimtab_is_left_alone(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "alerts.sqlite")) as db:
        db.execute("PRAGMA user_version = 99")
    with (
        closing(OutboxFile(tmp_path, CLOCK)) as file,
        pytest.raises(StoreError, match="Upgrade trimtab"),
    ):
        file.newest(None)


# ------------------------------------------------------------------ the log


def test_the_log_names_neither_users_nor_addresses(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with running_receiver() as receiver, open_outbox(tmp_path, webhook(receiver.url)) as outbox:
        receiver.plan = [Planned(500), Planned(410)]
        outbox.put(alert())
        outbox.put(alert("key of bob", facts={"user": "bob"}))
        wait_until(lambda: set(states(tmp_path)) == {"given_up", "delivered"})
    assert caplog.text.count("see `trimtab alerts list`") == 2
    for one in told(tmp_path):
        assert one.alert_id in caplog.text
    for word in ("ana", "bob", "token-in-the-path", str(receiver.port), "whsec_"):
        assert word not in caplog.text, word


def test_the_log_tells_all_where_the_project_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    with open_outbox(tmp_path, log="full") as outbox:
        outbox.put(alert("a\nb"))
    assert '"key":"a\\nb"' in caplog.text
    assert '"user":"ana"' in caplog.text
    assert len(caplog.records) == 1


def test_the_log_is_off_where_the_project_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with open_outbox(tmp_path, log="off") as outbox:
        outbox.put(alert())
    assert caplog.records == []
    assert len(told(tmp_path)) == 1
