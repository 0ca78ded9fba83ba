"""The physical calls of an inference: one, several, over or not, also after a rebuild."""

import asyncio
from pathlib import Path

import pytest

from store.samples import CLOCK, NOON_NS, intent, pair, record, rows, settle
from trimtab.store.chain import Record
from trimtab.store.records import AttemptRecord
from trimtab.store.sqlite import open_ledger, open_reader, rebuild
from trimtab.types.usage import Usage


def attempts(data_dir: Path, inference_id: str) -> list[AttemptRecord]:
    return open_reader(data_dir, CLOCK).attempts(inference_id)


def second_try() -> list[Record]:
    return [
        intent("inf_1", hold_nanousd=7_000),
        settle(
            "inf_1",
            final=False,
            outcome="timeout",
            latency_us=400_000,
            ttft_us=None,
            status=0,
            error_code="provider_timeout",
            usage=Usage(input_tokens=9, input_audio_tokens=4),
            usage_source="estimated",
            cost_nanousd=300,
            provider_request_id="",
        ),
        intent("inf_1", attempt=2, provider="local", model="smol", after_us=450_000),
        settle("inf_1", attempt=2, latency_us=900_000),
    ]


SECOND = AttemptRecord(
    attempt=2,
    provider="local",
    model="smol",
    after_us=450_000,
    latency_us=900_000,
    ttft_us=200_000,
    outcome="ok",
    status=200,
    usage=Usage(input_tokens=100, cache_read_tokens=20, output_tokens=50),
    cost_nanousd=1_200,
    usage_source="reported",
    hold_nanousd=5_000,
    price_version="2026-11-01",
    provider_request_id="req_1",
    settled=True,
)


def test_a_single_attempt_is_told_by_its_event(tmp_path: Path) -> None:
    usage = Usage(10, 1, 2, 3, 20, 4, 5, 6)
    record(tmp_path, [intent("inf_1", hold_nanousd=77), settle("inf_1", usage=usage)])
    [found] = attempts(tmp_path, "inf_1")
    assert (found.attempt, found.after_us, found.hold_nanousd) == (1, 0, 77)
    assert (found.provider, found.provider_request_id) == ("openai", "req_1")
    assert (found.usage, found.outcome, found.settled) == (usage, "ok", True)
    assert rows(tmp_path / "events-2026-11-23.sqlite", "SELECT * FROM attempts") == []
    assert attempts(tmp_path, "inf_9") == []


@pytest.mark.parametrize("chunk", [1, 3, 1_000])
def test_several_in_order_of_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("trimtab.store.sqlite.projector._CHUNK", chunk)
    record(tmp_path, second_try())
    first, second = attempts(tmp_path, "inf_1")
    assert second == SECOND
    assert (first.outcome, first.cost_nanousd, first.hold_nanousd) == ("timeout", 300, 7_000)
    assert first.usage == Usage(input_tokens=9, input_audio_tokens=4)
    assert (first.latency_us, first.ttft_us, first.error_code) == (
        400_000,
        None,
        "provider_timeout",
    )
    rebuild(tmp_path)
    assert attempts(tmp_path, "inf_1") == [first, second]


def test_one_that_is_not_over_counts_at_its_hold(tmp_path: Path) -> None:
    record(tmp_path, second_try()[:3])
    first, second = attempts(tmp_path, "inf_1")
    assert first.settled
    assert (second.settled, second.outcome, second.latency_us) == (False, None, None)
    assert (second.hold_nanousd, second.after_us, second.provider) == (5_000, 450_000, "local")


def test_cause_and_rung_are_told(tmp_path: Path) -> None:
    record(
        tmp_path,
        [
            intent("inf_1"),
            settle("inf_1", final=False, outcome="error", error_code="provider_error"),
            intent("inf_1", attempt=2, cause="fallback", rung=2),
            settle("inf_1", attempt=2),
            *pair("inf_2", cause="fallback", rung=1),
            intent("inf_3", cause="hedge", rung=3),
        ],
    )

    def told(inference_id: str) -> list[tuple[str, int]]:
        return [(found.cause, found.rung) for found in attempts(tmp_path, inference_id)]

    assert told("inf_1") == [("first", 0), ("fallback", 2)]
    assert told("inf_2") == [("fallback", 1)]
    assert told("inf_3") == [("hedge", 3)]


def test_an_answer_from_the_response_cache_is_an_attempt_without_a_call(tmp_path: Path) -> None:
    free = {"cost_nanousd": 0, "usage": Usage(), "usage_source": "none", "saved_nanousd": 900}
    record(
        tmp_path,
        [
            intent("inf_1", cause="cache"),
            settle("inf_1", **free),
            intent("inf_2"),
            settle("inf_2", final=False, outcome="timeout"),
            intent("inf_2", attempt=2, cause="stale"),
            settle("inf_2", attempt=2, **free),
        ],
    )
    reader = open_reader(tmp_path, CLOCK)
    assert [found.cause for found in reader.attempts("inf_1")] == ["cache"]
    assert [found.cause for found in reader.attempts("inf_2")] == ["first", "stale"]
    cached, stale = reader.event("inf_1"), reader.event("inf_2")
    assert cached is not None
    assert stale is not None
    assert (cached.attempts, cached.cause, cached.saved_nanousd) == (0, "cache", 900)
    assert (stale.attempts, stale.cause, stale.wasted_nanousd) == (1, "stale", 1_200)


async def _while_open(data_dir: Path) -> list[AttemptRecord]:
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_live"))
    found = attempts(data_dir, "inf_live")
    await ledger.record_settle(settle("inf_live"))
    await ledger.close()
    return found


def test_an_inference_in_flight(tmp_path: Path) -> None:
    [found] = asyncio.run(_while_open(tmp_path))
    assert not found.settled
    assert open_reader(tmp_path, CLOCK).event("inf_live") is not None


def test_the_first_day_of_which_there_is_more_than_sums(tmp_path: Path) -> None:
    reader = open_reader(tmp_path, CLOCK)
    assert reader.first_day() is None
    record(tmp_path, [*pair("inf_1"), *pair("inf_2", started_ns=NOON_NS - 3 * 86_400 * 10**9)])
    assert reader.first_day() == "2026-11-20"
