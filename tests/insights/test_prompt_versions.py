"""What is told of each version, against a straight look at events."""

from math import sqrt
from pathlib import Path
from random import Random
from statistics import fmean, stdev

import pytest

from insights.prompt_traffic import FIRST_NS, Behaviour, reader_of, served, use, write
from store.samples import DAY_NS, all_events, intent, settle
from trimtab.insights.prompt_versions import (
    LEAST_FOR_INTERVAL,
    Figure,
    VersionFigures,
    version_report,
)
from trimtab.stats.sequential import wilson
from trimtab.store.chain import Record
from trimtab.store.protocol import Reader
from trimtab.store.records import Event
from trimtab.types.clock import NS_PER_S
from trimtab.types.usage import Usage

NAME = "support/triage"


def report(reader: Reader, prompt: str | None = None) -> list[VersionFigures]:
    until_ns = FIRST_NS + 5 * DAY_NS
    return version_report(reader, since_ns=FIRST_NS, until_ns=until_ns, prompt=prompt)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("versions")
    write(
        folder,
        *(served(use("v1", NAME), day, 150) for day in range(5)),
        *(served(use("v2", NAME, "canary"), day, 40, Behaviour(wrong=0.2)) for day in (2, 3)),
        *(served(use("v2", NAME, "shadow"), day, 30) for day in (1, 2)),
        served(use("v7", "other"), 4, 10),
    )
    return reader_of(folder)


def figure_of(hits: int, count: int) -> Figure:
    share, low, high, inferences = wilson(hits, count)
    return Figure(estimate=share, low=low, high=high, inferences=inferences)


def test_versions_and_arms_stand_apart(reader: Reader) -> None:
    found = report(reader)
    assert [(f.prompt, f.version, f.arm, f.inferences) for f in found] == [
        ("other", "v7", "released", 10),
        (NAME, "v1", "released", 750),
        (NAME, "v2", "shadow", 60),
        (NAME, "v2", "canary", 80),
    ]
    assert [(f.first_day, f.last_day) for f in found] == [
        ("2026-11-27", "2026-11-27"),
        ("2026-11-23", "2026-11-27"),
        ("2026-11-24", "2026-11-25"),
        ("2026-11-25", "2026-11-26"),
    ]
    [only] = report(reader, "other")
    assert only == found[0]


def nearest(values: list[float], q: float) -> float:
    return sorted(values)[-int(-q * len(values) // 1) - 1]


def test_figures_are_those_of_the_events(reader: Reader) -> None:
    for line in report(reader, NAME):
        events: list[Event] = all_events(
            reader, where={"prompt_hash": line.hash, "prompt_arm": line.arm}
        )
        answers = [event for event in events if event.outcome == "ok"]
        assert line.errors == figure_of(len(events) - len(answers), len(events))
        invalid = sum(event.form == "invalid" for event in events)
        assert line.invalid == figure_of(invalid, len(answers))
        refused = sum(event.finish_reason == "refusal" for event in answers)
        assert line.refused == figure_of(refused, len(answers))
        costs = [event.cost_nanousd for event in events]
        assert line.cost_nanousd == sum(costs)
        mean, half = line.mean_cost_nanousd, 1.96 * stdev(costs) / sqrt(len(costs))
        assert mean is not None
        assert mean.estimate == fmean(costs)
        assert mean.low == pytest.approx(mean.estimate - half, abs=0.03 * half)
        assert mean.high == pytest.approx(mean.estimate + half, abs=0.03 * half)
        assert line.mean_output_tokens == fmean(event.output_tokens for event in answers)
        latencies = [event.latency_us / 1_000 for event in events]
        assert line.latency_p50_ms == pytest.approx(nearest(latencies, 0.5), rel=0.01)
        assert line.latency_p95_ms == pytest.approx(nearest(latencies, 0.95), rel=0.01)


def test_what_nobody_can_tell_is_none(tmp_path: Path) -> None:
    gone = settle("a", outcome="cancelled", cost_nanousd=90, usage=Usage())
    cached = settle("b", cost_nanousd=0, usage=Usage())
    prompt = use("v1", NAME)
    begun = [intent("a", prompt=prompt), gone, intent("b", prompt=prompt, cause="cache"), cached]
    write(tmp_path, iter(begun))
    [line] = report(reader_of(tmp_path))
    assert (line.inferences, line.cancelled, line.cached) == (2, 1, 1)
    assert line.errors is line.invalid is line.refused is line.mean_output_tokens is None
    assert line.mean_cost_nanousd == Figure(estimate=90.0, low=None, high=None, inferences=1)
    assert version_report(reader_of(tmp_path), since_ns=0, until_ns=FIRST_NS) == []


def test_a_version_that_called_nobody_has_no_latency(tmp_path: Path) -> None:
    cached = [intent("b", prompt=use("v1", NAME), cause="cache"), settle("b", cost_nanousd=0)]
    write(tmp_path, iter(cached))
    [line] = report(reader_of(tmp_path))
    assert (line.latency_p50_ms, line.latency_p95_ms, line.mean_cost_nanousd) == (None, None, None)


def test_the_interval_of_the_mean_holds_what_it_says(tmp_path: Path) -> None:
    """True means of log-normal costs, in at least 90 of 100 samples of 200."""
    rng, held, true_mean = Random(7), 0, 50_000 * 2.718281828 ** (0.5**2 / 2)
    parts: list[Record] = []
    for sample in range(100):
        prompt = use(f"v{sample}", NAME)
        for number in range(200):
            name = f"{sample}/{number}"
            cost = round(rng.lognormvariate(0, 0.5) * 50_000)
            started_ns = FIRST_NS + sample * NS_PER_S
            parts += [intent(name, prompt=prompt, started_ns=started_ns)]
            parts += [settle(name, cost_nanousd=cost)]
    write(tmp_path, iter(parts))
    for line in report(reader_of(tmp_path)):
        mean = line.mean_cost_nanousd
        assert mean is not None
        assert mean.inferences >= LEAST_FOR_INTERVAL
        assert mean.low is not None
        assert mean.high is not None
        held += mean.low <= true_mean <= mean.high
    assert 90 <= held <= 99
