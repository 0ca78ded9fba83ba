"""rubric: a model says how good an answer is, by a rubric in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median_low
from typing import Annotated, Any, Final, Literal

from msgspec import Meta
from typing_extensions import override

from trimtab.evals.evaluator import Ask, Evaluator, Sample, Score, unmeasured
from trimtab.evals.judges.options import JudgeOptions
from trimtab.evals.judges.parts import context_of
from trimtab.evals.judges.question import Part, Question, fingerprint_of, spoken
from trimtab.evals.judges.verdict import Judged, Unreadable, Verdict, ask_verdict, models_of
from trimtab.evals.options import parse_options
from trimtab.types.experiments import MetricKind

__all__ = ["EVALUATOR", "Options"]

_TASK: Final = """
You judge an answer by a rubric. People decide by your verdict whether a product changes.

The rubric:
{rubric}

{scale}
If there is a reference answer, it is one good answer among others: another one may be as good.
"""
_TWO_WAY: Final = """
The verdict is pass where the answer meets all of the rubric, and fail where it does not.
"""
_FIVE_STEPS: Final = """
The verdict is a whole number. 5: the answer meets all of the rubric. 4: what is missing hardly
matters. 3: something that matters is missing. 2: most of it is missing. 1: it meets nothing of the
rubric, or does harm.
"""
_SCALES: Final[dict[str, tuple[tuple[str | int, ...], str]]] = {
    "pass/fail": (("pass", "fail"), _TWO_WAY.strip()),
    "1-5": ((1, 2, 3, 4, 5), _FIVE_STEPS.strip()),
}


class Options(JudgeOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `rubric`."""

    scale: Annotated[
        Literal["pass/fail", "1-5"], Meta(description="a rate, or a score from 0 to 1")
    ] = "pass/fail"
    votes: Annotated[
        int, Meta(ge=1, le=9, description="verdicts in all, odd, where the first is borderline")
    ] = 1

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.votes % 2 == 0:
            raise ValueError("`votes` must be odd, so that there is a middle one")


class _Rubric(Evaluator):
    """By the options of a suite."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._choices, scale = _SCALES[options.scale]
        self._task = _TASK.format(rubric=options.rubric_text(), scale=scale)
        self.metric = _Kind.metric
        self.kind: MetricKind = "rate" if options.scale == "pass/fail" else "score"
        self.higher_is_better = True
        self.fingerprint = fingerprint_of(self._task, self._choices)

    @override
    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        answer = Part("answer", spoken(sample.text, sample.tool_calls))
        question = Question(
            model=self._options.model,
            config=self._options.config(),
            purpose="judge:rubric",
            task=self._task,
            parts=(*context_of(sample), answer),
            choices=self._choices,
        )
        first = await ask_verdict(ask, question)
        if isinstance(first.said, Unreadable):
            reason = f"the judge gave no verdict, asked twice: {first.said.problem}"
            return unmeasured(reason, cost_nanousd=first.cost_nanousd)
        asked = [first]
        if first.said.borderline:
            for vote in range(1, self._options.votes):
                asked.append(await ask_verdict(ask, question, vote=vote))  # noqa: PERF401
        return self._score(asked)

    def _score(self, asked: Sequence[Judged]) -> Score:
        """The middle verdict; of an even number, as one could not be read, the lower middle one."""
        verdicts = [one.said for one in asked if isinstance(one.said, Verdict)]
        values = [self._value(verdict) for verdict in verdicts]
        value = median_low(values)
        middle = verdicts[values.index(value)]
        label = str(middle.choice)
        if len(verdicts) > 1:
            label += f" ({values.count(value)} of {len(values)} votes)"
        return Score(
            status="measured",
            value=value,
            label=label,
            reason=middle.reasoning,
            cost_nanousd=sum(one.cost_nanousd for one in asked),
            judge_model=models_of(asked),
        )

    def _value(self, verdict: Verdict) -> float:
        if isinstance(verdict.choice, int):
            return (verdict.choice - 1) / 4
        return 1.0 if verdict.choice == "pass" else 0.0


class _Kind:
    """An `EvaluatorKind`."""

    name = "rubric"
    version = 1
    metric = "quality"
    kind: MetricKind = "rate"
    higher_is_better = True
    asks = True
    summary = "a model says how good the answer is, by a rubric in words"

    def build(self, options: Mapping[str, Any], folder: Path) -> _Rubric:  # noqa: ARG002
        """One with these options; of the folder it needs nothing.

        Raises:
            UsageError: an option is unknown, missing or wrong; the message names it.
        """
        return _Rubric(parse_options(self.name, options, Options))


EVALUATOR = _Kind()
