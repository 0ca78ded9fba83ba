"""`make bench-tail`: what callers wait for a provider with a bad tail, with and without trimtab.

A full run writes bench/TAIL.md and bench/TAIL.svg. A shorter one only prints its report.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.contenders import CONTENDERS, OURS, ROOT
from bench.machine import read_machine
from bench.priority import before_others
from bench.processes import BenchError
from bench.tail_arms import WAIT_S
from bench.tail_figure import Line, draw
from bench.tail_report import Facts, render_tail, seconds_of
from bench.tail_run import ArmFigures, Plan, run_tail
from trimtab.types.clock import SystemClock

_PAGE = ROOT / "bench" / "TAIL.md"
_FOLDER = ROOT / ".bench"
_GOAL_S = 1.2 * WAIT_S


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-tail", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,500 inferences per arm")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=80.0, help="a second, in the model world")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    if options.quick:
        return Plan(options.seed, rounds=1, calls=1_500, warm=400, per_s=options.rate)
    return Plan(options.seed, rounds=5, calls=6_000, warm=400, per_s=options.rate)


def _cores() -> tuple[int, int]:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise BenchError("the bench needs two cores: one for the gateway, one for its load")
    return cores[0], cores[1]


def _run(plan: Plan) -> list[ArmFigures]:
    gateway, load = _cores()
    os.sched_setaffinity(0, {load})
    _FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_FOLDER, prefix="tail-") as name, before_others():
        return run_tail(plan, Path(name), cores=(gateway, load), say=_say)


def main() -> int:
    """Measure and write."""
    options = _options()
    plan = _plan(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that all that began ends
    begun_s = time.monotonic()
    try:
        results = _run(plan)
    except BenchError as error:
        _say(f"bench-tail: {error}")
        return 1
    except KeyboardInterrupt:
        _say("bench-tail: stopped; nothing was written")
        return 130
    arguments = f' TAIL_ARGS="{" ".join(sys.argv[1:])}"' if sys.argv[1:] else ""
    now = datetime.fromtimestamp(SystemClock().wall_ns() / 1e9, tz=UTC)
    ours = next(one for one in CONTENDERS if one.name == OURS)
    facts = Facts(
        date=f"{now:%Y-%m-%d %H:%M} UTC",
        command=f"make bench-tail{arguments}",
        took_s=time.monotonic() - begun_s,
        machine=read_machine(_FOLDER),
        version=ours.version() or "unknown",
    )
    report = render_tail(results, plan, facts)
    print(report)
    if not sys.argv[1:]:
        _PAGE.write_text(report, encoding="utf-8")
        lines = [Line(figures.arm.title, seconds_of(figures)) for figures in results]
        _PAGE.with_suffix(".svg").write_text(draw(lines, _GOAL_S), encoding="utf-8")
        print("written to bench/TAIL.md and bench/TAIL.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
