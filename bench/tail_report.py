"""`bench/TAIL.md`: pure text from figures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from bench.machine import Machine
from bench.tail_arms import CALLER_LIMIT_S, TTFT_S, WAIT_S, Arm
from bench.tail_ideal import DRAWS, ideal_s
from bench.tail_model import (
    GENERATION_S,
    MEDIAN_S,
    P95_S,
    SCALE,
    SILENT_SHARE,
    SLOW_S,
    SLOW_SHARE,
    TOKEN_EVERY_S,
    TOKENS,
    exceeds,
)
from bench.tail_run import ArmFigures, Plan
from bench.tail_stats import Quantile, failures_at_most, quantile

__all__ = ["Facts", "goals_of", "render_tail", "seconds_of"]

_SHARES = (0.5, 0.95, 0.99, 0.999)
_TIMES = 1.2
_MOST_EXTRA = 0.06
_P50_WITHIN = 0.05
_BUSY = 0.8  # share of its core above which a process may be what is measured

_SPAN = f"{SLOW_S[0]:g} to {SLOW_S[1]:g} s"
_HOW = f"""\
The fault provider draws the time to the first token of each call: log-normal, median
{MEDIAN_S:g} s, P95 {P95_S:g} s; {SLOW_SHARE:.0%} of the calls take {_SPAN} instead, and
{SILENT_SHARE:.1%} never answer at all. Then come {TOKENS} tokens,
{TOKEN_EVERY_S * 1000:g} ms apart: {GENERATION_S:g} s. The draw of call number k to a model depends
on the seed and on k only, so the first attempts of each arm meet the same fate. The fallbacks draw
from streams of their own and are no better than the first model.

Time runs {SCALE:g} times as fast: waits, limits and the times of breakers are divided by
{SCALE:g}, in the provider, the projects and the load. Figures are in the model's seconds, so what
gateway and machine add stands here {SCALE:g} times as large as it is.

Callers come as a Poisson process, whether others have been answered or not, and the time of a call
counts from the moment at which it was due. A caller gives up after {CALLER_LIMIT_S:g} s. An answer
is a success when the whole text came, each word once, and the terminator. A call that failed counts
with the time after which its caller knew. Provider, gateway and load are processes of their own on
loopback, the gateway alone on one core. The rounds of the arms take turns. The first calls of each
round are not counted: they open connections, teach the hedged route its P95, and close a breaker
that the end of the round before has opened (when callers stop, the last to end are the slow ones,
and three of them in a row are enough).

Ranges of percentiles are 95 % intervals from order statistics (binomial; nothing is assumed about
the distribution). "On paper" is the policy alone, computed from {DRAWS:,} other draws, without
gateway, network and provider. Costs are those of the gateway's ledger: an attempt that was given up
is charged for its input and for the tokens that had come."""

_WHY = """\
When two models are bad at once the third is asked: after the second's deadline, or, hedged, after
the first's. All three are bad in {all_bad:.4%} of the inferences; then the caller gets an error
(504). The chance that this happens at least once in a run like this is {chance:.0%}.

