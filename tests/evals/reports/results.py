"""Results of experiments as a run would leave them, for reports to show."""

import math
import random
from collections.abc import Callable, Sequence
from hashlib import sha256
from statistics import fmean, stdev
from typing import Any, Literal

import msgspec

from trimtab.evals.result import (
    CaseResult,
    Comparison,
    CriticalFinding,
    Estimate,
    Figure,
    Result,
    Side,
    Slice,
    Verdict,
)
from trimtab.types.experiments import Experiment, MetricKind, Setup

START_NS = 1_796_000_000_000_000_000
REPEATS = 3
ASKED = (
    "I ordered a lamp on Monday and it came broken. What now?",
    "My invoice from October has the wrong address. Can you change it?",
    "Is the blue one back in stock, and do you ship to Norway?",
    "Your app logs me out whenever I open the settings page on my phone.",
)
ANSWERS = (
    """I am sorry about the lamp. You can send it back free of charge within 30 days, and we will \
send a new one as soon as it arrives. Your team: returns.""",
    """I have noted the right address. You will get a corrected invoice by mail within two days.

Your team: billing.""",
    "The blue one is back on Thursday. We ship to Norway, duties included. Your team: sales.",
    "Thank you for telling us. Please update to version 4.2, where this is mended. Your team: app.",
)
OTHER = (
    """I am sorry about the lamp. You can send it back within 14 days at your own cost, and we \
will refund the price. Your team: billing.""",
    "Please write to accounting about that. Your team: billing.",
    "The blue one is back on Friday. We ship to Norway, duties excluded. Your team: sales.",
    "Thank you for telling us. Please install version 4.2 again. Your team: app.",
)
TAGS = ("returns", "billing", "sales", "app")
_METRICS: tuple[tuple[str, MetricKind, bool, float], ...] = (
    ("accuracy", "rate", True, 0.05),
    ("format", "rate", True, 0.02),
    ("hallucination", "rate", False, 0.03),
    ("tone", "score", True, 0.05),
    ("latency", "amount", False, 1.10),
    ("cost", "amount", False, 1.10),
)


def setup(label: str, model: str = "openai:gpt-5.2-2026-08-01", **overrides: Any) -> Setup:
    """A setup of the prompt `support/triage`."""
    return Setup(
        prompt="support/triage",
        prompt_hash=f"{label:0<64}"[:64],
        label=label,
        model=model,
        overrides=overrides,
        hash=sha256(repr((label, model, overrides)).encode()).hexdigest(),
    )


def experiment(verdict: Literal["", "pass", "fail", "inconclusive"], **more: Any) -> Experiment:
    """An experiment that ended three minutes after it began."""
    values: dict[str, Any] = {
        "id": "exp_01kb7y2m9f",
        "suite": "support-triage",
        "suite_hash": "5f" * 32,
        "kind": "gate" if verdict else "run",
        "candidate": setup("v13-draft"),
        "baseline": setup("v12"),
        "repeats": REPEATS,
        "started_ns": START_NS,
        "ended_ns": START_NS + 192_400_000_000,
        "verdict": verdict,
        "spent_nanousd": 1_234_567_890,
    }
    return Experiment(**(values | more))


def estimate(values: Sequence[float], *, unmeasured: int = 0, amount: bool = False) -> Estimate:
    """A mean over cases with a plain interval; geometric for amounts."""
    if not values:
        return Estimate(
            value=None, low=None, high=None, cases=0, clusters=0, rows=0, unmeasured=unmeasured,
            not_applicable=0, method="",
        )  # fmt: skip
    used = [math.log(value) for value in values] if amount else list(values)
    middle, half = fmean(used), 1.96 * stdev(used) / math.sqrt(len(used))
    back: Callable[[float], float] = math.exp if amount else float
    return Estimate(
        value=back(middle), low=back(middle - half), high=back(middle + half), cases=len(used),
        clusters=len(used), rows=len(used) * REPEATS, unmeasured=unmeasured, not_applicable=0,
        method="t, clustered",
    )  # fmt: skip


