"""JSON in answers: read as it stands, with or without the fence that models like to put around."""

from typing import Final, cast

import msgspec

__all__ = ["JsonProblem", "contains_value", "in_fence", "parse_json", "same_value"]

_FENCE: Final = "```"


class JsonProblem(Exception):
    """A text is not JSON. Says why, without quoting it."""


def parse_json(text: str) -> object:
    """The value that a whole text stands for.

    Raises:
        JsonProblem: it is not one JSON value (RFC 8259: no comments, no NaN), or is nested so
            deeply that nobody reads it.
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        raise JsonProblem("the answer is not JSON") from None
    except RecursionError:
        raise JsonProblem("the JSON is nested too deeply") from None


def in_fence(text: str) -> str | None:
    """What stands inside, where a whole text is one fence of JSON; None where it is not."""
    stripped = text.strip()
    opening, _, rest = stripped.partition("\n")
    if opening.rstrip().lower() not in {_FENCE, f"{_FENCE}json"} or not rest.endswith(_FENCE):
        return None
    inside = rest.removesuffix(_FENCE)
    return None if _FENCE in inside else inside


def same_value(one: object, other: object) -> bool:
    """Equal as JSON values: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        ones, others = cast("list[object]", one), cast("list[object]", other)
        return len(ones) == len(others) and all(map(same_value, ones, others))
    if isinstance(one, dict) and isinstance(other, dict):
        mine, yours = cast("dict[str, object]", one), cast("dict[str, object]", other)
        return mine.keys() == yours.keys() and all(same_value(mine[k], yours[k]) for k in mine)
    return one == other


def contains_value(whole: object, part: object) -> bool:
    """Whether every field of `part` is in `whole`, objects in objects too; lists must be equal."""
    match whole, part:
        case dict(), dict():
            mine, wanted = cast("dict[str, object]", whole), cast("dict[str, object]", part)
            return all(name in mine and contains_value(mine[name], wanted[name]) for name in wanted)
        case _:
            return same_value(whole, part)
