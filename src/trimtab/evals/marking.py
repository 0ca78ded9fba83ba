"""What evaluators say of rows. What fails to be told is unmeasured, and says why."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple

import msgspec

from trimtab.datasets.case import Case
from trimtab.errors import BudgetExceeded, TrimtabError
from trimtab.evals.allowance import Allowance
from trimtab.evals.answering import Answerer
from trimtab.evals.evaluator import AskReply, AskRequest, Sample, Score, unmeasured
from trimtab.evals.patience import Patience
from trimtab.evals.registry import SuiteEvaluator
from trimtab.types.experiments import Mark, MetricKind, Row

__all__ = ["AllowanceSpent", "Context", "Marker", "compares", "mark_hash"]

_LONGEST_REASON: Final = 500
_VALUES: Final[Mapping[MetricKind, Callable[[float], bool]]] = {
    "rate": lambda value: value in {0, 1},
    "score": lambda value: 0 <= value <= 1,
    "amount": lambda value: value > 0 and isfinite(value),
    "preference": lambda value: -1 <= value <= 1,
}


class AllowanceSpent(Exception):
    """What is left of the run's budget does not pay for the question of an evaluator."""


class Context(NamedTuple):
    """What an evaluator sees beside a case and an answer.

    Attributes:
        asked: what the user's side said, rendered.
        schema: that the prompt declares for answers; None without one.
        baseline_text: the baseline's answer; None where there is none, or none yet.
    """

    asked: str = ""
    schema: dict[str, Any] | None = None
    baseline_text: str | None = None


def mark_hash(evaluator: SuiteEvaluator, case: Case, baseline: str = "") -> str:
    """What a mark depends on beside the row: evaluator, and what the case expects.

    Args:
        evaluator: of the suite.
        case: with its expectations.
        baseline: whose answer is seen beside it, by `side_of`; "" where there is none.
    """
    own = evaluator.hash_for(case)
    return f"{own}/{baseline}" if compares(evaluator) else own


def compares(evaluator: SuiteEvaluator) -> bool:
    """Whether it looks at the answers of both setups."""
    return evaluator.kind == "preference"


class Marker:
    """Marks rows.

    Args:
        evaluators: of the suite.
        answerer: asks models for evaluators.
        allowance: what they may spend.

    Attributes:
        baseline: what answers are compared with, by `side_of`; "" for nothing.
        asked_nanousd: what the questions of evaluators have cost.
        unaffordable: questions that the allowance did not pay for.
    """

    def __init__(
        self,
        evaluators: Sequence[SuiteEvaluator],
        answerer: Answerer,
        allowance: Allowance,
    ) -> None:
        self.baseline = ""
        self.evaluators = evaluators
        self.asked_nanousd = 0
        self.unaffordable = 0
        self._answerer = answerer
        self._allowance = allowance
        self._patience = defaultdict[str, Patience](Patience)  # by model
        self._stopped = False

    def stop(self) -> None:
        """Ask no more models: what their evaluators would say is left for another time."""
        self._stopped = True
        for patience in self._patience.values():
            patience.end()

    def hashes(self, case: Case) -> dict[str, SuiteEvaluator]:
        """The evaluators by what their marks of a case depend on."""
        return {mark_hash(one, case, self.baseline): one for one in self.evaluators}

    async def mark(
        self, row: Row, case: Case, context: Context, *, known: Collection[str] = ()
    ) -> list[Mark]:
        """What the evaluators say of a row, but those whose marks are `known`.

        A row without an answer has no marks; and who compares answers says nothing before both are
        there. Where no budget pays for a judge, or the run was stopped, there is no mark, so that
        it is asked another time.
        """
        if row.status != "ok":
            return []
        sample = _sample(row, case, context)
        marks: list[Mark] = []
        for evaluator_hash, one in self.hashes(case).items():
            if evaluator_hash in known or (compares(one) and context.baseline_text is None):
                continue
            if one.asks and self._stopped:
                continue
            try:
                score = await self._score(one, sample)
            except (AllowanceSpent, BudgetExceeded):
                self.unaffordable += 1
                continue
            marks.append(_mark(row, one, evaluator_hash, score=score))
        return marks

    async def _score(self, one: SuiteEvaluator, sample: Sample) -> Score:
        try:
            return _checked(await one.evaluator.evaluate(sample, self._ask), one)
        except (AllowanceSpent, BudgetExceeded):
            raise
        except TrimtabError as error:
            return unmeasured(f"{one.name}: {error}"[:_LONGEST_REASON])
        except Exception as error:  # noqa: BLE001 - a defect of an evaluator must not end the run
            return unmeasured(f"{one.name} failed with {type(error).__name__}.")

    async def _ask(self, request: AskRequest) -> AskReply:
        return await self._patience[request.model].ask(lambda: self._pay(request))

    async def _pay(self, request: AskRequest) -> AskReply:
        most_nanousd = self._answerer.most_of(request)
        if not await self._allowance.hold(most_nanousd):
            raise AllowanceSpent("The budget of the run does not pay for this question.")
        cost_nanousd = 0
        try:
            reply = await self._answerer.ask(request)
            cost_nanousd = reply.cost_nanousd
        except TrimtabError as error:
            cost_nanousd = error.cost_nanousd
            raise
        finally:
            self._allowance.settle(most_nanousd, cost_nanousd)
            self.asked_nanousd += cost_nanousd
        return reply


def _checked(said: Score, one: SuiteEvaluator) -> Score:
    """A value that is not of its kind would spoil the figures of all others.

    Raises:
        ValidationError: what was said is no score.
    """
    score = msgspec.convert(msgspec.to_builtins(said), Score)
    if score.status != "measured":
        return score
    if score.value is None or not _VALUES[one.kind](score.value):
        wrong = f"{one.name} said {score.value}, which is no {one.kind}."
        return unmeasured(wrong, cost_nanousd=score.cost_nanousd)
    return score


def _written(text: str) -> str:
    """As it can be kept: halves of characters, which may come from anywhere, cannot."""
    return text[:_LONGEST_REASON].encode(errors="replace").decode()


def _sample(row: Row, case: Case, context: Context) -> Sample:
    return Sample(
        case=case,
        prompt_text=context.asked,
        text=row.text,
        tool_calls=row.tool_calls,
        finish_reason=row.finish_reason,
        latency_ms=row.latency_us / 1000,
        cost_nanousd=row.cost_nanousd,
        output_tokens=row.output_tokens,
        output_schema=context.schema,
        baseline_text=context.baseline_text,
    )


def _mark(row: Row, one: SuiteEvaluator, evaluator_hash: str, *, score: Score) -> Mark:
    return Mark(
        setup_hash=row.setup_hash,
        case_hash=row.case_hash,
        repeat=row.repeat,
        served_model=row.served_model,
        evaluator=one.name,
        evaluator_hash=evaluator_hash,
        metric=one.metric,
        status=score.status,
        value=score.value,
        label=_written(score.label),
        reason=_written(score.reason),
        cost_nanousd=score.cost_nanousd,
        judge_model=score.judge_model,
    )