Deadline and fallbacks alone do not reach the goal of P99.9 with a second model that is as slow as
the first: {late:.1%} of the calls pass {ttft:g} s, so P99.9 is the deadline and the second model's
P{second:.1f}. A hedge begins at the live P95 of the route, which is earlier, and the first attempt
still has a chance, too."""


class Facts(NamedTuple):
    """What the report says beside figures."""

    date: str
    command: str
    took_s: float
    machine: Machine
    version: str


class _Verdict(NamedTuple):
    title: str
    goal: str
    figure: str
    reached: bool


def seconds_of(figures: ArmFigures) -> list[float]:
    """Model seconds to the whole answer, or to the failure, in rising order."""
    return sorted(told.total_s * SCALE for told in figures.calls)


def _first_of(figures: ArmFigures) -> list[float]:
    """Model seconds to the first token; where none came, to the failure."""
    return sorted(
        (told.total_s if told.first_s is None else told.first_s) * SCALE for told in figures.calls
    )


def goals_of(figures: ArmFigures, direct: ArmFigures) -> list[_Verdict]:
    """The goals of one arm."""
    worst = quantile(seconds_of(figures), 0.999)
    failed = sum(bool(told.problem) for told in figures.calls)
    calls = len(figures.calls)
    books = figures.books
    extra = books.extra if books else 0.0
    ratio = quantile(seconds_of(figures), 0.5).value / quantile(seconds_of(direct), 0.5).value
    return [
        _Verdict(
            "P99.9 of the whole answer",
            f"at most {_TIMES:g} x ({TTFT_S:g} s + {GENERATION_S:g} s) = {_TIMES * WAIT_S:g} s",
            f"{worst.value:.2f} s ({worst.value / WAIT_S:.2f} x)",
            worst.value <= _TIMES * WAIT_S,
        ),
        _Verdict("success", "100 %", f"{1 - failed / calls:.3%}", not failed),
        _Verdict(
            "extra attempts", f"at most {_MOST_EXTRA:.0%}", f"{extra:.2%}", extra <= _MOST_EXTRA
        ),
        _Verdict(
            "P50 over that of the direct arm",
            f"within {_P50_WITHIN:.0%}",
            f"{ratio - 1:+.1%}",
            abs(ratio - 1) <= _P50_WITHIN,
        ),
    ]


def render_tail(results: Sequence[ArmFigures], plan: Plan, facts: Facts) -> str:
    """The page."""
    direct = results[0]
    parts = [
        "# The tail, as callers see it",
        "Written by `make bench-tail`; do not edit.",
        "\n".join(_facts(plan, facts)),
        "## Goals",
        "\n".join(_goal_rows(results, direct)),
        "## Time to the whole answer, seconds",
        "\n".join(_percentiles(results, whole=True)),
        "![share of calls that took longer, by arm](TAIL.svg)",
        "## Time to the first token, seconds",
        "\n".join(_percentiles(results, whole=False)),
        "## Success and what it costs",
        "\n".join(_costs(results)),
        *_failures(results),
        _why(len(direct.calls)),
        "## How it is measured",
        _HOW,
        "## Is the measurement sound",
        "\n".join(_soundness(results)),
        "## The projects",
        "\n".join(_projects(results)),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(plan: Plan, facts: Facts) -> Iterator[str]:
    machine = facts.machine
    calls = plan.rounds * plan.calls
    yield "|  |  |"
    yield "|---|---|"
    yield f"| date | {facts.date} |"
    yield f"| command | `{facts.command}` ({facts.took_s / 60:.1f} minutes) |"
    yield f"| machine | {machine.cores} cores, {machine.cpu}, {machine.memory_gib:.0f} GiB |"
    yield f"| system | {machine.kernel}, Python {machine.python} |"
    yield f"| trimtab | {facts.version} |"
    yield (
        f"| load | {calls:,} inferences per arm in {plan.rounds} rounds, {plan.per_s:g} a second "
        f"({plan.per_s * SCALE:g} in real time), seed {plan.seed} |"
    )


def _goal_rows(results: Sequence[ArmFigures], direct: ArmFigures) -> Iterator[str]:
    judged = [figures for figures in results if figures.arm.judged]
    others = [figures for figures in results if not figures.arm.judged and figures.books]
    titles = [f"{figures.arm.title} |" for figures in judged]
    titles += [figures.arm.title for figures in others]
    yield f"| figure | goal | {' | '.join(titles)} |"
    yield "|---" * (3 + len(titles)) + "|"
    columns = [goals_of(figures, direct) for figures in (*judged, *others)]
    for row in zip(*columns, strict=True):
        cells = [
            f"{one.figure} | {'reached' if one.reached else '**not reached**'}"
            for one in row[: len(judged)]
        ]
        cells += [one.figure for one in row[len(judged) :]]
        yield f"| {row[0].title} | {row[0].goal} | {' | '.join(cells)} |"


def _percentiles(results: Sequence[ArmFigures], *, whole: bool) -> Iterator[str]:
    titles = [f"P{share * 100:g}" for share in _SHARES]
    yield f"| arm | {' | '.join(titles)} | values beyond P99.9 | slowest |"
    yield "|---" * (len(titles) + 3) + "|"
    for figures in results:
        ordered = seconds_of(figures) if whole else _first_of(figures)
        found = [quantile(ordered, share) for share in _SHARES]
        cells = [_cell(one) for one in found]
        beyond = found[-1].beyond
        yield f"| {figures.arm.title} | {' | '.join(cells)} | {beyond} | {ordered[-1]:.2f} |"
        paper = ideal_s(figures.arm) if whole else None
        if paper is not None:
            cells = [f"{quantile(paper, share).value:.2f}" for share in _SHARES]
            yield f"| *on paper* | {' | '.join(cells)} | | |"


def _cell(one: Quantile) -> str:
    high = "?" if one.high is None else f"{one.high:.2f}"
    return f"{one.value:.2f} ({one.low:.2f} to {high})"


def _costs(results: Sequence[ArmFigures]) -> Iterator[str]:
    yield (
        "| arm | success | failures, upper bound (95 %) | extra attempts | hedges | fallbacks "
        "| other | extra cost |"
    )
    yield "|---" * 8 + "|"
    for figures in results:
        calls = len(figures.calls)
        failed = sum(bool(told.problem) for told in figures.calls)
        row = [
            figures.arm.title,
            f"{calls - failed:,} of {calls:,}: {1 - failed / calls:.3%}",
            f"{failures_at_most(failed, calls):.3%}",
        ]
        books = figures.books
        if books is None:
            row += ["-"] * 5
        else:
            causes = books.causes
            other = sum(causes.values()) - causes["first"] - causes["hedge"] - causes["fallback"]
            row += [
                f"{books.extra:.2%}",
                str(causes["hedge"]),
                str(causes["fallback"]),
                str(other),
                f"{books.extra_cost:.2%}",
            ]
        yield f"| {' | '.join(row)} |"


def _failures(results: Sequence[ArmFigures]) -> Iterator[str]:
    lines: list[str] = []
    for figures in results:
        problems = Counter(told.problem for told in figures.calls if told.problem)
        if problems:
            said = ", ".join(f"{count} x {problem}" for problem, count in problems.most_common())
            lines.append(f"- {figures.arm.title}: {said}")
    if lines:
        yield "What failed:\n\n" + "\n".join(lines)


def _why(calls: int) -> str:
    late = exceeds(TTFT_S)
    return _WHY.format(
        all_bad=late**3,
        chance=1 - (1 - late**3) ** calls,
        late=late,
        ttft=TTFT_S,
        second=100 * (1 - 0.001 / late),
    )


def _soundness(results: Sequence[ArmFigures]) -> Iterator[str]:
    yield "| arm | provider's CPU | gateway's | load generator's | sent late, P50 / P99, real ms |"
    yield "|---" * 5 + "|"
    busiest = 0.0
    for figures in results:
        load = median(seen.cpu_s / seen.took_s for seen in figures.rounds)
        provider = max(figures.provider_cpu)
        gateway = max(figures.gateway_cpu, default=0.0)
        busiest = max(busiest, provider + load, gateway)
        late = sorted(told.sent_s * 1000 for told in figures.calls)
        p50, p99 = quantile(late, 0.5).value, quantile(late, 0.99).value
        shown = f"{gateway:.0%}" if figures.gateway_cpu else "-"
        yield (
            f"| {figures.arm.title} | {provider:.0%} | {shown} | {load:.0%} "
            f"| {p50:.1f} / {p99:.1f} |"
        )
    yield ""
    yield "CPU is of one core, in the busiest round; provider and load share one."
    if busiest > _BUSY:
        yield ""
        yield f"**Warning: a core was busy for {busiest:.0%}; times are partly the bench's own.**"


def _projects(results: Sequence[ArmFigures]) -> Iterator[str]:
    gateways = [figures.arm for figures in results if figures.arm.breakers_and_route]
    yield "All begin with the same part:"
    yield ""
    contender = gateways[0].contender
    assert contender is not None
    text = contender.files["trimtab.toml"].removesuffix(gateways[0].breakers_and_route)
    yield f"```toml\n{text}```"
    for arm in gateways:
        yield ""
        yield from _project(arm)


def _project(arm: Arm) -> Iterator[str]:
    yield f"**{arm.title}**:"
    yield ""
    yield f"```toml\n{arm.breakers_and_route}```"
