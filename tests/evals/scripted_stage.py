"""A place to try experiments in: real suites and a real store, and an answerer with a script."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from trimtab.datasets.case import Case, case_hash
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import Suite
from trimtab.evals.asked import asked_text
from trimtab.evals.conduct import Conduct
from trimtab.evals.evaluator import AskReply, AskRequest
from trimtab.evals.judges.gating import advisory_metrics
from trimtab.evals.order import Kind, Lab, Order
from trimtab.evals.registry import load_evaluators
from trimtab.evals.result import Result
from trimtab.evals.run import Progress
from trimtab.evals.setups import Ready
from trimtab.store.sqlite import open_experiments
from trimtab.testing import FrozenClock
from trimtab.types.experiments import Row, Setup

__all__ = [
    "BLOCK", "COST", "EXTEND", "MOST", "NEW", "OLD", "Answers", "Stage", "always", "case_lines",
    "good", "ready",
]  # fmt: skip

GATE = """
[[evaluators]]
use = "contains"
[gate]
primary = ["accuracy"]
inconclusive = "{then}"
"""
BLOCK = GATE.format(then="block")
EXTEND = GATE.format(then="extend")
COST = 1_000
MOST = 5_000

Said = Callable[[Ready, Case, int], str]
"""The answer of a setup to a case; raises what goes wrong."""


OnProgress = Callable[[Progress], None]
"""Hears how far an experiment is."""


def _nobody(_progress: Progress) -> None:
    pass


def always(text: str) -> Said:
    """The same answer to everything."""
    return lambda _ready, _case, _repeat: text


def ready(label: str, model: str = "fake:m-1") -> Ready:
    """A setup of cases that bring their own messages."""
    setup = Setup(prompt="", prompt_hash="", label=label, model=model, hash=f"{label:0>64}")
    return Ready(setup, None, label)


def case_lines(count: int, *, expected: Mapping[str, Any] | None = None, **more: Any) -> str:
    """Lines of `cases.jsonl`: c000, c001 and so on."""
    lines = [
        msgspec.json.encode(
            {
                "id": f"c{number:03}",
                "messages": [{"role": "user", "content": f"Question {number}?"}],
                "expected": {"contains": "good"} if expected is None else expected,
                **more,
            }
        ).decode()
        for number in range(count)
    ]
    return "".join(f"{line}\n" for line in lines)


NEW, OLD = ready("new"), ready("old")


def good(_ready: Ready, _case: Case, _repeat: int) -> str:
    """What the suites above take for right."""
    return "good"


class Answers:
    """An answerer that says what a function says.

    Attributes:
        asked: label of the setup, id of the case and repeat of each row that was asked for.
        judged: requests of evaluators.
        served: the model that it names, by label of the setup.
        judge: answers the questions of evaluators.
        wait_s: that an answer takes, on the clock of the stage.
    """

    def __init__(self, clock: FrozenClock, said: Said) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.judged: list[AskRequest] = []
        self.served: dict[str, str] = {}
        self.judge: Callable[[AskRequest], str] = lambda _request: ""
        self.judge_model = "judge-1"
        self.said = said
        self.wait_s = 0.0
        self.after: Callable[[], None] = lambda: None
        self._clock = clock

    async def answer(self, ready: Ready, case: Case, repeat: int) -> Row:
        self.asked.append((ready.setup.label, case.id, repeat))
        await asyncio.sleep(0)
        text = self.said(ready, case, repeat)
        self._clock.advance(self.wait_s)
        self.after()
        return Row(
            setup_hash=ready.setup.hash,
            case_id=case.id,
            case_hash=case_hash(case),
            repeat=repeat,
            status="ok",
            text=text,
            finish_reason="stop",
            served_model=self.served.get(ready.setup.label, "m-1"),
            latency_us=50_000,
            input_tokens=10,
            output_tokens=5,
            cost_nanousd=COST,
            at_ns=self._clock.wall_ns(),
        )

    async def ask(self, request: AskRequest) -> AskReply:
        self.judged.append(request)
        await asyncio.sleep(0)
        text = self.judge(request)
        return AskReply(text=text, served_model=self.judge_model, cost_nanousd=COST)

    def most_nanousd(self, ready: Ready, case: Case) -> int:
        return MOST

    def most_of(self, request: AskRequest) -> int:
        return MOST

    def asked_text(self, ready: Ready, case: Case) -> str:
        return asked_text(None, case)

    def rows_of(self, label: str) -> list[tuple[str, int]]:
        """Cases and repeats that a setup was asked for."""
        return [(case, repeat) for name, case, repeat in self.asked if name == label]


class Tried(NamedTuple):
    """A result, and who made it."""

    result: Result
    conduct: Conduct


class Stage:
    """One project with one suite.

    Args:
        folder: of the project.
        toml: of the suite.
        cases: its lines.
        said: what is answered.
    """

    def __init__(self, folder: Path, toml: str, cases: str | Iterable[str], said: Said) -> None:
        self.folder = folder
        self.clock = FrozenClock()
        self.answers = Answers(self.clock, said)
        data = folder / ".trimtab"
        data.mkdir(exist_ok=True)
        self.store = open_experiments(data, self.clock)
        self.write(toml, cases)
        self._number = 0

    def write(self, toml: str, cases: str | Iterable[str]) -> None:
        """Other files for the suite."""
        suite = self.folder / "evals" / "s"
        suite.mkdir(parents=True, exist_ok=True)
        (suite / "suite.toml").write_text(toml)
        (suite / "cases.jsonl").write_text(cases if isinstance(cases, str) else "".join(cases))

    @property
    def suite(self) -> Suite:
        """As its files say now."""
        return load_suite(self.folder, "s")

    def order(
        self, kind: Kind, candidate: Ready, baseline: Ready | None = None, **more: Any
    ) -> Order:
        """An order with a new id."""
        suite = self.suite
        self._number += 1
        evaluators = load_evaluators(suite, schema_declared=False)
        fields: dict[str, Any] = {
            "id": f"exp_{self._number}",
            "kind": kind,
            "suite": suite,
            "evaluators": evaluators,
            "advisory": advisory_metrics(suite.folder, evaluators.evaluators),
            "candidate": candidate,
            "baseline": baseline,
            "repeats": suite.repeats,
            **more,
        }
        return Order(**fields)

    def conduct(self, order: Order) -> Conduct:
        return Conduct(Lab(self.store, self.answers, self.clock), order)

    def carry_out(self, order: Order, on_progress: OnProgress = _nobody) -> Result:
        """Carry an order out."""
        return asyncio.run(self.conduct(order).carry_out(on_progress))

    def gate(self, candidate: Ready, baseline: Ready | None, **more: Any) -> Result:
        return self.carry_out(self.order("gate", candidate, baseline, **more))

    def run(self, candidate: Ready, **more: Any) -> Result:
        return self.carry_out(self.order("run", candidate, **more))