def compare(
    metric: tuple[str, MetricKind, bool, float], cases: Sequence[CaseResult], **more: Any
) -> Comparison:
    """Candidate against baseline on the cases that have both."""
    name, kind, higher, margin = metric
    pairs = [_pair(case, name) for case in cases]
    both = [pair for pair in pairs if pair is not None]
    amount = kind == "amount"
    logs = [(math.log(old), math.log(new)) if amount else (old, new) for old, new in both]
    moved = [new - old for old, new in logs]
    middle, half = fmean(moved), 1.66 * stdev(moved) / math.sqrt(len(moved))
    back: Callable[[float], float] = math.exp if amount else float
    sign = 1 if higher else -1
    worst = min(sign * (middle - half), sign * (middle + half))
    best = max(sign * (middle - half), sign * (middle + half))
    least = math.log(margin) if amount else margin
    verdict: Verdict = "pass" if worst > -least else "fail" if best < 0 else "inconclusive"
    values: dict[str, Any] = {
        "metric": name, "kind": kind, "higher_is_better": higher, "primary": True,
        "candidate": estimate([new for _, new in both], amount=amount),
        "baseline": estimate([old for old, _ in both], amount=amount),
        "difference": back(middle), "low": back(middle - half), "high": back(middle + half),
        "margin": margin, "cases": len(both), "correlation": 0.41, "p_drop": 0.31,
        "p_margin": 0.02, "verdict": verdict, "why": _WHY[verdict],
        "resolve": "about 140 more cases, or 5 repeats of each" if verdict == "inconclusive" else
        "", "method": "paired t on case means",
    }  # fmt: skip
    return Comparison(**(values | more))


_WHY: dict[Verdict, str] = {
    "pass": "The interval stays within the margin.",
    "fail": "The whole interval lies below no difference.",
    "inconclusive": "The interval reaches beyond the margin, and beyond no difference.",
}


def _pair(case: CaseResult, name: str) -> tuple[float, float] | None:
    assert case.baseline is not None
    if name in {"latency", "cost"}:
        if not case.baseline.latency_ms or not case.candidate.latency_ms:
            return None
        if name == "latency":
            return case.baseline.latency_ms, case.candidate.latency_ms
        return float(case.baseline.cost_nanousd), float(case.candidate.cost_nanousd)
    if name not in case.baseline.scores or name not in case.candidate.scores:
        return None
    return case.baseline.scores[name], case.candidate.scores[name]


def make_cases(count: int, *, drop: float = 0.03, seed: int = 7) -> list[CaseResult]:
    """Cases in four clusters; the candidate gets some of them wrong."""
    rng = random.Random(seed)
    return [_case(number, rng, drop) for number in range(count)]


def _case(number: int, rng: random.Random, drop: float) -> CaseResult:
    kind = number % len(TAGS)
    hard = 0.3 if rng.random() < 0.12 else 0.0
    cost, wait = rng.lognormvariate(0, 0.25), rng.lognormvariate(0, 0.45)
    baseline = _side(kind, rng, hard + 0.01, cost=cost, wait=wait)
    cost, wait = cost * rng.lognormvariate(0.03, 0.12), wait * rng.lognormvariate(-0.06, 0.15)
    candidate = _side(kind, rng, hard + drop, cost=cost, wait=wait)
    if number % 7 == 5:
        candidate = _reworded(candidate)
    if number % 29 == 13:
        candidate = msgspec.structs.replace(
            candidate, texts=["", *candidate.texts[1:]], errors=["provider_timeout"]
        )
    return CaseResult(
        case_id=f"{TAGS[kind]}-{number:04}",
        cluster=TAGS[kind],
        tags=[TAGS[kind], "long" if number % 5 == 0 else "short"],
        critical=number % 20 == 3,
        asked=ASKED[kind],
        candidate=candidate,
        baseline=baseline,
    )


