"""What a scrape says, read by the library's own parsers."""

import asyncio
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.figures import OPENMETRICS, REF, families, samples, settle, snapshot, value
from trimtab.gateway.tally import Tally
from trimtab.telemetry.metrics import Metrics
from trimtab.telemetry.snapshot import Snapshot
from trimtab.types.money import NANO_PER_USD
from trimtab.types.refs import ModelRef


def rendered(figures: Snapshot, accept: str = "") -> tuple[str, str]:
    content_type, body = asyncio.run(Metrics(lambda: figures).render(accept))
    return content_type, body.decode()


def large() -> Tally:
    """200 kinds of attempts, and 50 routes' histograms."""
    tally = Tally()
    for number in range(200):
        ref = ModelRef(f"provider-{number % 7}", f"model-{number}")
        tally.settled(settle(), (f"route-{number % 50}", ref, "first"))
    return tally


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_every_figure_has_its_sample(accept: str):
    tally = Tally()
    tally.settled(settle(), ("support", REF, "hedge"))
    _, text = rendered(snapshot(tally), accept)
    found = samples(text, opened=bool(accept))
    kind = {
        "route": "support",
        "provider": "openai",
        "model": "gpt-5-mini",
        "cause": "hedge",
        "outcome": "ok",
    }
    assert value(found, "trimtab_attempts_total", **kind) == 1
    assert value(found, "trimtab_cost_usd_total", **kind) == 0.001234567
    assert value(found, "trimtab_input_tokens_total", **kind) == 10
    assert value(found, "trimtab_output_tokens_total", **kind) == 3
    ended = {"route": "support", "outcome": "ok"}
    latency = "trimtab_inference_duration_seconds"
    assert value(found, f"{latency}_bucket", le="1.0", **ended) == 0
    assert value(found, f"{latency}_bucket", le="2.0", **ended) == 1
    assert value(found, f"{latency}_bucket", le="+Inf", **ended) == 1
    assert value(found, f"{latency}_count", **ended) == 1
    assert value(found, f"{latency}_sum", **ended) == 1.5
    assert value(found, "trimtab_time_to_first_token_seconds_sum", **ended) == 0.2
    assert value(found, "trimtab_inferences_in_flight") == 3
    assert value(found, "trimtab_provider_calls", provider="openai", state="busy") == 2
    assert value(found, "trimtab_provider_calls", provider="openai", state="waiting") == 1
    model = {"provider": "openai", "model": "gpt-5-mini"}
    states = {
        state: value(found, "trimtab_breaker_state", state=state, **model)
        for state in ("closed", "open", "half-open")
    }
    assert states == {"closed": 0, "open": 0, "half-open": 1}
    assert value(found, "trimtab_breaker_failures_in_a_row", **model) == 4
    assert value(found, "trimtab_extra_attempts_total", decision="made") == 5
    assert value(found, "trimtab_extra_attempts_total", decision="refused") == 6
    assert value(found, "trimtab_alerts_total", kind="budget", state="delivered") == 14
    plain = {name: amount for (name, labels), amount in found.items() if not labels}
    assert plain["trimtab_ledger_trouble"] == 1
    assert plain["trimtab_ledger_backlog"] == 7
    assert plain["trimtab_bodies_dropped_total"] == 8
    assert plain["trimtab_cache_hits_total"] == 9
    assert plain["trimtab_cache_stale_hits_total"] == 10
    assert plain["trimtab_cache_misses_total"] == 11
    assert plain["trimtab_cache_dropped_total"] == 12
    assert plain["trimtab_cache_size_bytes"] == 13
    assert plain["process_resident_memory_bytes"] > 1_000_000
    assert {"process_cpu_seconds_total", "process_open_fds", "process_start_time_seconds"} <= set(
        plain
    )
    assert any(name == "trimtab_build_info" for name, _ in found)


def test_a_gateway_that_has_done_nothing_names_all_families():
    _, idle = rendered(snapshot())
    _, busy = rendered(snapshot(large()))
    assert families(idle).keys() == families(busy).keys()


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_many_samples_come_in_pieces_and_read_as_one(accept: str):
    tally = large()
    _, text = rendered(snapshot(tally), accept)
    found = samples(text, opened=bool(accept))  # refuses a family or a sample that comes twice
    assert sum(v for (name, _), v in found.items() if name == "trimtab_attempts_total") == 200
    counts = [v for (name, _), v in found.items() if name.endswith("duration_seconds_count")]
    assert (len(counts), sum(counts)) == (50, 200)
    assert text.count("# EOF\n") == bool(accept)


@given(st.integers(0, 10**15 - 1))
def test_an_amount_is_written_to_the_nano_dollar(nanousd: int):
    tally = Tally()
    tally.settled(settle(cost_nanousd=nanousd), ("r", REF, "first"))
    _, text = rendered(snapshot(tally))
    (line,) = [one for one in text.splitlines() if one.startswith("trimtab_cost_usd_total{")]
    assert Decimal(line.rpartition(" ")[2]) * NANO_PER_USD == nanousd


@given(st.text(max_size=30))
def test_any_name_is_read_back_as_it_is(name: str):
    tally = Tally()
    tally.settled(settle(), (name, REF, "first"))
    figures = snapshot(tally, breakers=(), providers=())
    for accept in ("", OPENMETRICS):
        text = rendered(figures, accept)[1]
        found = [one for one in text.split("\n") if one.startswith("trimtab_attempts_total{")]
        escaped = name.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
        assert len(found) == 1
        assert f'route="{escaped}"' in found[0]


@pytest.mark.parametrize(
    ("accept", "opened"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (OPENMETRICS, True),
        (f"{OPENMETRICS};version=0.0.1,text/plain;q=0.5,*/*;q=0.1", True),
        ("Application/OpenMetrics-Text; version=1.0.0; escaping=allow-utf-8; q=0.6,*/*", True),
        (f"text/plain;version=0.0.4;q=0.9,{OPENMETRICS};q=0.5", False),
        (f"{OPENMETRICS};q=0", False),
        (f"{OPENMETRICS};version=evil", True),
        (f"{OPENMETRICS};version=9.9.9;q=x", True),
        (";;q=,,=;q", False),
    ],
)
def test_the_format_is_the_one_that_is_asked_for(accept: str, opened: bool):
    content_type, text = rendered(snapshot(), accept)
    assert text.endswith("# EOF\n") == opened
    wanted = f"{OPENMETRICS}; version=1.0.0; charset=utf-8"
    assert content_type == (wanted if opened else "text/plain; version=0.0.4; charset=utf-8")


def test_writing_gives_others_their_turn():
    """While thousands of lines are written, what waits is never kept waiting for long."""

    async def longest_pause_s() -> float:
        figures = snapshot(large())
        metrics = Metrics(lambda: figures)
        longest_s = 0.0
        async with asyncio.TaskGroup() as group:
            scrape = group.create_task(metrics.render(OPENMETRICS))
            before_s = time.thread_time()
            while not scrape.done():
                await asyncio.sleep(0)
                now_s = time.thread_time()
                longest_s = max(longest_s, now_s - before_s)
                before_s = now_s
        return longest_s

    # Processor time, and the best of several: other processes, and this one's collector over all
    # that the tests have loaded, may take longer.
    assert min(asyncio.run(longest_pause_s()) for _ in range(5)) < 0.005
