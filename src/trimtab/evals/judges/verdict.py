"""The verdict of a judge, read strictly: what is not exactly one is none."""

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, cast

from trimtab.evals.evaluator import Ask
from trimtab.evals.judges.question import Question

__all__ = ["Judged", "Unreadable", "Verdict", "ask_verdict", "models_of", "parse_verdict"]

_KEYS: Final = ("mark", "reasoning", "verdict")
_BORDERLINE: Final = "borderline"
_MOST_CHARACTERS: Final = 50_000
_FENCES: Final = ("```json\n", "```\n")
_FENCE_END: Final = "\n```"


class Verdict(NamedTuple):
    """What a judge says.

    Attributes:
        choice: one of those that the question has.
        reasoning: why.
        borderline: another judge might well say something else.
    """

    choice: str | int
    reasoning: str
    borderline: bool


class Unreadable(NamedTuple):
    """A reply that is no verdict, and why not; nothing of the reply is quoted."""

    problem: str


class Judged(NamedTuple):
    """What came of a question.

    Attributes:
        said: a verdict, or why there is none.
        cost_nanousd: of all attempts.
        model: that was asked in the end, as its provider calls it.
    """

    said: Verdict | Unreadable
    cost_nanousd: int
    model: str


async def ask_verdict(ask: Ask, question: Question, *, vote: int = 0) -> Judged:
    """Ask, and ask once more where the reply cannot be read.

    Args:
        ask: the model.
        question: for it.
        vote: number of this verdict, where several are asked for; each has fences of its own.

    Raises:
        TrimtabError: the model cannot be asked.
    """
    cost_nanousd, problem, model = 0, "", ""
    for attempt in range(2):
        mark = question.mark(f"{vote}.{attempt}")
        reply = await ask(question.request(mark, problem))
        cost_nanousd, model = cost_nanousd + reply.cost_nanousd, reply.served_model
        said = parse_verdict(reply.text, mark=mark, choices=question.choices)
        if isinstance(said, Verdict):
            return Judged(said, cost_nanousd, model)
        problem = said.problem
    return Judged(Unreadable(problem), cost_nanousd, model)


def models_of(asked: Iterable[Judged]) -> str:
    """The models that were asked, each once, with commas between them."""
    return ", ".join(sorted({one.model for one in asked if one.model}))


def parse_verdict(text: str, *, mark: str, choices: tuple[str | int, ...]) -> Verdict | Unreadable:
    """The verdict that a reply is.

    Args:
        text: the whole reply: one JSON object, or a fence of Markdown with nothing else in it.
        mark: that the verdict must carry.
        choices: the verdicts there are.
    """
    if len(text) > _MOST_CHARACTERS:
        return Unreadable("it is too long")
    try:
        found = json.loads(_unfenced(text), object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return Unreadable("it is not one JSON object alone, with each key once")
    if not isinstance(found, dict):
        return Unreadable("it is not a JSON object")
    fields = cast("dict[str, Any]", found)
    if problem := _problem_of(fields, mark):
        return Unreadable(problem)
    chosen = [choice for choice in choices if _is(fields["verdict"], choice)]
    if not chosen:
        return Unreadable("the verdict is not one of those asked for")
    return Verdict(chosen[0], fields["reasoning"].strip(), bool(fields.get(_BORDERLINE)))


def _problem_of(found: dict[str, Any], mark: str) -> str:
    """What is wrong beside the choice; "" for nothing."""
    keys = [key for key in found if key != _BORDERLINE]
    if sorted(keys) != sorted(_KEYS):
        return "its keys are not mark, reasoning, verdict and borderline"
    if keys.index("reasoning") > keys.index("verdict"):
        return "the reasoning comes after the verdict"
    if found["mark"] != mark:
        return "its mark is not that of the parts"
    if not isinstance(found["reasoning"], str) or not found["reasoning"].strip():
        return "it has no reasoning"
    if not isinstance(found.get(_BORDERLINE, False), bool):
        return "borderline is not true or false"
    return ""


def _unfenced(text: str) -> str:
    text = text.strip().replace("\r\n", "\n")
    for opening in _FENCES:
        if text.startswith(opening) and text.endswith(_FENCE_END):
            return text[len(opening) : -len(_FENCE_END)]
    return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _is(found: object, choice: str | int) -> bool:
    return type(found) is type(choice) and found == choice
