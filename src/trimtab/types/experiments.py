"""Evals: what is tried, what came back, and what evaluators say of it."""

from typing import Any, Literal, NamedTuple

import msgspec

__all__ = [
    "Experiment",
    "Mark",
    "MarkStatus",
    "MetricKind",
    "Row",
    "RowHead",
    "RowStatus",
    "Setup",
    "ToolCall",
]

RowStatus = Literal["ok", "error"]
MarkStatus = Literal["measured", "unmeasured", "not_applicable"]
MetricKind = Literal["rate", "score", "amount", "preference"]
"""Zero or one; between both; a positive amount, compared as a ratio; win, tie or loss."""


class Setup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is tried.

    Attributes:
        prompt: id of a prompt; "" where the cases bring their own messages.
        prompt_hash: of the version, with its overrides; "" without a prompt.
        label: as people call it: `v12`, `v13-draft`.
        model: the pin, `provider:model`.
        overrides: of the configuration, as `{"temperature": 0.7}`.
        hash: SHA-256 over all of these but the label.
    """

    prompt: str
    prompt_hash: str
    label: str
    model: str
    overrides: dict[str, Any] = {}
    hash: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that a model wants called.

    Attributes:
        name: of the tool.
        arguments: JSON text as the model wrote it, which may not be JSON.
    """

    name: str
    arguments: str


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of one setup to one case.

    Its key is (`setup_hash`, `case_hash`, `repeat`, `served_model`).

    Attributes:
        setup_hash: of the setup.
        case_id: as the suite calls it when the answer came.
        case_hash: of what the case asks; not of what it expects.
        repeat: from 0.
        status: whether there is an answer.
        text: of the answer; "" where there is none.
        tool_calls: what it wants called.
        finish_reason: as the provider gave it.
        error_code: short stable word; "" when all went well.
        error: in a sentence, without texts of users.
        served_model: the model that the provider says it used.
        inference_id: by which the ledger knows it.
        latency_us: microseconds from request to the last byte.
        input_tokens, output_tokens: as recorded.
        cost_nanousd: of all attempts.
        at_ns: UTC nanoseconds at which it ended.
    """

    setup_hash: str
    case_id: str
    case_hash: str
    repeat: int
    status: RowStatus
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = ""
    error_code: str = ""
    error: str = ""
    served_model: str = ""
    inference_id: str = ""
    latency_us: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nanousd: int = 0
    at_ns: int = 0


class RowHead(NamedTuple):
    """What a plan needs to know of a row that is there.

    Attributes:
        case_hash, repeat, served_model: of its key.
        ok: there is an answer.
        at_ns: UTC nanoseconds at which it ended.
    """

    case_hash: str
    repeat: int
    served_model: str
    ok: bool
    at_ns: int


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one evaluator says of one row.

    Attributes:
        setup_hash, case_hash, repeat, served_model: key of the row.
        evaluator: its name in the suite.
        evaluator_hash: of its name, version, options, judge, and what the case expects.
        metric: what it measures.
        status: `unmeasured` is a defect, `not_applicable` is not.
        value: None unless measured.
        label: a short word for people, as `full_refusal`.
        reason: why, in a sentence.
        cost_nanousd: of a model that was asked.
        judge_model: the model that was asked, as its provider calls it; "" without one.
    """

    setup_hash: str
    case_hash: str
    repeat: int
    served_model: str
    evaluator: str
    evaluator_hash: str
    metric: str
    status: MarkStatus
    value: float | None = None
    label: str = ""
    reason: str = ""
    cost_nanousd: int = 0
    judge_model: str = ""


class Experiment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of a suite with one setup, or with two to compare them.

    Attributes:
        id: `exp_...`.
        suite: name.
        suite_hash: of its files as they were.
        kind: what it was for.
        candidate: what is tried.
        baseline: what it is compared with; None for a run of one.
        repeats: planned for each case.
        started_ns, ended_ns: UTC; `ended_ns` is 0 while it runs, and after a kill.
        verdict: "" while it runs, and for a run of one.
        spent_nanousd: of this experiment's own requests.
        summary: the report as JSON; b"" until it ends.
    """

    id: str
    suite: str
    suite_hash: str
    kind: Literal["run", "gate", "aa"]
    candidate: Setup
    baseline: Setup | None = None
    repeats: int
    started_ns: int
    ended_ns: int = 0
    verdict: Literal["", "pass", "fail", "inconclusive"] = ""
    spent_nanousd: int = 0
    summary: bytes = b""
