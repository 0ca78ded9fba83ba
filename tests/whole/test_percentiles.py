"""Percentiles of a hundred thousand latencies, by the command line, within 1 % of the truth."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from math import ceil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness import project_text, trimtab
from store.samples import CLOCK, intent, record, settle
from trimtab.store.chain import Record
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

COUNT = 100_000
SPAN_NS = 20 * 3_600 * NS_PER_S
DEADLINE_US = 30_000_000
TTFT_LIMIT_US = 8_000_000
RANKS = {"p50_ms": 0.5, "p90_ms": 0.9, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999}
GROUPS = {"total": "''", "model": "provider || ':' || model", "route": "route", "user": "user"}
COLUMNS = {"total": "latency_us", "ttft": "ttft_us"}


def traffic(now_ns: int) -> Iterator[Record]:
    """Pareto with an infinite mean: the tail reaches the deadline, and is cut off there."""
    rng = Random(20_261_123)
    for number in range(COUNT):
        inference_id = f"inf_{number:06}"
        streamed = number % 4 > 0
        ttft_us = int(40_000 * rng.paretovariate(0.8)) if streamed else None
        latency_us = int(120_000 * rng.paretovariate(0.9)) + (ttft_us or 0)
        late_ttft = ttft_us is not None and ttft_us >= TTFT_LIMIT_US
        if late_ttft:
            ttft_us = latency_us = TTFT_LIMIT_US
        late = late_ttft or latency_us >= DEADLINE_US
        yield intent(
            inference_id,
            started_ns=now_ns - SPAN_NS + number * SPAN_NS // COUNT,
            caller=Caller("", "", f"user{rng.randrange(12)}", ""),
            route=f"route{rng.randrange(3)}",
            model=f"model{rng.randrange(4)}",
            streamed=streamed,
        )
        yield settle(
            inference_id,
            outcome="timeout" if late else "ok",
            latency_us=min(latency_us, DEADLINE_US),
            ttft_us=ttft_us,
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("percentiles")
    (folder / "trimtab.toml").write_text(project_text("http://127.0.0.1:9/v1"))
    record(folder / ".trimtab", traffic(CLOCK.wall_ns()))
    return folder


def exact(folder: Path, group: str, column: str) -> dict[str, list[int]]:
    """The sorted values of `column` in the event rows, by the SQL expression `group`."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for path in (folder / ".trimtab").glob("events-*.sqlite"):
        with closing(sqlite3.connect(path)) as db:
            sql = f"SELECT {group}, {column} FROM events WHERE {column} IS NOT NULL"
            for value, number in db.execute(sql):
                found[value].append(number)
    return {value: sorted(numbers) for value, numbers in found.items()}


def assert_close(part: dict[str, Any], numbers: list[int]) -> None:
    assert part["count"] == len(numbers)
    for name, q in RANKS.items():
        truth_ms = numbers[max(ceil(q * len(numbers)), 1) - 1] / 1_000
        assert part[name] == pytest.approx(truth_ms, rel=0.01), name
    assert part["max_ms"] == numbers[-1] / 1_000


@pytest.mark.parametrize("by", GROUPS)
def test_every_percentile_is_within_one_percent(folder: Path, by: str):
    done = trimtab("latency", "--by", by, "--since", "24h", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    rows = {row["value"]: row for row in json.loads(done.stdout)}
    for part, column in COLUMNS.items():
        truth = exact(folder, GROUPS[by], column)
        assert rows.keys() == truth.keys()
        for value, numbers in truth.items():
            assert_close(rows[value][part], numbers)
    assert sum(row["requests"] for row in rows.values()) == COUNT


def test_timeouts_count_at_their_deadline(folder: Path):
    done = trimtab("latency", "--by", "total", "--json", folder=folder)
    row = json.loads(done.stdout)[0]
    late = exact(folder, "outcome", "latency_us")["timeout"]
    assert row["timeouts"] == len(late) > COUNT // 500
    assert set(late) == {TTFT_LIMIT_US, DEADLINE_US}
    # So many reach the deadline that the tail stands there, instead of vanishing from the figures.
    assert row["total"]["p999_ms"] == pytest.approx(DEADLINE_US / 1_000, rel=0.01)
    assert row["ttft"]["p999_ms"] == pytest.approx(TTFT_LIMIT_US / 1_000, rel=0.01)
    assert row["total"]["max_ms"] == DEADLINE_US / 1_000
