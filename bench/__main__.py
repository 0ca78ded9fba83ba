"""`make bench`: trimtab beside a direct call, nginx and other gateways, in one run on one machine.

A full run writes bench/RESULTS.md. A run of less (--quick, --only, --load) only prints its report.
Peers are installed by `make bench-peers`.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop

from bench.contenders import CONTENDERS, ROOT, Contender
from bench.loads import LOADS
from bench.machine import read_machine
from bench.priority import before_others
from bench.processes import BenchError
from bench.report import Facts, render_report
from bench.results import Results
from bench.run import Plan, run_bench
from trimtab.types.clock import SystemClock

_RESULTS = ROOT / "bench" / "RESULTS.md"
_FOLDER = ROOT / ".bench"
_FULL = Plan(rounds=5, slow_rounds=3, scale=1.0, memory_s=10.0)
_QUICK = Plan(rounds=2, slow_rounds=1, scale=0.3, memory_s=2.0)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    names = [contender.name.lower() for contender in CONTENDERS]
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, help="instead of 5 (3 for slow peers)")
    parser.add_argument("--only", nargs="+", choices=names, help="these contenders")
    parser.add_argument("--load", nargs="+", choices=[load.key for load in LOADS])
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    plan = _QUICK if options.quick else _FULL
    if options.rounds:
        plan = plan._replace(rounds=options.rounds, slow_rounds=options.rounds)
    if options.load:
        plan = plan._replace(loads=[load for load in LOADS if load.key in options.load])
    return plan


def _cores() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("the bench needs two cores: one for the gateway, one for its load")
    return cores[0], cores[1]


def _installed(options: argparse.Namespace) -> tuple[dict[str, str], dict[str, str]]:
    """Versions of those that can run, and why the others cannot."""
    versions: dict[str, str] = {}
    absent: dict[str, str] = {}
    for contender in CONTENDERS:
        if options.only and contender.name.lower() not in options.only:
            absent[contender.name] = "not asked for"
            continue
        version = contender.version()
        if version is None:
            absent[contender.name] = "not installed: make bench-peers"
        else:
            versions[contender.name] = version
    return versions, absent


async def _until_told(work: Coroutine[Any, Any, Results]) -> Results:
    """SIGINT and SIGTERM cancel the work, so that everything it started ends."""
    loop = asyncio.get_running_loop()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        for kind in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(kind, task.cancel)
    return task.result()


def _run(plan: Plan, contenders: Sequence[Contender]) -> Results:
    gateway, load = _cores()
    os.sched_setaffinity(0, {load})
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_FOLDER, prefix="run-") as name:
        work = run_bench(plan, contenders, Path(name), core=gateway, say=_say)
        gc.freeze()
        gc.disable()  # collections are made between the loads
        with before_others(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_until_told(work))


def main() -> int:
    """Measure and write."""
    options = _options()
    plan = _plan(options)
    begun_s = time.monotonic()
    try:
        versions, absent = _installed(options)
        contenders = [contender for contender in CONTENDERS if contender.name in versions]
        results = _run(plan, contenders)
    except BenchError as error:
        _say(f"bench: {error}")
        return 1
    except asyncio.CancelledError:
        _say("bench: stopped; nothing was written")
        return 130
    results.absent.update(absent)
    arguments = f' BENCH_ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""
    now = datetime.fromtimestamp(SystemClock().wall_ns() / 1e9, tz=UTC)
    report = render_report(
        results,
        Facts(
            date=f"{now:%Y-%m-%d %H:%M} UTC",
            command=f"make bench{arguments}",
            took_s=time.monotonic() - begun_s,
            machine=read_machine(_FOLDER),
            versions=versions,
        ),
    )
    if sys.argv[1:]:
        print(report)
    else:
        _RESULTS.write_text(report, encoding="utf-8")
        print(f"{report}\nwritten to bench/RESULTS.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
