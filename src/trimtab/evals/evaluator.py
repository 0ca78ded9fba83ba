"""The border of evaluators: what they are given, and what they say."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from trimtab.datasets.case import Case
from trimtab.types.experiments import MarkStatus, MetricKind, ToolCall

__all__ = [
    "Ask",
    "AskReply",
    "AskRequest",
    "Evaluator",
    "EvaluatorKind",
    "Particular",
    "Sample",
    "Score",
    "measured",
    "not_applicable",
    "unmeasured",
]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A case, and an answer to it.

    Attributes:
        case: what was asked, and what is expected.
        prompt_text: what the user's side said, rendered: for refusal and relevance.
        text: of the answer.
        tool_calls: what it wants called.
        finish_reason: as the provider gave it.
        latency_ms: to the last byte.
        cost_nanousd: of all attempts.
        output_tokens: as recorded.
        output_schema: JSON Schema that the prompt declares for the answer; None without one.
        baseline_text: the baseline's answer to the same case and repeat, for preferences; None
            where there is none.
    """

    case: Case
    prompt_text: str
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    latency_ms: float = 0.0
    cost_nanousd: int = 0
    output_tokens: int = 0
    output_schema: dict[str, Any] | None = None
    baseline_text: str | None = None


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluator says.

    Attributes:
        status: `not_applicable` where the case does not ask for this; `unmeasured` where it could
            not be told, which is never zero.
        value: 0 or 1 of a rate, between both of a score, positive of an amount; -1, 0 or 1 of a
            preference.
        label: a short word for people.
        reason: why, in a sentence; may quote the answer.
        cost_nanousd: of models that were asked.
        judge_model: the model that judged, as its provider calls it; several with commas between
            them, "" without one.
    """

    status: MarkStatus
    value: float | None = None
    label: str = ""
    reason: str = ""
    cost_nanousd: int = 0
    judge_model: str = ""


class AskRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A question of an evaluator to a model.

    Attributes:
        model: alias, route or pin.
        messages: of a chat; texts of cases and answers stand in them as data.
        config: temperature and so on.
        purpose: for the ledger: `judge:rubric`.
    """

    model: str
    messages: list[dict[str, Any]]
    config: dict[str, Any] = {}
    purpose: str = "judge"


class AskReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said; errors are raised as `TrimtabError`."""

    text: str
    served_model: str = ""
    cost_nanousd: int = 0


Ask = Callable[[AskRequest], Awaitable[AskReply]]


class Evaluator(Protocol):
    """One evaluator with its options. Any number of samples at once."""

    async def evaluate(self, sample: Sample, ask: Ask) -> Score:
        """What it says of a sample. What it raises makes the sample unmeasured."""
        ...


@runtime_checkable
class Particular(Protocol):
    """An evaluator that knows more of itself than its kind does, because its options decide.

    Attributes:
        metric, kind, higher_is_better: in place of those of its kind.
        fingerprint: of what else decides what it says, as a hash of a file; part of its own hash.
    """

    metric: str
    kind: MetricKind
    higher_is_better: bool
    fingerprint: str


class EvaluatorKind(Protocol):
    """What an entry point of `trimtab.evaluators` gives.

    Attributes:
        name: as in `use = "..."`.
        version: raised whenever it may say something else of the same sample.
        metric: which metric it belongs to by default.
        kind: of the values.
        higher_is_better: of the values.
        asks: it may ask a model, so its metric gates only with a calibrated judge.
        summary: one line for the docs.
    """

    name: str
    version: int
    metric: str
    kind: MetricKind
    higher_is_better: bool
    asks: bool
    summary: str

    def build(self, options: Mapping[str, Any], folder: Path) -> Evaluator:
        """One with these options, of a suite in this folder.

        Raises:
            UsageError: an option is unknown, missing or wrong; the message names it.
        """
        ...


def measured(value: float, label: str = "", reason: str = "", *, cost_nanousd: int = 0) -> Score:
    """A value."""
    return Score(
        status="measured", value=value, label=label, reason=reason, cost_nanousd=cost_nanousd
    )


def unmeasured(reason: str, *, cost_nanousd: int = 0) -> Score:
    """It should have a value, and has none."""
    return Score(status="unmeasured", reason=reason, cost_nanousd=cost_nanousd)


def not_applicable(reason: str = "") -> Score:
    """The case does not ask for this."""
    return Score(status="not_applicable", reason=reason)
