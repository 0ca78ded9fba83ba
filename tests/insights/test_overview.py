"""The console's figures are those of the command line."""

from pathlib import Path

import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, intent, record, settle
from trimtab.insights.latency import latency_by
from trimtab.insights.overview import overview, step_of
from trimtab.insights.spending import spend_per_user
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.sqlite import open_reader
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

HOUR_NS = 3_600 * NS_PER_S
SPAN = (NOON_NS - HOUR_NS, NOON_NS + DAY_NS)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    entries: list[Record] = []
    for number in range(120):
        inference_id = f"inf_{number}"
        entries += [
            intent(
                inference_id,
                started_ns=NOON_NS + number * 600 * NS_PER_S,
                caller=Caller("", "", f"user{number % 15:02}", ""),
                route=f"route{number % 2}",
                model=f"model{number % 3}",
            ),
            settle(
                inference_id,
                outcome="error" if number % 10 == 0 else "timeout" if number % 10 == 1 else "ok",
                cost_nanousd=100 * (number % 15) ** 4,
                latency_us=1_000 * (number + 1),
            ),
        ]
    entries.append(intent("inf_open", started_ns=NOON_NS, caller=Caller("", "", "user03", "")))
    record(tmp_path, entries)
    return open_reader(tmp_path, CLOCK)


def test_everything(reader: Reader) -> None:
    found = overview(reader, *SPAN)
    spend = spend_per_user(reader, *SPAN)
    assert found.users == spend.users[:10]
    assert (found.user_count, spend.user_count) == (15, 15)
    shown = sum(user.cost_nanousd for user in found.users)
    assert found.rest_nanousd == spend.cost_nanousd - shown
    assert found.totals.cost_nanousd == spend.cost_nanousd
    assert (found.totals.requests, found.totals.errors, found.totals.timeouts) == (120, 12, 12)
    assert (found.totals.unsettled, found.totals.unsettled_nanousd) == (1, 5_000)
    [total] = latency_by(reader, "total", since_ns=SPAN[0], until_ns=SPAN[1])
    assert (found.latency, found.ttft) == (total.total, total.ttft)
    models = latency_by(reader, "model", since_ns=SPAN[0], until_ns=SPAN[1])
    assert {row.row.value: row.row for row in found.models} == {row.value: row for row in models}
    assert sum(row.cost_nanousd for row in found.routes) == found.totals.cost_nanousd
    assert [row.failed_share for row in found.routes] == [0.2, 0.2]
    assert found.step_s == 900
    assert sum(point.requests for point in found.series) == 120
    assert sum(point.failures for point in found.series) == 24
    assert all(point.since_ns % (900 * NS_PER_S) == 0 for point in found.series)


def test_one_user_and_one_model(reader: Reader) -> None:
    user = overview(reader, *SPAN, dimension="user", value="user03")
    assert (user.totals.requests, user.totals.unsettled, user.step_s) == (8, 1, 3_600)
    assert (user.users, user.models, user.routes) == ([], [], [])
    assert sum(point.cost_nanousd for point in user.series) == user.totals.cost_nanousd
    model = overview(reader, *SPAN, dimension="model", value="openai:model1")
    assert (model.totals.requests, model.totals.unsettled) == (40, 0)


def test_nothing(reader: Reader) -> None:
    found = overview(reader, 0, HOUR_NS, dimension="user", value="nobody")
    assert (found.totals.requests, found.series, found.latency.p50_ms) == (0, [], None)
    assert overview(reader, 0, HOUR_NS).user_count == 0


def test_the_costliest_are_the_first_of_all(reader: Reader) -> None:
    everyone, top = spend_per_user(reader, *SPAN), spend_per_user(reader, *SPAN, top=4)
    assert top.users == everyone.users[:4]
    assert (top.requests, top.cost_nanousd, top.estimated_nanousd) == (
        everyone.requests,
        everyone.cost_nanousd,
        everyone.estimated_nanousd,
    )
    assert (top.since_ns, top.until_ns) == (everyone.since_ns, everyone.until_ns)


def test_latency_of_the_costliest_is_that_of_all(reader: Reader) -> None:
    few = latency_by(reader, "user", since_ns=SPAN[0], until_ns=SPAN[1], top=4)
    everyone = latency_by(reader, "user", since_ns=SPAN[0], until_ns=SPAN[1])
    names = {user.user for user in spend_per_user(reader, *SPAN, top=4).users}
    assert few == [row for row in everyone if row.value in names]
    assert len(few) == 4


@pytest.mark.parametrize(
    ("hours", "total_s", "user_s"),
    [(1, 60, 3_600), (24, 900, 3_600), (168, 7_200, 7_200), (720, 21_600, 21_600)],
)
def test_steps(hours: int, total_s: int, user_s: int) -> None:
    assert step_of("total", 0, hours * HOUR_NS) == total_s
    assert step_of("user", 0, hours * HOUR_NS) == user_s


def test_steps_of_a_year_are_days() -> None:
    step_s = step_of("total", 0, 365 * DAY_NS)
    assert step_s % 86_400 == 0
    assert 365 * 86_400 / step_s <= 121