def _side(kind: int, rng: random.Random, wrong: float, *, cost: float, wait: float) -> Side:
    rights = [rng.random() >= wrong for _ in range(REPEATS)]
    tone = round(min(1.0, max(0.0, rng.gauss(0.82, 0.03))), 3)
    invented = [not right and rng.random() < 0.3 for right in rights]
    return Side(
        texts=[ANSWERS[kind] if right else OTHER[kind] for right in rights],
        scores={
            "accuracy": fmean(rights), "format": 1.0, "tone": tone,
            "hallucination": fmean(invented),
        },
        labels={} if all(rights) else {"accuracy": ["wrong team"]},
        reasons={} if all(rights) else {"accuracy": [f"Expected the team {TAGS[kind]}."]},
        cost_nanousd=round(cost * 1_100_000),
        latency_ms=round(wait * 810, 1),
    )  # fmt: skip


def _reworded(side: Side) -> Side:
    texts = [
        text.replace("You can", "You may").replace("We ship", "We send") for text in side.texts
    ]
    return msgspec.structs.replace(side, texts=texts)


def figures(cases: Sequence[CaseResult]) -> list[Figure]:
    """Of the candidate; the suite does not measure refusals."""
    found = [
        Figure(
            metric=name, kind=kind, higher_is_better=higher,
            estimate=estimate(_values(cases, name), amount=kind == "amount"),
            advisory="The judge has no calibration file." if name == "tone" else "",
            repeat_noise=0.44 if kind == "rate" else None,
        )
        for name, kind, higher, _ in _METRICS
    ]  # fmt: skip
    why = "No case says whether it is to be refused (`expected.refuse`)."
    missing = Figure(
        metric="refusal", kind="rate", higher_is_better=True, estimate=None, why_not=why
    )
    return [*found, missing]


def _values(cases: Sequence[CaseResult], name: str) -> list[float]:
    if name == "latency":
        return [case.candidate.latency_ms for case in cases]
    if name == "cost":
        return [float(case.candidate.cost_nanousd) for case in cases]
    return [case.candidate.scores[name] for case in cases if name in case.candidate.scores]


def gate(
    verdict: Verdict = "inconclusive", *, count: int = 60, drop: float = 0.03, **more: Any
) -> Result:
    """A gate of two setups."""
    cases = make_cases(count, drop=drop)
    comparisons = [
        compare(metric, cases, primary=metric[1] == "rate")
        for metric in _METRICS
        if metric[0] != "tone"
    ]
    tone = compare(_METRICS[3], cases, primary=False, verdict="advisory", resolve="")
    critical: list[CriticalFinding] = []
    if verdict == "fail":
        first = next(case for case in cases if case.critical)
        critical.append(
            CriticalFinding(
                case_id=first.case_id, metric="accuracy", candidate_passed=0, baseline_passed=3,
                repeats=3, p=0.05, why="It passed 3 of 3 times before, and 0 of 3 times now.",
            )
        )  # fmt: skip
    values: dict[str, Any] = {
        "experiment": experiment(verdict),
        "verdict": verdict,
        "why": [
            f"{one.metric}: {one.why}"
            for one in comparisons
            if one.primary and one.verdict == verdict
        ]
        or [_WHY[verdict]],
        "figures": figures(cases),
        "comparisons": [*comparisons, tone],
        "critical": critical,
        "slices": [
            Slice(
                tag="returns", metric="accuracy", cases=15, difference=-0.11, p=0.004, found=True
            ),
            Slice(tag="sales", metric="accuracy", cases=15, difference=0.02, p=0.61, found=False),
        ],
        "cases": cases,
        "cases_total": count,
        "planned": count * 2 * REPEATS,
        "answered": count * 2 * REPEATS - 2,
        "failed": 2,
        "reused": count * REPEATS,
        "dropped_share": 2 / (count * 2 * REPEATS),
        "spent_nanousd": 1_234_567_890,
        "judge_nanousd": 234_000_000,
        "took_s": 192.4,
        "detects": {"accuracy": 0.062, "latency": 1.07},
        "notes": ["The provider served the same model throughout."],
    }
    return Result(**(values | more))


