"""`make bench`: a first figure of what the gateway costs, beside a direct call, in one run.

CPU is the scheduler's account of the whole process over requests served. Gateway, provider and
load generator are processes of their own on loopback; rounds are interleaved, medians reported.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

_PROJECT = """\
[server]
port = 0
[providers.fake]
kind = "openai"
base_url = "{url}"
[models.fast]
ref = "fake:gpt-bench"
price = {{input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}}
[models.paced]
ref = "fake:paced"
price = {{input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}}
"""
_FRAMES = 64
_SCRIPT = {
    "calls": [{"tokens": 380}],
    "models": {"paced": [{"tokens": _FRAMES, "token_every_s": 0.01}]},
}


class _Load(NamedTuple):
    name: str
    model: str
    connections: int
    seconds: float
    streamed: bool


_LOADS = (
    _Load("whole answers, 32 connections", "fast", 32, 3.0, streamed=False),
    _Load("whole answers, one after another", "fast", 1, 2.0, streamed=False),
    _Load(f"streams of {_FRAMES} frames, 256 at once", "paced", 256, 3.0, streamed=True),
    _Load(f"streams of {_FRAMES} frames, 16 at once", "paced", 16, 3.0, streamed=True),
)


@contextmanager
def _process(*command: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A process of ours, and the base URL in its first line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.search(r"http://\S+/v1", process.stdout.readline())
        assert found is not None, f"{command} did not start"
        yield process, found[0]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def _cpu_us(pid: int) -> float:
    """CPU time of all threads, from the scheduler, in microseconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return (
        sum(int((task / "schedstat").read_text(encoding="utf-8").split()[0]) for task in tasks)
        / 1000
    )


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def _run(url: str, load: _Load) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", url, "--model", load.model]
    command += ["--connections", str(load.connections), "--seconds", str(load.seconds)]
    done = subprocess.run(
        command + ["--streamed"] * load.streamed, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def _measure(load: _Load, *, direct: str, ours: str, pid: int, rounds: int) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []
    for _ in range(rounds):
        straight = _run(direct, load)
        before_us = _cpu_us(pid)
        through = _run(ours, load)
        cpu_us = _cpu_us(pid) - before_us
        assert not straight["failed"], straight
        assert not through["failed"], through
        rows.append(
            {
                "cpu_us_per_request": cpu_us / through["requests"],
                "cpu_us_per_frame": cpu_us / max(through["frames"], 1),
                "requests_per_s": through["requests_per_s"],
                "direct_requests_per_s": straight["requests_per_s"],
                "added_p50_ms": through["p50_ms"] - straight["p50_ms"],
                "added_p99_ms": through["p99_ms"] - straight["p99_ms"],
                "added_first_p50_ms": through["first_p50_ms"] - straight["first_p50_ms"],
                "added_first_p99_ms": through["first_p99_ms"] - straight["first_p99_ms"],
            }
        )
    return {key: round(median(row[key] for row in rows), 2) for key in rows[0]}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "script.json").write_text(json.dumps(_SCRIPT))
        provider = (
            sys.executable,
            "-m",
            "trimtab.testing",
            "--script",
            str(folder / "script.json"),
        )
        with _process(*provider) as (_, direct):
            (folder / "trimtab.toml").write_text(_PROJECT.format(url=direct))
            command = (sys.executable, "-m", "trimtab", "up", "--project", name)
            with _process(*command) as (gateway, ours):
                _report(gateway.pid, direct=direct, ours=ours, rounds=options.rounds)


def _report(pid: int, *, direct: str, ours: str, rounds: int) -> None:
    idle_mb = _memory_mb(pid)
    for load in _LOADS:
        figures = _measure(load, direct=direct, ours=ours, pid=pid, rounds=rounds)
        print(f"\n{load.name} (medians of {rounds} interleaved rounds)")
        for key, value in figures.items():
            if load.streamed or "frame" not in key:
                print(f"  {key:24}{value:>12,}")
    print(f"\nmemory: {idle_mb:.0f} MB idle, {_memory_mb(pid):.0f} MB after this")


if __name__ == "__main__":
    main()
