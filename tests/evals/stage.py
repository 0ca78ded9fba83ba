"""Experiments in one process: a provider that does as it is told, the real gateway, a suite."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness import NO_BREAKERS
from trimtab.app import App
from trimtab.archive import open_experiments
from trimtab.config.load import load_project
from trimtab.datasets.case import Case
from trimtab.datasets.suite import GatePolicy, Suite
from trimtab.evals.answering import GatewayAnswerer
from trimtab.evals.conduct import Conduct, Lab, Order
from trimtab.evals.evaluator import Ask, Sample, Score, measured
from trimtab.evals.registry import SuiteEvaluator, SuiteEvaluators
from trimtab.evals.result import Result
from trimtab.evals.setups import Ready, Wish, resolve_setup
from trimtab.prompts.library import load_library
from trimtab.store.protocol import Experiments
from trimtab.testing import Behaviour, FaultProvider, Script
from trimtab.types.clock import Clock, SystemClock
from trimtab.types.experiments import Mark, MetricKind

RIGHT, WRONG = Behaviour(text="right", tokens=1), Behaviour(text="wrong", tokens=1)
# 1 dollar per million tokens of input, 10 of output.
PRICE = "{input_usd_per_mtok = 1, output_usd_per_mtok = 10}"
_NAMES = ("main", "other", "judge")

Says = Callable[[Sample, Ask], Awaitable[Score]]


class Spoken:
    """An evaluator that is a function."""

    def __init__(self, says: Says) -> None:
        self._says = says

    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        return await self._says(sample, ask)


async def is_right(sample: Sample, _ask: Ask) -> Score:
    return measured(float(sample.text == "right"))


def evaluator(
    says: Says = is_right,
    metric: str = "accuracy",
    kind: MetricKind = "rate",
    *,
    name: str = "",
    asks: bool = False,
    higher_is_better: bool = True,
) -> SuiteEvaluator:
    return SuiteEvaluator(
        name=name or metric,
        use="test",
        metric=metric,
        kind=kind,
        higher_is_better=higher_is_better,
        asks=asks,
        hash=f"hash of {name or metric}",
        evaluator=Spoken(says),
    )


def cases(count: int, **fields: Any) -> list[Case]:
    return [
        Case(id=f"c{at}", messages=[{"role": "user", "content": f"question {at}"}], **fields)
        for at in range(count)
    ]


def suite(
    folder: Path, of: Sequence[Case], *, gate: GatePolicy | None = None, **fields: Any
) -> Suite:
    values: dict[str, Any] = {"concurrency": 4, "model": "main", "hash": "0badcafe", **fields}
    return Suite(
        name="s",
        folder=folder / "evals" / "s",
        evaluators=[],
        gate=gate or GatePolicy(),
        cases=list(of),
        **values,
    )


class Stage(NamedTuple):
    """What a test works with."""

    folder: Path
    app: App
    provider: FaultProvider
    store: Experiments
    clock: Clock

    def lab(self, experiment: str = "exp_1") -> Lab:
        answerer = GatewayAnswerer(self.app.gateway, self.clock, experiment)
        return Lab(self.store, answerer, self.clock)

    def ready(self, of: Suite, wish: Wish | None = None) -> Ready:
        project = load_project(self.folder / "trimtab.toml")
        return resolve_setup(project, load_library(self.folder), of, wish=wish or Wish())

    def order(
        self, of: Suite, evaluators: Sequence[SuiteEvaluator] = (evaluator(),), **fields: Any
    ) -> Order:
        """A run of the suite's own setup, unless `fields` say something else."""
        values: dict[str, Any] = {
            "id": "exp_1",
            "kind": "run",
            "advisory": {},
            "candidate": self.ready(of),
            "baseline": None,
            "repeats": of.repeats,
            "budget_nanousd": None,
            **fields,
        }
        known = SuiteEvaluators(evaluators=list(evaluators), not_measured={}, notes=[])
        return Order(suite=of, evaluators=known, **values)

    def gate(
        self, of: Suite, evaluators: Sequence[SuiteEvaluator] = (evaluator(),), **fields: Any
    ) -> Order:
        """The alias `main` against the alias `other`."""
        baseline = self.ready(of, Wish(model="other"))
        return self.order(of, evaluators, kind="gate", **{"baseline": baseline, **fields})

    async def conduct(self, order: Order) -> Result:
        return await Conduct(self.lab(order.id), order).carry_out(lambda _progress: None)

    def contents(self) -> list[str]:
        """What the provider was asked, in order."""
        return [_last_content(call.body) for call in self.provider.calls]


def _last_content(body: bytes) -> str:
    return msgspec.json.decode(body)["messages"][-1]["content"]


@asynccontextmanager
async def stage(
    folder: Path, *behaviours: Behaviour, extra: str = "", provider: FaultProvider | None = None
) -> AsyncGenerator[Stage]:
    """A stage on which `main` answers with the behaviours, `other` and `judge` are healthy."""
    named = {name: (Behaviour(),) for name in _NAMES} | {"main": behaviours or (RIGHT,)}
    async with provider or FaultProvider(Script(named=named)) as answering:
        (folder / "trimtab.toml").write_text(_project(answering.base_url, extra))
        clock = SystemClock()
        app = await App.open(folder / "trimtab.toml", clock)
        try:
            async with app.working():
                store = open_experiments(folder / "trimtab.toml")
                yield Stage(folder, app, answering, store, clock)
        finally:
            await app.close()


def _project(base_url: str, extra: str) -> str:
    models = "".join(
        f'[models.{name}]\nref = "one:fault:{name}"\nprice = {PRICE}\nmax_output_tokens = 100\n'
        for name in _NAMES
    )
    breakers = "" if "[breakers]" in extra else NO_BREAKERS
    providers = "".join(
        f'[providers.{name}]\nkind = "openai"\nbase_url = "{base_url}"\n' for name in ("one", "two")
    )
    return f"""
[server]
port = 0
{providers}
{breakers}
{models}
[routes.default]
retries = 0
{extra}
"""


def on_stage(
    folder: Path,
    act: Callable[[Stage], Awaitable[None]],
    *behaviours: Behaviour,
    extra: str = "",
    provider: FaultProvider | None = None,
) -> None:
    """Play one act."""

    async def play() -> None:
        async with stage(folder, *behaviours, extra=extra, provider=provider) as on:
            await act(on)

    asyncio.run(play())


def marks(on: Stage, order: Order) -> list[Mark]:
    """Those of the candidate, of whichever evaluator."""
    hashes = {
        one.hash_for(case) + beside
        for one in order.evaluators.evaluators
        for case in order.suite.cases
        for beside in ("", *_besides(on, order))
    }
    return list(on.store.marks(order.candidate.setup.hash, hashes))


def _besides(on: Stage, order: Order) -> set[str]:
    """The baseline with each model that ever served it, as hashes of preferences name it."""
    if order.baseline is None:
        return set()
    base = order.baseline.setup.hash
    return {f"/{base}/{head.served_model}" for head in on.store.row_heads(base)}


def figure(result: Result, metric: str = "accuracy") -> float | None:
    (found,) = [one for one in result.figures if one.metric == metric]
    return found.estimate.value if found.estimate is not None else None


def unmeasured(result: Result, metric: str = "accuracy") -> int:
    (found,) = [one for one in result.figures if one.metric == metric]
    assert found.estimate is not None
    return found.estimate.unmeasured