def first_release() -> Result:
    """A gate on floors, without a baseline."""
    cases = [msgspec.structs.replace(case, baseline=None) for case in make_cases(40)]
    return gate(
        "pass",
        count=40,
        cases=cases,
        comparisons=[],
        slices=[],
        experiment=experiment("pass", baseline=None),
        why=["accuracy: the lower end of its interval reaches the floor of 80.0%."],
        dropped_share=0.0,
    )


def run_of_one() -> Result:
    """Figures of one setup."""
    return msgspec.structs.replace(
        first_release(), experiment=experiment("", baseline=None), verdict="", why=[], notes=[]
    )


def hostile(text: str) -> Result:
    """A failed gate with a text from outside wherever one can come from outside."""
    made = gate("fail", count=8, drop=0.5)
    return _filled(made, text)


def _filled(made: Result, text: str) -> Result:
    replace = msgspec.structs.replace
    odd = replace(
        made.experiment,
        id=text, suite=text, suite_hash=text,
        candidate=replace(setup(text, text), prompt=text, overrides={text: text}),
        baseline=replace(setup(text, text), prompt=text, overrides={text: [text]}),
    )  # fmt: skip
    names = {one.metric: f"{one.metric}{text}" for one in made.figures}
    return replace(
        made,
        experiment=odd,
        why=[text, f"accuracy: {text}"],
        figures=[
            replace(one, metric=names[one.metric], why_not=text, advisory=text)
            for one in made.figures
        ],
        comparisons=[
            replace(one, metric=names[one.metric], why=text, resolve=text, method=text)
            for one in made.comparisons
        ],
        critical=[replace(one, case_id=text, metric=text, why=text) for one in made.critical],
        slices=[replace(one, tag=text, metric=text) for one in made.slices],
        cases=[_odd_case(case, text, names) for case in made.cases],
        detects={names.get(name, name): value for name, value in made.detects.items()},
        notes=[text],
    )


def _odd_case(case: CaseResult, text: str, names: dict[str, str]) -> CaseResult:
    def odd(side: Side, tail: str) -> Side:
        return Side(
            texts=[f"{text}{tail}", text, f"one {text} two{tail}"],
            scores={names.get(name, name): value for name, value in side.scores.items()},
            labels={text: [text], names["accuracy"]: [text]},
            reasons={text: [text], names["accuracy"]: [text]},
            errors=[text],
            cost_nanousd=side.cost_nanousd,
            latency_ms=side.latency_ms,
        )

    assert case.baseline is not None
    return CaseResult(
        case_id=f"{text}{case.case_id}",
        cluster=text,
        tags=[text, "plain"],
        critical=case.critical,
        asked=text,
        candidate=odd(case.candidate, " now"),
        baseline=odd(case.baseline, " before"),
    )


HOSTILE = {
    "markup": '<script>window.pwned=1</script><img src=x onerror="window.pwned=2"><b>b</b>',
    "ends": "</pre></code></td></table></details></script><!-- --> ]]> &lt;b&gt; \" ' `",
    "codes": "\x1b[31mred\x1b[0m \x1b]8;;http://e.example\x07link [bold]b[/bold] \r over \x07\x7f",
    "marks": "@ada |`code`| \\| #12 GH-3 https://e.example www.e.example :smile: $x$ ~~s~~ **b**",
    "hidden": "\u202egnp.exe\u202c \u200b\ufeff\u2066 \x00\x08 \u2028 \ufffe\uffff \U000e0041",
    "blocks": "# head\n\n- item\n\n> quote\n\n```\nfence\n\n| a | b |\n|--|--|\n\n---\n===",
    "template": "{{ 7 * 7 }} {% raw %} {# c #} ${x}",
    "long": "W" * 3_000,
    "scripts": "\u65e5\u672c\u8a9e \U0001f642 \u05e9\u05dc\u05d5\u05dd e\u0301",
    "spaces": "  \t \n ",
}
"""Texts that would do something, if anything let them."""
