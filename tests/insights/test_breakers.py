"""Breakers that are not closed, in words and relative times."""

from pathlib import Path
from typing import Any

import pytest

from store.samples import CLOCK, NOON_NS
from trimtab.insights.breakers import left_alone
from trimtab.store.breaker_file import write_breakers
from trimtab.store.sqlite import open_reader
from trimtab.types.breakers import BreakerRecord, BreakerRecords
from trimtab.types.clock import NS_PER_S


def told(data_dir: Path, *breakers: BreakerRecord) -> list[str]:
    write_breakers(data_dir, BreakerRecords(written_ns=NOON_NS, breakers=list(breakers)))
    return [one.words for one in left_alone(open_reader(data_dir, CLOCK), NOON_NS)]


def breaker(model: str, **changes: Any) -> BreakerRecord:
    values: dict[str, Any] = {"provider": "openai", "state": "open", "failures_in_a_row": 5}
    return BreakerRecord(model=model, **(values | changes))


def test_those_that_are_not_closed_by_name(tmp_path: Path):
    assert told(
        tmp_path,
        breaker("gpt-z", opened_ns=NOON_NS - 7_200 * NS_PER_S, retry_at_ns=NOON_NS - 5),
        breaker("gpt-y", state="closed", failures_in_a_row=0),
        breaker("gpt-x", opened_ns=NOON_NS - 12_900_000_000, retry_at_ns=NOON_NS + 2_100_000_000),
        breaker("gpt-w", state="half-open", opened_ns=NOON_NS - 150 * NS_PER_S),
    ) == [
        "openai:gpt-w is on trial: not closed for 2 min, one call decides",
        "openai:gpt-x is left alone: open for 12 s, next probe in 3 s",
        "openai:gpt-z is left alone: open for 2 h, next probe with the next call",
    ]


def test_times_that_are_not_known_or_lie_ahead(tmp_path: Path):
    assert told(
        tmp_path, breaker("a"), breaker("b", opened_ns=NOON_NS + 9, retry_at_ns=NOON_NS + 1)
    ) == [
        "openai:a is left alone: open, next probe with the next call",
        "openai:b is left alone: open for 0 s, next probe in 1 s",
    ]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"written_ns": 1, "breakers": [7]}', b"\xff"])
def test_what_cannot_be_read_says_nothing(tmp_path: Path, data: bytes):
    reader = open_reader(tmp_path, CLOCK)
    assert left_alone(reader, NOON_NS) == []
    (tmp_path / "breakers.json").write_bytes(data)
    assert left_alone(reader, NOON_NS) == []
