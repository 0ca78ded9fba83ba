"""`bench/RESULTS.md`: pure text from figures."""

from collections.abc import Sequence
from typing import NamedTuple

from bench.contenders import CONTENDERS, DIRECT, LITELLM, OURS, Contender
from bench.goals import GOALS, Goal
from bench.load import REQUEST_BYTES
from bench.loads import SEQUENTIAL, STREAMS, STREAMS_256, THINKING, WHOLE, Load
from bench.machine import Machine
from bench.priority import NICE
from bench.provider import FRAME_GAP_S, FRAMES, WHOLE_BYTES
from bench.results import (
    Metric,
    Results,
    Spread,
    added,
    cpu_per_frame,
    cpu_per_request,
    first_p50,
    first_p99,
    frames_per_s,
    requests_per_s,
    spread,
    total_p50,
    total_p99,
    values,
)

__all__ = ["Facts", "render_report"]

_ENOUGH = 3.0  # load generator and provider over trimtab
_WAITS = 0.02  # share of the time that the load generator may wait for its core
_OTHERS = 0.1  # share of the gateway's core that others may take
_STATE = """\
On in trimtab: keys, durable ledger (full sync, group commit), events, rollups, prices declared in
trimtab.toml, deadlines, retries, breakers, bounded concurrency, two hard budgets with their holds,
limits on requests, tokens and concurrency, counters for `/metrics`. Not on, because it does not
exist yet or is off by default: guardrails, hedges, cache, texts (`recording.bodies`).

Figures are medians of interleaved rounds with their range; a ratio is computed inside each round
first. Memory of LiteLLM is that after as many requests as the table of memory says."""
_HOW = f"""\
Requests of {REQUEST_BYTES / 1000:.1f} kB; whole answers of {WHOLE_BYTES / 1000:.1f} kB; streams of
{FRAMES} frames {FRAME_GAP_S * 1000:.0f} ms apart, begun evenly spread, as by callers that know
nothing of each other. The same bytes for everybody. Gateways are pinned to one core, load generator
and provider to another; as root, all of them run before other programs (nice {NICE}).

CPU is the clock of every process of the contender's tree (the scheduler's account, ended threads
included) over answers, from the first request until 1.3 s after the last answer; per frame: over
the frames that the provider sent. Added: over the direct call of the same round. The first token is
in the second frame, 10 ms after the first. Memory is resident memory, summed over processes."""
_SOUND = """\
Load generator and fake provider are one busy-polling process on a core of its own. Together they
make {direct} direct calls per second, trimtab serves {ours}: {times:.1f} times as many."""
_UNSOUND = """
**Warning: under {enough:g} times. Requests per second and latencies below are partly those of the
load generator; CPU per request is not affected.**"""
_CORE = """\
The load generator waited for its own core {waited:.1%} of the time (median of all rounds; at most
{worst:.1%}). Of the gateway's core others took {foreign:.1%}, mostly what the gateway left: other
programs, contenders that wait for their turn, the kernel's own threads, the hypervisor."""
_NOISY = """
**Warning: the machine was not quiet. Trust CPU per request before anything else.**"""


class Facts(NamedTuple):
    """What the report says beside figures."""

    date: str
    command: str
    took_s: float
    machine: Machine
    versions: dict[str, str]


class _Column(NamedTuple):
    title: str
    metric: Metric
    added: bool = False


_CPU = _Column("CPU us/request", cpu_per_request)
_P50 = _Column("added P50 ms", total_p50, added=True)
_P99 = _Column("added P99 ms", total_p99, added=True)
_TABLES: tuple[tuple[Load, tuple[_Column, ...]], ...] = (
    (WHOLE, (_Column("requests/s", requests_per_s), _CPU)),
    (SEQUENTIAL, (_P50, _P99, _CPU)),
    (THINKING, (_P50, _P99, _CPU)),
    (
        STREAMS_256,
        (_Column("frames/s", frames_per_s), _Column("CPU us/frame", cpu_per_frame)),
    ),
    (
        STREAMS,
        (
            _Column("first token, added P50 ms", first_p50, added=True),
            _Column("first token, added P99 ms", first_p99, added=True),
            _Column("CPU us/frame", cpu_per_frame),
        ),
    ),
)


