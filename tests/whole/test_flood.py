"""Three times what the gateway can do: the excess is refused, nothing is lost, it recovers."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness import Gateway, project_text, running_gateway
from server.wire import resident_bytes
from trimtab.archive import verify_store
from trimtab.testing import Behaviour, running_fault_provider

MB = 1_000_000
FOREVER_NS = 1 << 62


@contextmanager
def provider_process() -> Generator[str]:
    """A healthy provider that keeps nothing; its base URL."""
    command = [sys.executable, "-m", "trimtab.testing"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def flood(gateway: Gateway, rate: float, seconds: float) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "whole.flood", str(gateway.port), str(rate), str(seconds)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answers_soon(gateway: Gateway, within_s: float) -> None:
    """Healthy, and not only in name: a whole inference in so many seconds."""
    begun_s = time.monotonic()
    assert gateway.chat().status == 200
    assert time.monotonic() - begun_s < within_s


def check_records(gateway: Gateway, answered: int) -> None:
    """Each answer that a caller got is on record once, and nothing that was refused is."""
    (total,) = gateway.reader().usage_by("total", 0, FOREVER_NS)
    assert (total.requests, total.ok) == (answered, answered)


def check_refusals(found: dict[str, Any]) -> None:
    assert "503 without retry-after" not in found
    assert found["unanswered"] == 0
    assert found.get("200", 0) + found.get("503", 0) == found["asked"], found


def run(folder: Path, seconds: float) -> dict[str, Any]:
    """At most 50 at once and 0.1 s for each are 500 a second; 1,500 are asked for."""
    with running_fault_provider(Behaviour(headers_after_s=0.1)) as provider:
        text = project_text(provider.base_url, server="max_inflight = 50")
        with running_gateway(folder, text) as gateway:
            answers_soon(gateway, 5)
            flood(gateway, 1500, 2)  # what is needed at all is allocated now
            before = resident_bytes(gateway.process.pid)
            found = flood(gateway, 1500, seconds)
            answers_soon(gateway, 1)
            check_refusals(found)
            assert resident_bytes(gateway.process.pid) - before < 15 * MB
        report = verify_store(folder / "trimtab.toml")
        assert report.ok, report.findings
        assert (report.unsettled, report.in_flight) == (0, 0)
        assert report.settles == len(provider.calls)
    return found


def test_the_excess_of_a_flood_is_refused_and_nothing_is_lost(project_folder: Path):
    found = run(project_folder, 8)
    assert found["503"] > found["200"] > 0.5 * 8 * 500


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_flood_of_a_minute(project_folder: Path):
    found = run(project_folder, 60)
    assert found["503"] > found["200"] > 0.8 * 60 * 500
    sys.stdout.write(f"{found}\n")


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_flood_of_three_times_what_the_processor_can_do(project_folder: Path):
    """The limit is not a number of the project, but the core that the gateway runs on."""
    with provider_process() as base_url:
        text = project_text(base_url, server="max_inflight = 500")
        with running_gateway(project_folder, text) as gateway:
            capacity = flood(gateway, 0, 5)
            before = resident_bytes(gateway.process.pid)
            found = flood(gateway, 3 * capacity["asked_per_s"], 60)
            answers_soon(gateway, 1)
            grown_mb = (resident_bytes(gateway.process.pid) - before) / MB
            check_refusals(found)
            check_records(gateway, 1 + capacity["200"] + found["200"])
        report = verify_store(project_folder / "trimtab.toml")
    assert report.ok, report.findings
    assert (report.unsettled, report.in_flight) == (0, 0)
    assert grown_mb < 100
    sys.stdout.write(f"capacity {capacity}\nflood {found}\ngrown {grown_mb:.1f} MB\n")
