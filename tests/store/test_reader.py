import asyncio
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, pair, record, rows, settle
from trimtab.errors import UsageError
from trimtab.stats.histogram import LogHistogram
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.records import (
    Dimension,
    EventPage,
    EventQuery,
    GroupSummary,
    LadderSummary,
    OpenIntent,
)
from trimtab.store.sqlite import open_ledger, open_reader
from trimtab.store.sqlite.ladder import LADDER_KEYS, LADDER_MEASURES, LADDER_SUMS
from trimtab.store.sqlite.samples import MAXIMA, MEASURES, SUMS
from trimtab.store.sqlite.tiers import Span, cover, finest_s
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

HOUR_NS = 3_600 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S
DEADLINE_US = 30_000_000


def traffic(count: int) -> Iterator[Record]:
    """Heavy-tailed latencies over three days; what passes the deadline counts at it."""
    rng = Random(7)
    for number in range(count):
        inference_id = f"inf_{number:06}"
        latency_us = int(200_000 * rng.paretovariate(0.9))
        timed_out = latency_us >= DEADLINE_US
        yield intent(
            inference_id,
            started_ns=NOON_NS + number * 3 * DAY_NS // count,
            caller=Caller("key_1", "search", f"user{rng.randrange(40)}", ""),
            model=f"model{rng.randrange(3)}",
        )
        yield settle(
            inference_id,
            outcome="timeout" if timed_out else "ok",
            latency_us=min(latency_us, DEADLINE_US),
            ttft_us=min(latency_us // 3, DEADLINE_US) if number % 4 else None,
            cost_nanousd=int(rng.lognormvariate(12, 2)),
        )


def assert_percentiles(histogram: LogHistogram, exact: list[int]) -> None:
    exact.sort()
    assert histogram.count == len(exact)
    for q in (0.5, 0.9, 0.95, 0.99, 0.999, 1.0):
        value = exact[max(ceil(q * len(exact)), 1) - 1]
        assert histogram.percentile(q) == pytest.approx(value, rel=0.01)


def column(data_dir: Path, name: str, where: str) -> list[int]:
    return [
        row[0]
        for path in data_dir.glob("events-*.sqlite")
        for row in rows(path, f"SELECT {name} FROM events WHERE {where} AND {name} IS NOT NULL")
    ]


def assert_as_rows(data_dir: Path, group: GroupSummary, where: str) -> None:
    assert_percentiles(group.latency_histogram, column(data_dir, "latency_us", where))
    assert_percentiles(group.ttft_histogram, column(data_dir, "ttft_us", where))
    assert_percentiles(group.cost_histogram, column(data_dir, "cost_nanousd", where))
    assert group.cost_nanousd == sum(column(data_dir, "cost_nanousd", where))
    assert group.latency_max_us == max(column(data_dir, "latency_us", where))
    assert group.timeouts == len(column(data_dir, "latency_us", f"{where} AND outcome = 'timeout'"))


def test_percentiles_of_100_000_inferences_are_those_of_the_rows(tmp_path: Path) -> None:
    record(tmp_path, traffic(100_000))
    reader = open_reader(tmp_path, CLOCK)
    since_ns, until_ns = NOON_NS + 7 * MINUTE_NS, NOON_NS + 2 * DAY_NS + 5 * HOUR_NS
    where = f"started_ns >= {since_ns} AND started_ns < {until_ns}"
    [total] = reader.usage_by("total", since_ns, until_ns)
    assert (total.since_ns, total.until_ns) == (since_ns, until_ns)
    assert total.timeouts > 100
    assert_as_rows(tmp_path, total, where)
    for model in reader.usage_by("model", since_ns, until_ns):
        name = model.value.removeprefix("openai:")
        assert_as_rows(tmp_path, model, f"{where} AND model = '{name}'")
    users = reader.usage_by("user", since_ns, until_ns)
    assert users[0].since_ns == NOON_NS
    assert [u.cost_nanousd for u in users] == sorted((u.cost_nanousd for u in users), reverse=True)
    where = f"started_ns >= {NOON_NS} AND started_ns < {until_ns}"
    for user in users[:5]:
        assert_as_rows(tmp_path, user, f"{where} AND user = '{user.value}'")


DIMENSIONS: list[Dimension] = ["total", "route", "model", "user", "key", "team"]


@given(
    st.sampled_from(DIMENSIONS),
    st.integers(min_value=0, max_value=20_000),
    st.integers(min_value=0, max_value=20_000),
)
def test_spans_cover_a_range_once(dimension: Dimension, first: int, length: int) -> None:
    step_s = finest_s(dimension)
    since_s, until_s = first * step_s, (first + length) * step_s
    at_s = since_s
    closed = {day_s for day_s in range(0, until_s, 86_400) if day_s // 86_400 % 7 != 3}
    for span in cover(dimension, since_s, until_s, closed=closed):
        assert span.since_s == at_s < span.until_s
        assert span.since_s % span.tier_s == span.until_s % span.tier_s == 0
        at_s = span.until_s
    assert at_s == until_s


def test_a_day_in_the_middle_is_one_row() -> None:
    day_s = 86_400
    assert cover("total", day_s - 60, 2 * day_s + 3_660, closed=()) == [
        Span(60, day_s - 60, day_s),
        Span(86_400, day_s, 2 * day_s),
        Span(3_600, 2 * day_s, 2 * day_s + 3_600),
        Span(60, 2 * day_s + 3_600, 2 * day_s + 3_660),
    ]
    assert cover("user", 0, 0, closed=()) == []


def test_days_of_users_are_used_once_they_are_closed() -> None:
    day_s = 86_400
    assert cover("user", day_s, 5 * day_s, closed={2 * day_s, 3 * day_s}) == [
        Span(3_600, day_s, 2 * day_s),
        Span(86_400, 2 * day_s, 3 * day_s),
        Span(86_400, 3 * day_s, 4 * day_s),
        Span(3_600, 4 * day_s, 5 * day_s),
    ]


def test_sums_without_histograms_are_the_same(tmp_path: Path) -> None:
    record(tmp_path, traffic(500))
    reader = open_reader(tmp_path, CLOCK)
    for dimension in DIMENSIONS:
        full = reader.usage_by(dimension, NOON_NS, NOON_NS + 3 * DAY_NS)
        sums = reader.usage_by(dimension, NOON_NS, NOON_NS + 3 * DAY_NS, measures=())
        assert [_without_histograms(group) for group in full] == sums


def _without_histograms(group: GroupSummary) -> GroupSummary:
    empty = LogHistogram()
    return msgspec.structs.replace(
        group, latency_histogram=empty, ttft_histogram=empty, cost_histogram=empty
    )


def test_ranges_are_widened_and_say_so(tmp_path: Path) -> None:
    record(tmp_path, pair("inf_1", started_ns=NOON_NS + MINUTE_NS))
    reader = open_reader(tmp_path, CLOCK)
    [total] = reader.usage_by("total", NOON_NS + MINUTE_NS + 5, NOON_NS + MINUTE_NS + 6)
    assert (total.since_ns, total.until_ns) == (NOON_NS + MINUTE_NS, NOON_NS + 2 * MINUTE_NS)
    [user] = reader.usage_by("user", NOON_NS + 2 * MINUTE_NS, NOON_NS + 3 * MINUTE_NS)
    assert (user.since_ns, user.until_ns) == (NOON_NS, NOON_NS + HOUR_NS)
    assert reader.usage_by("total", NOON_NS, NOON_NS + MINUTE_NS) == []


def test_summary_has_a_field_for_every_column() -> None:
    names = {*SUMS, *MAXIMA, *(f"{name}_histogram" for name in MEASURES)}
    assert names | {"value", "since_ns", "until_ns"} == set(GroupSummary.__struct_fields__)


def test_what_is_told_of_ladders_has_a_field_for_every_column() -> None:
    names = {*LADDER_KEYS, *LADDER_SUMS, *LADDER_MEASURES}
    assert names == set(LadderSummary.__struct_fields__)


def test_events_newest_first_and_filtered(tmp_path: Path) -> None:
    callers = [Caller(user=name) for name in ("ann", "bob", "ann")]
    entries = [
        entry
        for number, caller in enumerate(callers)
        for entry in pair(f"inf_{number}", caller=caller, started_ns=NOON_NS + number * DAY_NS)
    ]
    record(tmp_path, entries)
    reader = open_reader(tmp_path, CLOCK)
    until_ns = NOON_NS + 3 * DAY_NS

    def ids(since_ns: int, limit: int, **where: str) -> list[str]:
        query = EventQuery(since_ns=since_ns, until_ns=until_ns, limit=limit, where=where)  # pyright: ignore[reportArgumentType] - wrong names are a case
        return [event.inference_id for event in reader.event_page(query).events]

    assert ids(NOON_NS, 10) == ["inf_2", "inf_1", "inf_0"]
    assert ids(NOON_NS, 2) == ["inf_2", "inf_1"]
    assert ids(NOON_NS + 1, 10, user="ann") == ["inf_2"]
    assert ids(NOON_NS, 10, user="ann", outcome="error") == []
    with pytest.raises(UsageError, match="No filter 'price'"):
        ids(NOON_NS, 10, price="1")
    assert reader.event("inf_9") is None


async def _ask_while_open(data_dir: Path) -> list[OpenIntent]:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_live", started_ns=NOON_NS + 2))
    found = open_reader(data_dir, CLOCK).unsettled(NOON_NS, NOON_NS + 10)
    await ledger.record_settle(settle("inf_live"))
    await ledger.close()
    return found


def test_unsettled_of_the_dead_and_in_flight_of_the_living(tmp_path: Path) -> None:
    record(tmp_path, [intent("inf_dead", started_ns=NOON_NS + 1), *pair("inf_done")])
    dead, live = asyncio.run(_ask_while_open(tmp_path))
    assert (dead.intent.inference_id, dead.in_flight, dead.writer) == ("inf_dead", False, 1)
    assert (live.intent.inference_id, live.in_flight, live.writer) == ("inf_live", True, 2)
    reader = open_reader(tmp_path, CLOCK)
    assert [found.intent for found in reader.unsettled(0, NOON_NS + 10)] == [dead.intent]
    assert reader.unsettled(0, NOON_NS + 1) == []


def test_writer_whose_lock_file_is_gone_is_dead(tmp_path: Path) -> None:
    record(tmp_path, [intent("inf_1")])
    rows(tmp_path / "ledger.sqlite", "UPDATE writers SET closed_ns = NULL")
    (tmp_path / "writers" / "1.lock").unlink()
    [found] = open_reader(tmp_path, CLOCK).unsettled(0, NOON_NS + 1)
    assert not found.in_flight


def test_nothing_there_yet(tmp_path: Path) -> None:
    reader: Reader = open_reader(tmp_path / "new", CLOCK)
    assert reader.usage_by("total", 0, NOON_NS) == []
    assert reader.event_page(EventQuery(since_ns=0, until_ns=NOON_NS)) == EventPage(events=[])
    assert reader.unsettled(0, NOON_NS) == []
