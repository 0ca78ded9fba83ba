"""What ladders do, told by route: the same as a straight look at the records."""

from collections import defaultdict
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.ladders import Ladders, hedged, interleaved
from store.samples import (
    CLOCK,
    DAY_NS,
    NOON_NS,
    all_events,
    derived,
    intent,
    pair,
    record,
    settle,
)
from trimtab.insights.ladder import LadderRow, Waited, ladder_by_route
from trimtab.insights.ladder_words import in_words
from trimtab.insights.latency import Percentiles
from trimtab.store.chain import Record
from trimtab.store.sqlite import open_reader, rebuild
from trimtab.types.records import Intent, Settle
from trimtab.types.usage import Usage

SPAN = (NOON_NS - DAY_NS, NOON_NS + 9 * DAY_NS)
FAILURES = {"error", "timeout"}


class Tried(NamedTuple):
    """An attempt, by its own time."""

    intent: Intent
    settle: Settle

    @property
    def called(self) -> bool:
        return self.intent.cause not in {"cache", "stale"}

    @property
    def latency_us(self) -> int:
        return self.settle.latency_us - self.intent.after_us

    @property
    def ttft_us(self) -> int | None:
        ttft_us = self.settle.ttft_us
        if ttft_us is None and self.intent.streamed and self.settle.error_code == "hedge_lost":
            return self.latency_us
        if ttft_us is None or ttft_us < self.intent.after_us:
            return None
        return ttft_us - self.intent.after_us


def inferences_of(entries: Iterable[Record], route: str) -> list[list[Tried]]:
    """The attempts of each inference of a route, by number."""
    intents: dict[tuple[str, int], Intent] = {}
    found: defaultdict[str, list[Tried]] = defaultdict(list)
    for entry in entries:
        if isinstance(entry, Intent):
            intents[entry.inference_id, entry.attempt] = entry
    for entry in entries:
        if isinstance(entry, Settle):
            begun = intents[entry.inference_id, entry.attempt]
            if begun.route == route:
                found[entry.inference_id].append(Tried(begun, entry))
    return [sorted(tried, key=lambda one: one.intent.attempt) for tried in found.values()]


def last_of(tried: list[Tried]) -> Tried:
    [final] = [one for one in tried if one.settle.final]
    return final


def wasted(tried: list[Tried]) -> int:
    """Cost of what nobody saw."""
    final = last_of(tried)
    if final.intent.cause != "continue":
        return sum(one.settle.cost_nanousd for one in tried if one is not final)
    between = [one for one in tried if one.intent.cause == "continue" and one is not final]
    return sum(one.settle.cost_nanousd for one in between if not one.settle.usage.output_tokens)


def assert_waited(found: Waited, latencies: list[int], ttfts: list[int | None], failed: int):
    assert (found.count, found.failed) == (len(latencies), failed)
    assert_percentiles(found.latency, latencies)
    assert_percentiles(found.ttft, [ttft_us for ttft_us in ttfts if ttft_us is not None])


def assert_percentiles(found: Percentiles, exact: list[int]):
    exact.sort()
    assert found.count == len(exact)
    shares = {0.5: found.p50_ms, 0.95: found.p95_ms, 0.99: found.p99_ms, 0.999: found.p999_ms}
    for share, value_ms in shares.items():
        if not exact:
            assert value_ms is None
        else:
            value_us = exact[max(ceil(share * len(exact)), 1) - 1]
            assert value_ms is not None
            # Within 1 %, and rounded to a microsecond.
            assert abs(value_ms - value_us / 1000) <= value_us / 100_000 + 0.0006


def assert_row(row: LadderRow, inferences: list[list[Tried]]):
    finals = [last_of(tried) for tried in inferences]
    calls = [one for tried in inferences for one in tried if one.called]
    firsts = [one for one in calls if one.intent.attempt == 1]
    for found, which in ((row.first, firsts), (row.all_attempts, calls)):
        failed = sum(one.settle.outcome in FAILURES for one in which)
        assert_waited(
            found, [one.latency_us for one in which], [one.ttft_us for one in which], failed
        )
    assert_waited(
        row.seen,
        [one.settle.latency_us for one in finals],
        [one.settle.ttft_us for one in finals],
        sum(one.settle.outcome in FAILURES for one in finals),
    )
    causes = [one.intent.cause for one in calls]
    assert (row.inferences, row.attempts) == (len(inferences), len(calls))
    assert (row.retries, row.fallbacks) == (causes.count("retry"), causes.count("fallback"))
    assert (row.hedges, row.continued) == (causes.count("hedge"), causes.count("continue"))
    lost = [one for one in calls if one.settle.error_code == "hedge_lost"]
    assert row.hedges_won == sum(one.intent.cause != "hedge" for one in lost)
    assert row.hedge_nanousd == sum(one.settle.cost_nanousd for one in lost)
    assert row.wasted_nanousd == sum(map(wasted, inferences))
    assert row.cached == sum(one.intent.cause == "cache" for one in finals)
    assert row.stale == sum(one.intent.cause == "stale" for one in finals)
    assert row.saved_nanousd == sum(one.settle.saved_nanousd for one in finals)
    assert row.rescued == sum(
        tried[0].called
        and tried[0].settle.outcome in FAILURES
        and last_of(tried).settle.outcome == "ok"
        for tried in inferences
    )
    tokens = [one.settle.usage for tried in inferences for one in tried]
    assert row.cached_token_share == pytest.approx(
        sum(usage.cache_read_tokens for usage in tokens)
        / sum(usage.input_tokens for usage in tokens)
    )
    assert sum(part.inferences for part in row.served) == sum(
        one.intent.cause != "first" for one in finals
    )


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1 << 32), chunk=st.sampled_from([1, 7, 4_000]), rows=st.booleans())
def test_any_attempts_come_to_what_their_records_say(seed: int, chunk: int, rows: bool):
    made = Ladders(seed)
    entries = interleaved([made.inference() for _ in range(150)], seed)
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("trimtab.store.sqlite.projector._CHUNK", chunk)
        if rows:
            patch.setattr("trimtab.store.sqlite.rollups._MOST_IN_TAIL", 40)
        data_dir = Path(folder)
        record(data_dir, entries)
        found = {row.route: row for row in ladder_by_route(open_reader(data_dir, CLOCK), *SPAN)}
        before = derived(data_dir)
        rebuild(data_dir)
        assert derived(data_dir) == before
        events = {event.inference_id: event for event in all_events(open_reader(data_dir, CLOCK))}
    for route in ("main", "search"):
        inferences = inferences_of(entries, route)
        assert_row(found[route], inferences)
        for tried in inferences:
            final, event = last_of(tried), events[tried[0].intent.inference_id]
            assert (event.cause, event.rung) == (final.intent.cause, final.intent.rung)
            assert event.attempts == sum(one.called for one in tried)
            assert event.wasted_nanousd == wasted(tried)
            assert event.saved_nanousd == final.settle.saved_nanousd
            assert event.outcome == final.settle.outcome


