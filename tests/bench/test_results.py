"""Medians, ratios inside a round, goals and the report, from given figures."""

from pathlib import Path

import pytest
from bench.contenders import CONTENDERS, DIRECT, LITELLM, NGINX, OURS, PORTKEY, SMG
from bench.goals import GOALS
from bench.load import Tally
from bench.loads import LOADS, STREAMS, STREAMS_256, WHOLE
from bench.machine import Machine, read_machine
from bench.provider import FRAMES
from bench.report import Facts, capacity, number, quiet, render_report, show, table
from bench.results import (
    Figures,
    Results,
    Spread,
    added,
    cpu_per_frame,
    cpu_per_request,
    figures_of,
    percentile,
    ratio,
    requests_per_s,
    total_p50,
    values,
)


def figures(
    cpu_us: float | None, *, ms: float = 1.0, answers: int = 1000, problem: str | None = None
) -> Figures:
    return Figures(
        answers=answers,
        seconds=2.0,
        frames=answers * FRAMES,
        streamed=False,
        total_p50_ms=ms,
        total_p99_ms=2 * ms,
        first_p50_ms=ms,
        first_p99_ms=2 * ms,
        cpu_us=cpu_us,
        foreign=0.01,
        problem=problem,
    )


def results() -> Results:
    """Ours costs 50, 40, 60 us a request, LiteLLM 12,000, 10,000: two rounds, for it is slow."""
    found = Results({}, {}, {}, {SMG: "not installed: make bench-peers"})
    for load in LOADS:
        found.rounds[DIRECT, load.key] = [figures(None, ms=0.5, answers=9000)] * 3
        found.rounds[OURS, load.key] = [figures(us * 1000.0, ms=0.75) for us in (50, 40, 60)]
        found.rounds[NGINX, load.key] = [figures(20_000.0, ms=0.6)] * 3
        found.rounds[LITELLM, load.key] = [figures(us, ms=20.5) for us in (12e6, 10e6)]
        broken = figures(None, answers=0, problem="answered 500: Something went wrong")
        found.rounds[PORTKEY, load.key] = [broken if load.streamed else figures(2e6)]
    for name in (OURS, NGINX, LITELLM, PORTKEY):
        found.starts_s[name] = [0.5, 0.4, 0.6]
        found.memory_mb[name] = [(1, 40.0), (20_000, 60.0)]
    found.memory_mb[OURS].append((100_000, 61.0))
    return found


def facts() -> Facts:
    machine = Machine(2, "A processor", 24.0, "Linux 6.1", "3.11.7", "ext4")
    versions: dict[str, str] = dict.fromkeys((OURS, NGINX, LITELLM, PORTKEY), "1.0")
    return Facts("2026-11-24 10:00 UTC", "make bench", 300.0, machine, versions)


def test_a_median_has_its_range():
    found = values(results(), OURS, cpu_per_request, load=WHOLE)
    assert found == Spread(50.0, 40.0, 60.0, 3)
    assert show(found) == "50.0 (40.0 to 60.0)"
    assert show(Spread(1234.5, 1234.5, 1234.5, 1)) == "1,234"
    assert show(None) == "-"


def test_a_ratio_is_of_figures_of_the_same_round():
    found = ratio(results(), (LITELLM, OURS), cpu_per_request, load=WHOLE)
    assert found == Spread(245.0, 240.0, 250.0, 2)


def test_a_ratio_of_what_is_added_leaves_the_direct_call_out():
    found = ratio(results(), (LITELLM, OURS), total_p50, load=WHOLE, over_direct=True)
    assert found is not None
    assert found.median == pytest.approx(80.0)
    extra = added(results(), OURS, total_p50, load=WHOLE)
    assert extra is not None
    assert extra.median == pytest.approx(0.25)


def test_what_failed_or_is_absent_has_no_figure():
    assert values(results(), PORTKEY, cpu_per_frame, load=STREAMS) is None
    assert values(results(), SMG, requests_per_s, load=WHOLE) is None
    assert ratio(results(), (SMG, OURS), cpu_per_request, load=WHOLE) is None


def test_cpu_per_frame_is_over_what_the_provider_sent():
    found = values(results(), NGINX, cpu_per_frame, load=STREAMS_256)
    assert found is not None
    assert found.median == pytest.approx(20 / FRAMES)


@pytest.mark.parametrize(("q", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_percentiles_are_of_nearest_rank(q: float, expected: int):
    assert percentile(range(1, 101), q) == expected


def test_a_tally_without_answers_is_a_problem():
    assert figures_of(Tally(), streamed=False, cpu_us=1.0).problem == "no answer in its time"


def test_goals_are_judged_on_the_median():
    outcomes = {goal.title: goal.outcome(results()) for goal in GOALS}
    reached = {title: outcome.reached for title, outcome in outcomes.items()}
    assert reached["CPU per request, 32 connections, LiteLLM / ours"] is True
    assert reached["CPU per request, 32 connections, Portkey / ours"] is True
    assert reached["CPU per request, 32 connections, smg / ours"] is None
    assert reached["CPU per request, 32 connections, ours / nginx"] is True
    assert reached["CPU per frame, 256 streams, ours / nginx"] is False
    assert reached["memory after 100,000 requests"] is True
    assert reached["start to first answer"] is True


def test_the_report_says_what_was_reached_what_failed_and_what_is_missing():
    report = render_report(results(), facts())
    lines = report.splitlines()

    def line(*words: str) -> str:
        return next(line for line in lines if all(word in line for word in words))

    assert "245 (240 to 250) | reached" in line("LiteLLM / ours", "at least 200")
    assert "**not reached**" in line("ours / nginx", "at most 1.5")
    assert "not measured" in line("smg / ours")
    assert "answered 500: Something went wrong" in line("| Portkey |", "answered")
    assert "not installed: make bench-peers" in line("| smg |")
    assert "61.0 after 100,000" in line("| trimtab |", "after 20,000")
    for contender in CONTENDERS:
        assert contender.command in report
    assert "/work" not in report
    assert "/tmp" not in report


def test_a_slow_load_generator_and_a_noisy_machine_are_warned_of():
    found = results()
    assert "Warning" not in capacity(found) + quiet(found)
    found.rounds[DIRECT, WHOLE.key] = [figures(None, answers=2000)]
    found.rounds[OURS, WHOLE.key] = [figures(50_000.0)._replace(waited=0.2)]
    assert "under 3 times" in capacity(found)
    for load in LOADS:
        found.rounds[NGINX, load.key] = [figures(1.0)._replace(waited=0.3)] * 20
    assert "not quiet" in quiet(found)


def test_numbers_and_tables():
    assert [number(value) for value in (0.123, 12.34, 123.4, 12_345.6)] == [
        "0.12",
        "12.3",
        "123",
        "12,346",
    ]
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_facts_of_this_machine(tmp_path: Path):
    machine = read_machine(tmp_path)
    assert machine.cores > 0
    assert machine.memory_gib > 0
    assert machine.filesystem != "unknown"
