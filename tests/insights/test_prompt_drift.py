"""Drift of versions against their own first week, from a ledger."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from insights.prompt_traffic import FIRST_NS, Behaviour, reader_of, served, use, write
from store.samples import DAY_NS, thumb
from trimtab.insights.prompt_drift import (
    DriftAlarm,
    DriftReport,
    drift_alerts,
    drift_report,
    drift_words,
)
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.types.records import Arm

STEADY, GROWING = use("v3", "steady"), use("v12", "growing")
CHANGE, DAYS, DAILY = 22, 28, 180  # the 23rd day is 15 December
HOUR_NS = DAY_NS // 24


def growing(day: int) -> Behaviour:
    return Behaviour(tokens=390) if day >= CHANGE else Behaviour()


def look(reader: Reader, day: int, prompt: str | None = None) -> DriftReport:
    """In the morning of a day, when the day before is whole."""
    return drift_report(reader, now_ns=FIRST_NS + day * DAY_NS + 9 * HOUR_NS, prompt=prompt)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("drift")
    write(
        folder,
        *(served(STEADY, day, DAILY) for day in range(DAYS)),
        *(served(GROWING, day, DAILY, growing(day)) for day in range(DAYS)),
    )
    return reader_of(folder)


def alarm_of(report: DriftReport, metric: str) -> DriftAlarm:
    [found] = [alarm for alarm in report.alarms if alarm.metric == metric]
    return found


def test_answers_that_grow_by_a_third_are_named_with_day_and_size(reader: Reader) -> None:
    report = look(reader, DAYS)
    assert {(alarm.prompt, alarm.version) for alarm in report.alarms} == {("growing", "v12")}
    alarm = alarm_of(report, "output")
    assert alarm.hash == "hash-v12"
    assert alarm.day == "2026-12-15"
    assert alarm.before == pytest.approx(300, rel=0.05)
    assert alarm.after == pytest.approx(390, rel=0.05)
    assert alarm.ratio == pytest.approx(1.3, rel=0.06)
    assert alarm.p < 1e-3
    # Tokens are money here, and nothing else has changed.
    assert {alarm.metric for alarm in report.alarms} == {"output", "cost"}


def test_it_is_told_within_three_days(reader: Reader) -> None:
    assert look(reader, CHANGE).alarms == []
    soon = alarm_of(look(reader, CHANGE + 3), "output")
    assert "2026-12-15" <= soon.told <= "2026-12-17"


def test_the_key_of_an_alert_is_the_same_on_every_look(reader: Reader) -> None:
    looks = [look(reader, day) for day in range(CHANGE + 3, DAYS + 1)]
    keys = {
        alert.key
        for report in looks
        for alert in drift_alerts(report, now_ns=1)
        if "/output/" in alert.key
    }
    [key] = keys
    assert key == f"drift/growing/hash-v12/output/{alarm_of(looks[0], 'output').told}"


def test_a_version_that_does_not_change_raises_no_alarm(reader: Reader) -> None:
    for day in range(1, DAYS + 1):
        report = look(reader, day, "steady")
        assert report.alarms == []
        assert [(one.prompt, one.days) for one in report.watched] == [("steady", day)]


def changed(behaviour: Behaviour, days: int = DAYS) -> Iterator[Record]:
    for day in range(days):
        yield from served(STEADY, day, DAILY, behaviour if day >= CHANGE else Behaviour())


@pytest.mark.parametrize(
    ("behaviour", "metrics"),
    [
        (Behaviour(wrong=0.25), {"format"}),
        (Behaviour(failing=0.25), {"errors"}),
        (Behaviour(refusing=0.2), {"refusals"}),
        (Behaviour(nanousd=900), {"cost"}),
    ],
    ids=str,
)
def test_each_metric_is_found_by_itself(
    tmp_path: Path, behaviour: Behaviour, metrics: set[str]
) -> None:
    write(tmp_path, changed(behaviour))
    report = look(reader_of(tmp_path), DAYS)
    assert metrics <= {alarm.metric for alarm in report.alarms}
    if "errors" not in metrics:  # failing inferences are quick, and cost nothing
        assert metrics == {alarm.metric for alarm in report.alarms}


def thumbs(day: int, down: float, arm: Arm = "released") -> Iterator[Record]:
    """Forty that are given on a day."""
    rng = Random(f"thumbs {day}")
    prompt = use("v3", "steady", arm)
    for number in range(40):
        bad = rng.random() < down
        yield thumb(
            f"steady/{prompt.hash}/{arm}/{day}/{number}",
            started_ns=FIRST_NS + day * DAY_NS,
            given_ns=FIRST_NS + day * DAY_NS + rng.randrange(DAY_NS),
            value=not bad,
            bad=bad,
            prompt=prompt,
        )


def test_thumbs_down_that_become_more_are_named_with_day_and_size(tmp_path: Path) -> None:
    write(tmp_path, changed(Behaviour()))
    write(tmp_path, *(thumbs(day, 0.35 if day >= CHANGE else 0.1) for day in range(DAYS)))
    write(tmp_path, *(thumbs(day, 0.9, "shadow") for day in range(DAYS)))
    alarm = alarm_of(look(reader_of(tmp_path), DAYS), "feedback")
    assert alarm.day == "2026-12-15"
    assert alarm.before == pytest.approx(0.1, abs=0.04)
    assert alarm.after == pytest.approx(0.35, abs=0.07)
    assert "of thumbs are down; in its first week" in drift_words(alarm)


def test_thumbs_that_stay_as_they_are_raise_no_alarm(tmp_path: Path) -> None:
    write(tmp_path, changed(Behaviour()), *(thumbs(day, 0.1) for day in range(0, DAYS, 2)))
    assert look(reader_of(tmp_path), DAYS).alarms == []


def test_a_first_week_that_is_not_over_gives_no_alarm(tmp_path: Path) -> None:
    for day in range(7):
        longer = Behaviour(tokens=300 if day < 3 else 900)
        write(tmp_path, served(GROWING, day, DAILY, longer))
    report = look(reader_of(tmp_path), 7)
    assert report.alarms == []
    assert [(one.days, one.first_day) for one in report.watched] == [(7, "2026-11-23")]
    assert report.least_days == 8


def test_today_is_left_out(tmp_path: Path) -> None:
    days = [served(GROWING, day, DAILY) for day in range(15)]
    write(tmp_path, *days, served(GROWING, 15, 400, Behaviour(tokens=3_000)))
    reader = reader_of(tmp_path)
    assert look(reader, 15).alarms == []
    assert look(reader, 16).alarms != []


def test_a_canary_and_its_release_are_one_version(tmp_path: Path) -> None:
    canary = use("v12", "growing", "canary")
    write(
        tmp_path,
        *(served(canary, day, DAILY) for day in range(8)),
        *(served(GROWING, day, DAILY, growing(day)) for day in range(8, DAYS)),
    )
    report = look(reader_of(tmp_path), DAYS)
    assert alarm_of(report, "output").ratio == pytest.approx(1.3, rel=0.06)
    [watched] = report.watched
    assert (watched.days, watched.alarms) == (DAYS, len(report.alarms))


def test_shadows_and_what_a_caller_asked_for_are_not_watched(tmp_path: Path) -> None:
    write(
        tmp_path,
        *(served(use("v1", "a", "shadow"), day, 30) for day in range(9)),
        *(served(use("v1", "a", "asked"), day, 30) for day in range(9)),
    )
    assert look(reader_of(tmp_path), 9).watched == []


def test_a_version_that_is_served_no_more_is_not_watched(tmp_path: Path) -> None:
    write(tmp_path, *(served(GROWING, day, 30, growing(day)) for day in range(20)))
    reader = reader_of(tmp_path)
    assert len(look(reader, 26).watched) == 1
    assert look(reader, 27) == DriftReport(
        until_ns=FIRST_NS + 27 * DAY_NS, least_days=8, watched=[], alarms=[]
    )


def test_a_week_without_traffic_does_not_move_the_first_one(tmp_path: Path) -> None:
    write(
        tmp_path,
        *(served(GROWING, day, DAILY) for day in (*range(10), *range(18, 24))),
    )
    [watched] = look(reader_of(tmp_path), 24).watched
    assert (watched.first_day, watched.days, watched.alarms) == ("2026-11-23", 24, 0)


def alarm(**changes: object) -> DriftAlarm:
    fields: dict[str, object] = {
        "prompt": "a/b", "version": "v2", "hash": "abc", "metric": "cost", "day": "2026-12-01",
        "told": "2026-12-02", "before": 1_500_000.0, "after": 3e6, "ratio": 2.0, "p": 0.001,
    }  # fmt: skip
    return DriftAlarm(**(fields | changes))  # pyright: ignore[reportArgumentType] - fields by name


def test_an_alert_says_what_changed() -> None:
    report = DriftReport(until_ns=1, least_days=8, watched=[], alarms=[alarm()])
    [alert] = drift_alerts(report, now_ns=5)
    assert (alert.kind, alert.at_ns) == ("drift", 5)
    assert alert.key == "drift/a/b/abc/cost/2026-12-02"
    assert alert.message == (
        "Prompt a/b v2 has drifted: since 2026-12-01 a typical inference costs $0.003; in its "
        "first week $0.0015."
    )
    assert alert.facts == {
        "prompt": "a/b", "version": "v2", "hash": "abc", "metric": "cost", "day": "2026-12-01",
        "before": 1_500_000.0, "after": 3e6, "ratio": 2.0, "p": 0.001,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"metric": "output"}, "has 3,000,000 tokens"),
        ({"metric": "latency"}, "takes 3,000 ms; in its first week 1,500 ms"),
        ({"metric": "format", "before": 0.0, "after": 0.125}, "12.5% of answers lack"),
        ({"metric": "errors", "before": 0.0, "after": 0.125}, "12.5% of inferences fail"),
        ({"metric": "refusals", "before": 0.0, "after": 0.2}, "20.0% of answers are refusals"),
    ],
)
def test_each_metric_has_its_words(changes: dict[str, object], words: str) -> None:
    assert words in drift_words(alarm(**changes))


def test_what_was_never_seen_before_has_no_ratio() -> None:
    report = DriftReport(
        until_ns=1, least_days=8, watched=[], alarms=[alarm(metric="errors", before=0, ratio=None)]
    )
    [alert] = drift_alerts(report, now_ns=5)
    assert "ratio" not in alert.facts
