"""Corrections of history: exact, beside what was charged, and the same again when made again."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spend.books import PROVIDERS
from trimtab.config.load import load_project
from trimtab.config.schema import Project
from trimtab.errors import StoreError
from trimtab.spend.reprice import report_of, reprice, start_of_day_ns
from trimtab.store.repricing import Repricing, SettledCall
from trimtab.store.sqlite import open_ledger, open_reader, open_repricings
from trimtab.types.clock import NS_PER_S, SystemClock
from trimtab.types.identity import Caller
from trimtab.types.records import Intent, Settle
from trimtab.types.usage import Usage

NOON_NS = 1_795_435_200 * NS_PER_S  # 2026-11-23 12:00 UTC
DAY_NS = 86_400 * NS_PER_S
RANGE = (start_of_day_ns(NOON_NS - 3 * DAY_NS), NOON_NS + DAY_NS)
CLOCK = SystemClock()

OLD = """\
[models.fast]
ref = "unknown:x"
[[models.fast.prices]]
since = 2026-10-01
input_usd_per_mtok = 1
output_usd_per_mtok = 2
[models.other]
ref = "openai:gpt-5.4"
[routes.main]
model = "fast"
fallback = ["other"]
"""
NEW = OLD.replace(
    "[models.other]",
    """\
