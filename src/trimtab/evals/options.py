"""Options of evaluators and what cases expect, read strictly; what is wrong is named."""

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from trimtab.datasets.case import Case
from trimtab.errors import UsageError

__all__ = [
    "LimitS",
    "Text",
    "Texts",
    "WrongExpectation",
    "listed",
    "parse_options",
    "read_expected",
    "words_of",
]

S = TypeVar("S", bound=msgspec.Struct)

Text = Annotated[str, Meta(min_length=1)]
Texts = Text | list[Text]
"""One text, or several."""

LimitS = Annotated[float, Meta(gt=0, le=600, description="seconds that one answer may take")]

_MAX_SHOWN: Final = 40


class WrongExpectation(Exception):
    """What a case expects is not of the form that an evaluator reads. Says which, and why."""


def parse_options(evaluator: str, given: Mapping[str, Any], into: type[S]) -> S:
    """The options of an evaluator.

    Args:
        evaluator: its name, for the message.
        given: as the suite has them.
        into: a struct whose fields are the options; a `ValueError` of its `__post_init__` is told
            to people, so it says what to do.

    Raises:
        UsageError: an option is unknown, missing or wrong; the message names it.
    """
    words = words_of(into)
    for name in given:
        if name not in words:
            raise UsageError(
                f"{evaluator} has no option `{name[:_MAX_SHOWN]}`. {_near(name, words)}"
            )
    try:
        return msgspec.convert(dict(given), into)
    except msgspec.ValidationError as error:
        problem, option = _parted(error)
        meant = words.get(option.partition(".")[0].partition("[")[0], "")
        subject = f"option `{option}` of {evaluator}" if option else evaluator
        remedy = f" It is: {meant}." if meant else ""
        raise UsageError(f"{subject}: {problem}.{remedy}") from None


def read_expected(case: Case, into: type[S]) -> S:
    """What a case expects, as far as an evaluator looks at it; other keys are for others.

    Raises:
        WrongExpectation: a value is not of the form that it must have.
    """
    try:
        return msgspec.convert(case.expected, into)
    except msgspec.ValidationError as error:
        problem, key = _parted(error)
        place = f"expected.{key}" if key else "expected"
        raise WrongExpectation(f"`{place}` of the case: {problem}") from None


def words_of(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The fields of a struct, each with its description."""
    hints = get_type_hints(struct, include_extras=True)
    return {
        field.encode_name: _description(hints[field.name])
        for field in msgspec.structs.fields(struct)
    }


def listed(texts: Texts) -> list[str]:
    """One text or several as a list."""
    return [texts] if isinstance(texts, str) else texts


def _description(hint: object) -> str:
    if get_origin(hint) is not Annotated:
        return ""
    metadata: tuple[object, ...] = getattr(hint, "__metadata__", ())
    found = [one.description for one in metadata if isinstance(one, Meta) and one.description]
    return found[-1] if found else ""


def _near(name: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean `{near[0]}`?"
    return f"It has: {', '.join(known)}." if known else "It has none."


def _parted(error: msgspec.ValidationError) -> tuple[str, str]:
    """What is wrong, as the rest of a sentence, and the name of the field; "" for the whole."""
    problem, _, where = str(error).partition(" - at `$")
    name = where.rstrip("`").removeprefix(".")
    if problem.startswith("Object missing required field"):
        missing = problem.split("`")[1]
        return "missing", f"{name}.{missing}" if name else missing
    return problem[:1].lower() + problem[1:], name
