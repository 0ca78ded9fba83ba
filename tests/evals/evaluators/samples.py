"""Samples, and what evaluators say of them."""

import asyncio
from pathlib import Path
from typing import Any

from trimtab.datasets.case import Case
from trimtab.evals.evaluator import AskReply, AskRequest, EvaluatorKind, Sample, Score

HERE = Path(__file__).parent


async def nobody(request: AskRequest) -> AskReply:
    raise AssertionError(f"an evaluator without a model asked {request.model}")


def sample(text: str = "", *, expected: dict[str, Any] | None = None, **fields: Any) -> Sample:
    case = Case(id="c", expected=expected or {}, variables={"ticket": "My bill is wrong"})
    return Sample(case=case, prompt_text="My bill is wrong", text=text, **fields)


def score(
    kind: EvaluatorKind,
    answer: Sample | str,
    options: dict[str, Any] | None = None,
    *,
    folder: Path = HERE,
) -> Score:
    """What an evaluator with these options says of an answer."""
    evaluator = kind.build(options or {}, folder)
    return asyncio.run(
        evaluator.evaluate(sample(answer) if isinstance(answer, str) else answer, nobody)
    )
