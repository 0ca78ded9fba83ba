"""preference: a model says which of two answers is better, the candidate's or the baseline's."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from typing_extensions import override

from trimtab.evals.evaluator import (
    Ask,
    Evaluator,
    Sample,
    Score,
    measured,
    not_applicable,
    unmeasured,
)
from trimtab.evals.judges.options import JudgeOptions
from trimtab.evals.judges.parts import context_of
from trimtab.evals.judges.position import ORDER_CHOICES, Order, settle
from trimtab.evals.judges.question import Part, Question, fingerprint_of
from trimtab.evals.judges.verdict import Judged, Unreadable, Verdict, ask_verdict, models_of
from trimtab.evals.options import parse_options
from trimtab.types.experiments import MetricKind

__all__ = ["EVALUATOR", "Options"]

_TASK: Final = """
You compare two answers to the same question by a rubric. People decide by your verdict which version of a product is released.

The rubric:
{rubric}

The verdict is first or second for the answer that meets the rubric better, and tie where neither does. Which of the two comes first was decided by chance.
If there is a reference answer, it is one good answer among others: another one may be as good.
"""  # noqa: E501 - a line of it is a paragraph


class Options(JudgeOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `preference`."""


class _Preference(Evaluator):
    """By the options of a suite."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._task = _TASK.format(rubric=options.rubric_text())
        self.metric = _Kind.metric
        self.kind = _Kind.kind
        self.higher_is_better = True
        self.fingerprint = fingerprint_of(self._task, ORDER_CHOICES)

    @override
    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        baseline = sample.baseline_text
        if baseline is None:
            return not_applicable("there is no answer of a baseline to compare with")
        if sample.text == baseline:
            return measured(0, "tie", "the two answers are the same")
        context = context_of(sample)
        one = await self._ask(ask, context, (sample.text, baseline))
        other = await self._ask(ask, context, (baseline, sample.text))
        cost_nanousd = one.cost_nanousd + other.cost_nanousd
        if isinstance(one.said, Unreadable) or isinstance(other.said, Unreadable):
            return unmeasured(_unread(one.said, other.said), cost_nanousd=cost_nanousd)
        settled = settle(cast("Order", one.said.choice), cast("Order", other.said.choice))
        reason = f"candidate first: {one.said.reasoning}\ncandidate second: {other.said.reasoning}"
        return Score(
            status="measured",
            value=settled.value,
            label=settled.label,
            reason=reason,
            cost_nanousd=cost_nanousd,
            judge_model=models_of((one, other)),
        )

    async def _ask(self, ask: Ask, context: list[Part], answers: tuple[str, str]) -> Judged:
        first, second = answers
        parts = (Part("first answer", first), Part("second answer", second))
        question = Question(
            model=self._options.model,
            config=self._options.config(),
            purpose="judge:preference",
            task=self._task,
            parts=(*context, *parts),
            choices=ORDER_CHOICES,
        )
        return await ask_verdict(ask, question)


def _unread(*said: Verdict | Unreadable) -> str:
    problems = [one.problem for one in said if isinstance(one, Unreadable)]
    return f"the judge gave no verdict, asked twice: {problems[0]}"


class _Kind:
    """An `EvaluatorKind`."""

    name = "preference"
    version = 1
    metric = "preference"
    kind: MetricKind = "preference"
    higher_is_better = True
    asks = True
    summary = "a model says whether the answer is better than the baseline's, asked in both orders"

    def build(self, options: Mapping[str, Any], folder: Path) -> _Preference:  # noqa: ARG002
        """One with these options; of the folder it needs nothing.

        Raises:
            UsageError: an option is unknown, missing or wrong; the message names it.
        """
        return _Preference(parse_options(self.name, options, Options))


EVALUATOR = _Kind()