[[models.fast.prices]]
since = 2026-11-23
input_usd_per_mtok = 1.5
output_usd_per_mtok = 2
service_tiers = {flex = 0.5}
[models.other]""",
)


def project_of(folder: Path, models: str = NEW) -> Project:
    folder.mkdir(exist_ok=True)
    (folder / "trimtab.toml").write_text(PROVIDERS + models, encoding="utf-8")
    return load_project(folder, {}, kinds=("openai", "local"))


def _shared() -> Project:
    with TemporaryDirectory() as folder:
        return project_of(Path(folder))


PROJECT = _shared()


def call(
    number: int = 0,
    *,
    at_ns: int = NOON_NS,
    tier: str = "default",
    alias: str = "main",
    provider: str = "unknown",
    model: str = "x",
) -> SettledCall:
    """A call of 1,000 + number tokens of input and 100 of output, charged by the old price."""
    intent = Intent(
        inference_id=f"inf_{number}",
        attempt=1,
        started_ns=at_ns,
        caller=Caller(),
        route="main",
        streamed=False,
        hold_nanousd=9,
        price_version="project/old",
        alias=alias,
        provider=provider,
        model=model,
    )
    usage = Usage(input_tokens=1_000 + number, output_tokens=100)
    settle = Settle(
        inference_id=intent.inference_id,
        attempt=1,
        ended_ns=at_ns,
        outcome="ok",
        latency_us=1,
        usage=usage,
        usage_source="reported",
        cost_nanousd=usage.input_tokens * 1_000 + 200_000,
        price_version="project/old",
        service_tier=tier,
    )
    return SettledCall(intent, settle)


def corrected(project: Project, calls: Iterable[SettledCall], now_ns: int = NOON_NS) -> Repricing:
    return reprice(project, calls, since_ns=RANGE[0], until_ns=RANGE[1], now_ns=now_ns)


def test_a_call_is_corrected_by_the_price_of_its_own_moment(tmp_path: Path) -> None:
    calls = [call(), call(at_ns=NOON_NS - DAY_NS)]
    yesterday, today = corrected(project_of(tmp_path), calls).rows
    assert (yesterday.day, yesterday.charged_nanousd) == ("2026-11-22", 1_200_000)
    assert yesterday.corrected_nanousd == 1_200_000
    assert (today.day, today.charged_nanousd) == ("2026-11-23", 1_200_000)
    assert today.corrected_nanousd == 1_700_000
    assert today.charged_version == "project/old"
    assert today.corrected_version != yesterday.corrected_version


def test_t10_the_tier_on_record_is_the_one_that_counts(tmp_path: Path) -> None:
    (row,) = corrected(project_of(tmp_path), [call(tier="flex")]).rows
    assert (row.corrected_nanousd, row.tier_unknown_nanousd) == (850_000, 0)
    (row,) = corrected(project_of(tmp_path), [call(tier="")]).rows
    assert (row.corrected_nanousd, row.tier_unknown_nanousd) == (1_700_000, 1_200_000)
    before = call(tier="", at_ns=NOON_NS - DAY_NS)  # where no tier changes the price
    (row,) = corrected(project_of(tmp_path), [before]).rows
    assert row.tier_unknown_nanousd == 0


def test_listed_models_are_corrected_by_the_list(tmp_path: Path) -> None:
    def listed(tier: str) -> SettledCall:
        return call(tier=tier, provider="openai", model="gpt-5.4")

    (row,) = corrected(project_of(tmp_path), [listed("")]).rows
    assert row.corrected_version.startswith("genai-prices/")
    assert row.corrected_nanousd == 1_000 * 2_500 + 100 * 15_000
    assert row.tier_unknown_nanousd == 1_200_000
    (row,) = corrected(project_of(tmp_path), [listed("flex")]).rows
    assert row.corrected_nanousd == (1_000 * 2_500 + 100 * 15_000) // 2


def test_a_model_that_has_no_price_now_is_told_and_not_free(tmp_path: Path) -> None:
    gone = call(1, model="gone")
    early = call(2, at_ns=NOON_NS - 90 * DAY_NS)  # before the first price
    made = corrected(project_of(tmp_path), [gone, early, call()])
    report = report_of(made)
    models = {model.model: model for model in report.models}
    assert models["unknown:gone"].unpriced_calls == 1
    assert models["unknown:gone"].unpriced_nanousd == gone.settle.cost_nanousd
    assert models["unknown:gone"].corrected_nanousd == 0
    assert models["unknown:x"].unpriced_calls == 1
    assert models["unknown:x"].calls == 1
    assert report.charged_nanousd == 1_200_000
    assert report.difference_nanousd == 500_000
    assert report.unpriced_nanousd == gone.settle.cost_nanousd + early.settle.cost_nanousd


def test_the_name_that_was_called_tells_which_price(tmp_path: Path) -> None:
    """One model may be declared twice, at two prices."""
    twice = NEW + (
        '[models.cheap]\nref = "unknown:x"\n'
        "price = {input_usd_per_mtok = 0.1, output_usd_per_mtok = 0}\n"
    )
    project = project_of(tmp_path, twice)
    (row,) = corrected(project, [call(alias="cheap")]).rows
    assert row.corrected_nanousd == 100_000
    for name in ("fast", "main", "renamed since"):
        (row,) = corrected(project, [call(alias=name)]).rows
        assert row.corrected_nanousd == 1_700_000, name


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 2)), max_size=20))
def test_sums_are_those_of_the_single_calls(drawn: list[tuple[int, int]]) -> None:
    calls = [call(number, at_ns=NOON_NS - day * DAY_NS) for number, day in drawn]
    made = corrected(PROJECT, calls)
    report = report_of(made)
    assert report.charged_nanousd == sum(c.settle.cost_nanousd for c in calls)
    assert report.difference_nanousd == sum(
        (1_000 + number) * 500 for number, day in drawn if day == 0
    )
    assert sum(row.calls for row in made.rows) == len(calls)
    # In whatever order the calls are read, it is the same set.
    again = corrected(PROJECT, reversed(calls), NOON_NS + 5)
    assert (again.set_id, again.rows) == (made.set_id, made.rows)


async def _record(folder: Path, calls: Iterable[SettledCall]) -> None:
    ledger = open_ledger(folder, CLOCK)
    for intent, settle in calls:
        await ledger.record_intent(intent)
        await ledger.record_settle(settle)
    await ledger.record_intent(call(99).intent)  # never settled
    await ledger.close()


def test_the_ledger_and_what_was_charged_stay_as_they_are(tmp_path: Path) -> None:
    calls = [call(number) for number in range(3)] + [call(4, at_ns=RANGE[0] - 1)]
    asyncio.run(_record(tmp_path, calls))
    store = open_repricings(tmp_path, CLOCK)
    before = (tmp_path / "ledger.sqlite").read_bytes()
    made = corrected(PROJECT, store.settled(*RANGE))
    assert store.keep(made) == made.created_ns
    assert (tmp_path / "ledger.sqlite").read_bytes() == before
    assert report_of(made).charged_nanousd == sum(c.settle.cost_nanousd for c in calls[:3])
    reader = open_reader(tmp_path, CLOCK)
    (total,) = reader.usage_by("total", *RANGE)
    assert total.cost_nanousd == report_of(made).charged_nanousd


def test_the_same_prices_make_the_same_set_and_others_make_another(tmp_path: Path) -> None:
    asyncio.run(_record(tmp_path, [call(number) for number in range(3)]))
    store = open_repricings(tmp_path, CLOCK)
    first = corrected(PROJECT, store.settled(*RANGE))
    store.keep(first)
    again = corrected(PROJECT, store.settled(*RANGE), NOON_NS + 7)
    assert again.set_id == first.set_id
    assert store.keep(again) == first.created_ns
    assert list(store.sets()) == [first]
    dearer = project_of(tmp_path / "dearer", NEW.replace("1.5", "1.75"))
    third = corrected(dearer, store.settled(*RANGE), NOON_NS + 9)
    assert store.keep(third) == NOON_NS + 9
    assert list(store.sets()) == [first, third]


def test_what_cannot_be_read_is_left_to_verify(tmp_path: Path) -> None:
    asyncio.run(_record(tmp_path, [call(number) for number in range(3)]))
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        # An intent, so that its settle is alone.
        db.execute("UPDATE entries SET body = x'7b' WHERE seq = 1")
    store = open_repricings(tmp_path, CLOCK)
    assert len(list(store.settled(*RANGE))) == 2


@pytest.mark.parametrize("name", ["ledger.sqlite", "repricings.sqlite"])
def test_a_file_that_is_none_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"not a database" * 99)
    store = open_repricings(tmp_path, CLOCK)
    asked: dict[str, list[Callable[[], object]]] = {
        "ledger.sqlite": [lambda: list(store.settled(*RANGE))],
        "repricings.sqlite": [store.sets, lambda: store.keep(corrected(PROJECT, []))],
    }
    for ask in asked[name]:
        with pytest.raises(StoreError, match=name):
            ask()


def test_nothing_to_correct_is_an_empty_set(tmp_path: Path) -> None:
    store = open_repricings(tmp_path, CLOCK)
    made = corrected(PROJECT, store.settled(*RANGE))
    assert made.rows == ()
    assert report_of(made).models == []


def test_what_used_nothing_is_left_out(tmp_path: Path) -> None:
    intent, settle = call()
    free = Settle(inference_id="inf_0", attempt=1, ended_ns=1, outcome="error", latency_us=1)
    assert settle.usage_source != free.usage_source == "none"
    assert corrected(project_of(tmp_path), [SettledCall(intent, free)]).rows == ()