def row_of(tmp_path: Path, entries: list[Record]) -> LadderRow:
    record(tmp_path, entries)
    [row] = ladder_by_route(open_reader(tmp_path, CLOCK), *SPAN)
    return row


@pytest.mark.parametrize("loser_last", [False, True])
@pytest.mark.parametrize("hedge_wins", [False, True])
def test_a_race_is_told_whoever_wins_and_whoever_ends_last(
    tmp_path: Path, hedge_wins: bool, loser_last: bool
):
    row = row_of(tmp_path, hedged("inf_1", hedge_wins=hedge_wins, loser_last=loser_last))
    assert (row.attempts, row.hedges, row.hedges_won) == (2, 1, int(hedge_wins))
    assert (row.wasted_nanousd, row.hedge_nanousd, row.cost_nanousd) == (40, 40, 1_240)
    first_ms = 200 if hedge_wins else 300
    assert row.first.latency.p50_ms == pytest.approx(first_ms, rel=0.01)
    assert row.seen.latency.max_ms == 300
    # A stream that lost without a word had shown nothing until then.
    assert row.first.ttft.p50_ms == pytest.approx(200, rel=0.01)
    assert row.first.failed == row.seen.failed == row.rescued == 0
    assert row.served == [] if not hedge_wins else [part.rung for part in row.served] == [1]


def test_a_fallback_that_beats_the_first_attempt_is_no_hedge_that_won(tmp_path: Path):
    row = row_of(
        tmp_path,
        [
            intent("inf_1"),
            intent("inf_1", attempt=2, cause="hedge", rung=1),
            settle("inf_1", attempt=2, final=False, outcome="error", cost_nanousd=5),
            intent("inf_1", attempt=3, cause="fallback", rung=2),
            settle(
                "inf_1", final=False, outcome="cancelled", error_code="hedge_lost", cost_nanousd=7
            ),
            settle("inf_1", attempt=3),
        ],
    )
    assert (row.hedges, row.hedges_won, row.fallbacks) == (1, 0, 1)
    assert (row.wasted_nanousd, row.hedge_nanousd) == (12, 7)


def test_a_usual_inference_is_its_own_first_attempt(tmp_path: Path):
    row = row_of(tmp_path, [*pair("inf_1"), *pair("inf_2", rung=1)])
    assert row.first == row.seen == row.all_attempts
    assert not row.used
    assert (row.attempts, row.served, row.wasted_nanousd) == (2, [], 0)
    assert in_words(row) == (
        "1.00 attempts per inference. 20.0% of input tokens came from prompt caches."
    )


def test_a_rung_that_was_passed_over_is_a_fallback(tmp_path: Path):
    row = row_of(tmp_path, pair("inf_1", cause="fallback", rung=1))
    assert row.used
    assert (row.attempts, row.fallbacks, row.rescued) == (1, 1, 0)
    assert row.first == row.seen


def test_everything_in_words(tmp_path: Path):
    stale = settle(
        "inf_3", attempt=2, cost_nanousd=0, saved_nanousd=2_000_000, usage=Usage(),
        usage_source="none",
    )  # fmt: skip
    row = row_of(
        tmp_path,
        [
            *hedged("inf_1", hedge_wins=True, loser_last=False),
            intent("inf_2"),
            intent("inf_2", attempt=2, cause="retry"),
            settle("inf_2", final=False, outcome="error", cost_nanousd=0, usage=Usage()),
            settle("inf_2", attempt=2),
            intent("inf_3"),
            settle("inf_3", final=False, outcome="timeout", cost_nanousd=0, usage=Usage()),
            intent("inf_3", attempt=2, cause="stale"),
            stale,
            *pair("inf_4"),
        ],
    )
    assert in_words(row) == (
        "1.50 attempts per inference: 1 retry (25.0%); 1 hedge (25.0%), of which 1 won. "
        "Ended well further down: 1 on rung 1 (25.0%). "
        "From the response cache: 1 stale (25.0%); saved $0.002. "
        "2 inferences rescued: a first attempt had failed. "
        "Attempts that were not used cost $0.00000004 (1.1%), $0.00000004 of it for hedging. "
        "20.0% of input tokens came from prompt caches."
    )


def test_nothing_to_tell(tmp_path: Path):
    reader = open_reader(tmp_path, CLOCK)
    assert ladder_by_route(reader, *SPAN) == []
    record(tmp_path, [intent("inf_open")])
    assert ladder_by_route(reader, *SPAN) == []