def number(value: float) -> str:
    """Three digits that count, thousands with commas."""
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def show(found: Spread | None) -> str:
    """`median (low-high)`, or a dash."""
    if found is None:
        return "-"
    if found.rounds == 1:
        return number(found.median)
    return f"{number(found.median)} ({number(found.low)} to {number(found.high)})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def render_report(results: Results, facts: Facts) -> str:
    """The whole page."""
    parts = [
        "# What the gateway costs\n\nWritten by `make bench`; do not edit.",
        _machine(facts),
        "## Goals",
        _goals(results),
        _STATE,
        "## Is the measurement sound",
        capacity(results),
        quiet(results),
        "## Loads",
        _HOW,
        *(_load(results, load, columns) for load, columns in _TABLES),
        "### Memory and start",
        _memory(results),
        "## How each was run",
        *(_contender(contender, facts, results) for contender in CONTENDERS),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(facts: Facts) -> str:
    machine = facts.machine
    peers = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
    rows = [
        ("date", facts.date),
        (
            "command",
            f"`{facts.command}` ({facts.took_s / 60:.1f} minutes), after `make bench-peers`",
        ),
        ("machine", f"{machine.cores} cores, {machine.cpu}, {machine.memory_gib:.0f} GiB"),
        ("system", f"{machine.kernel}, Python {machine.python}"),
        ("contenders", peers),
        ("data of trimtab", f"in the checkout, on {machine.filesystem}"),
    ]
    return table(("", ""), rows)


def _bound(goal: Goal) -> str:
    unit = "" if goal.peer else f" {goal.unit}"
    return f"{'at least' if goal.at_least else 'at most'} {goal.bound:g}{unit}"


def _goals(results: Results) -> str:
    rows: list[Sequence[str]] = []
    words = {True: "reached", False: "**not reached**", None: "not measured"}
    for goal in GOALS:
        outcome = goal.outcome(results)
        other = "-"
        if goal.peer and goal.peer != LITELLM:
            other = f"{goal.peer}: {_with_unit(outcome.other, goal.unit)}"
        rows.append(
            (
                goal.title,
                _bound(goal),
                show(outcome.figure),
                words[outcome.reached],
                _with_unit(outcome.ours, goal.unit),
                _with_unit(outcome.litellm, goal.unit),
                other,
            )
        )
    head = ("figure", "goal", "this run", "", "trimtab", "LiteLLM", "the peer named")
    return table(head, rows)


def _with_unit(found: Spread | None, unit: str) -> str:
    return "-" if found is None else f"{number(found.median)} {unit}"


def capacity(results: Results) -> str:
    """Whether load generator and provider are fast enough to measure trimtab."""
    direct = values(results, DIRECT, requests_per_s, load=WHOLE)
    ours = values(results, OURS, requests_per_s, load=WHOLE)
    if direct is None or ours is None:
        return ""
    times = direct.median / ours.median
    text = _SOUND.format(direct=number(direct.median), ours=number(ours.median), times=times)
    return text + (_UNSOUND.format(enough=_ENOUGH) if times < _ENOUGH else "")


def quiet(results: Results) -> str:
    """Whether others worked on the two cores."""
    rounds = [
        figures
        for (name, _), found in results.rounds.items()
        for figures in found
        if name != DIRECT
    ]
    waited = spread([figures.waited for figures in rounds])
    foreign = spread([figures.foreign for figures in rounds])
    if waited is None or foreign is None:
        return ""
    text = _CORE.format(waited=waited.median, worst=waited.high, foreign=foreign.median)
    return text + (_NOISY if waited.median > _WAITS or foreign.median > _OTHERS else "")


def _load(results: Results, load: Load, columns: Sequence[_Column]) -> str:
    rows: list[Sequence[str]] = []
    names = [DIRECT, *(contender.name for contender in CONTENDERS)]
    for name in names:
        rounds = results.rounds.get((name, load.key), [])
        if not rounds:
            if name in results.absent:
                rows.append((name, results.absent[name], *("" for _ in columns)))
            continue
        problem = next((figures.problem for figures in rounds if figures.problem), None)
        if problem is not None:
            rows.append((name, problem, *("" for _ in columns)))
            continue
        answers = sum(figures.answers for figures in rounds)
        cells = [_cell(results, name, column, load=load) for column in columns]
        rows.append((name, *cells, f"{answers:,} in {len(rounds)} rounds"))
    head = ("", *(column.title for column in columns), "answers")
    return f"### {load.title}\n\n{table(head, rows)}" if rows else ""


def _cell(results: Results, name: str, column: _Column, *, load: Load) -> str:
    if not column.added:
        return show(values(results, name, column.metric, load=load))
    if name == DIRECT:
        direct = values(results, name, column.metric, load=load)
        return "-" if direct is None else f"itself: {number(direct.median)}"
    return show(added(results, name, column.metric, load=load))


def _memory(results: Results) -> str:
    rows: list[Sequence[str]] = []
    for contender in CONTENDERS:
        name = contender.name
        seen = results.memory_mb.get(name)
        if not seen:
            if name in results.absent:
                rows.append((name, results.absent[name], "", ""))
            continue
        later = ", ".join(f"{number(size)} after {count:,}" for count, size in seen[1:])
        starts = results.starts_s[name]
        times = "once" if len(starts) == 1 else f"{len(starts)} times"
        rows.append((name, number(seen[0][1]), later, f"{show(spread(starts))}, {times}"))
    head = ("", "idle MB", "MB after requests", "start to first answer, s")
    text = "Slow contenders serve as many as fit in their time." if rows else ""
    return f"{table(head, rows)}\n\n{text}"


def _contender(contender: Contender, facts: Facts, results: Results) -> str:
    version = facts.versions.get(contender.name) or results.absent.get(contender.name, "not run")
    lines = [f"{key}={value}" for key, value in contender.environment.items()]
    if contender.key_command:
        lines.append(contender.key_command)
    lines.append(contender.command)
    parts = [f"**{contender.name}** ({version}): {contender.what}.", _fence("\n".join(lines), "sh")]
    if contender.headers:
        parts.append("Headers of each request: " + ", ".join(f"`{h}`" for h in contender.headers))
    for name, text in contender.files.items():
        parts.append(f"`{name}`:\n\n{_fence(text.rstrip())}")
    return "\n\n".join(parts)


def _fence(text: str, kind: str = "") -> str:
    return f"```{kind}\n{text}\n```"
