"""A model that judges, played by a script; and samples to be judged."""

import json
import re
from collections.abc import Callable
from typing import Any

from trimtab.datasets.case import Case
from trimtab.evals.evaluator import AskReply, AskRequest, Sample

__all__ = ["MODEL", "Script", "mark_of", "part_of", "sample_of", "says"]

MODEL = "local:judge-1"

Reply = Callable[[AskRequest], str]


class Script:
    """Answers with these replies in turn, and with the last one for ever; keeps what was asked."""

    def __init__(self, *replies: Reply, served_model: str = MODEL) -> None:
        self.requests: list[AskRequest] = []
        self._replies = replies
        self._served_model = served_model

    async def __call__(self, request: AskRequest) -> AskReply:
        reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
        self.requests.append(request)
        return AskReply(text=reply(request), served_model=self._served_model, cost_nanousd=100)


def says(verdict: str | int, reasoning: str = "It does.", **others: Any) -> Reply:
    """A verdict in the form that was asked for; other keys come on top."""

    def reply(request: AskRequest) -> str:
        said = {"mark": mark_of(request), "reasoning": reasoning, "verdict": verdict, **others}
        return json.dumps(said)

    return reply


def mark_of(request: AskRequest) -> str:
    """Of the fences, as the rules say it."""
    found = re.search(r"\[BEGIN name (\w+)\]", request.messages[0]["content"])
    assert found is not None
    return found[1]


def part_of(request: AskRequest, name: str) -> str:
    """What stands in a fence, read as the rules say."""
    mark, content = mark_of(request), request.messages[1]["content"]
    inside = content.split(f"[BEGIN {name} {mark}]\n")
    assert len(inside) == 2
    return inside[1].split(f"\n[END {name} {mark}]")[0]


def sample_of(text: str, *, baseline: str | None = None, **case: Any) -> Sample:
    """A sample with this answer."""
    return Sample(
        case=Case(id="c1", **case),
        prompt_text="Can I have my money back?",
        text=text,
        baseline_text=baseline,
    )
