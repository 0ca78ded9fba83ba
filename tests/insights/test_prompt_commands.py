"""`trimtab prompts versions` and `drift`, and the gateway that tells of drift by itself."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from config.projects import MINIMAL
from insights.prompt_traffic import FIRST_NS, Behaviour, served, use, write
from store.samples import CLOCK, DAY_NS
from trimtab import app as composition
from trimtab.alerts.outbox_file import OutboxFile
from trimtab.app import App
from trimtab.cli.output import console
from trimtab.cli.prompts.versions import drift, versions
from trimtab.insights.prompt_drift import DriftReport, drift_report
from trimtab.store.protocol import Reader
from trimtab.testing import FrozenClock

DAYS, CHANGE, DAILY = 28, 22, 180
NAME = "support/[bold]triage"  # a name is text, not markup

prompts = typer.Typer()
prompts.command()(versions)
prompts.command()(drift)


def fill(folder: Path, first_ns: int) -> Path:
    """A project whose version v12 has drifted, and whose v13 is new; 28 days since `first_ns`."""
    (folder / "trimtab.toml").write_text(MINIMAL, encoding="utf-8")
    grown = Behaviour(tokens=390)
    days = [
        served(
            use("v12", NAME), day, DAILY, grown if day >= CHANGE else Behaviour(), first_ns=first_ns
        )
        for day in range(DAYS)
    ]
    canary = served(use("v13", NAME, "canary"), DAYS - 1, 20, first_ns=first_ns)
    write(folder / ".trimtab", *days, canary)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    midnight_ns = CLOCK.wall_ns() // DAY_NS * DAY_NS
    return fill(tmp_path_factory.mktemp("project"), midnight_ns - DAYS * DAY_NS)


@pytest.fixture
def run(folder: Path) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(prompts, [*arguments, "-p", str(folder)])
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_versions_as_a_table(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run("versions", NAME, "--since", "4w")
    assert "Versions of prompts, last 4w" in wide
    released, canary = (line for line in wide.splitlines() if line.startswith(NAME))
    assert "v12" in released
    assert "released" in released
    assert "canary" in canary
    assert "±" in released
    assert "±" not in canary  # of 20 inferences
    assert max(map(len, wide.splitlines())) <= 160
    assert released.endswith(canary[-10:])  # both were served on the last whole day
    monkeypatch.setattr(console, "width", 100)
    narrow = run("versions", "--since", "4w")
    assert "±" not in narrow
    assert max(map(len, narrow.splitlines())) <= 100


def test_versions_as_json(run: Callable[..., str]) -> None:
    found: list[dict[str, Any]] = json.loads(run("versions", "--json", "--since", "9w"))
    assert [(one["version"], one["arm"], one["inferences"]) for one in found] == [
        ("v12", "released", DAYS * DAILY),
        ("v13", "canary", 20),
    ]
    assert found[0]["errors"].keys() == {"estimate", "low", "high", "inferences"}
    assert found[1]["mean_cost_nanousd"]["low"] is None


def test_drift_in_words(run: Callable[..., str]) -> None:
    told = run("drift")
    sentences = [line for line in told.splitlines() if line.startswith(f"{NAME} v12: since ")]
    assert len(sentences) == 2
    assert any("the typical answer has" in sentence for sentence in sentences)
    assert "after 8 days" in told
    report = json.loads(run("drift", NAME, "--json"))
    assert {alarm["metric"] for alarm in report["alarms"]} == {"output", "cost"}
    assert [one["alarms"] for one in report["watched"]] == [2, 0]


def test_a_prompt_that_nobody_calls(run: Callable[..., str]) -> None:
    assert "No inference of prompt [x] in the last 7d" in run("versions", "[x]")
    assert "No version of prompt [x] was served" in run("drift", "[x]")
    assert json.loads(run("drift", "[x]", "--json"))["watched"] == []


def test_the_gateway_tells_each_drift_once_and_survives_a_look_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = fill(tmp_path, FIRST_NS)
    clock = FrozenClock(FIRST_NS + DAYS * DAY_NS + 1)
    looks: list[int] = []
    loops: list[asyncio.AbstractEventLoop] = []
    done = asyncio.Event()

    def look(reader: Reader, *, now_ns: int) -> DriftReport:
        looks.append(now_ns)
        if len(looks) == 1:
            raise OSError("the disk is gone")
        if len(looks) == 4:
            loops[0].call_soon_threadsafe(done.set)
        return drift_report(reader, now_ns=now_ns)

    async def four_looks(app: App) -> None:
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            tending = group.create_task(app.tend_drift())
            await done.wait()
            tending.cancel()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        app = await App.open(folder / "trimtab.toml", clock)
        try:
            await four_looks(app)
        finally:
            await app.close()

    monkeypatch.setattr(composition, "drift_report", look)
    monkeypatch.setattr(composition, "_FIRST_DRIFT_S", 0.0)
    monkeypatch.setattr(composition, "_DRIFT_PAUSE_S", 0.0)
    asyncio.run(serve())
    assert "the look for drift failed" in caplog.text
    file = OutboxFile(folder / ".trimtab", clock)
    kept = file.newest(None)
    file.close()
    assert sorted(one.alert.key.split("/")[-2] for one in kept) == ["cost", "output"]
    assert {one.alert.kind for one in kept} == {"drift"}
