"""Parameters of a call that a prompt or an experiment may set, and the values that they take.

Only those are known whose meaning is the same with all providers; any other passes, and its value
is the provider's affair.
"""

from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

__all__ = ["Misfit", "misfit_of"]

_RESERVED: Final = frozenset((
    "messages", "metadata", "model", "n", "prompt", "stream", "stream_options", "tools", "user",
))  # fmt: skip

_PENALTY: Final = (Annotated[float, Meta(ge=-2, le=2)], "a number from -2 to 2")
_COUNT: Final = (Annotated[int, Meta(ge=1)], "a whole number, 1 or more")
_SWITCH: Final = (bool, "true or false")
_KNOWN: Final[dict[str, tuple[Any, str]]] = {
    "temperature": (Annotated[float, Meta(ge=0, le=2)], "a number from 0 to 2"),
    "top_p": (Annotated[float, Meta(ge=0, le=1)], "a number from 0 to 1"),
    "frequency_penalty": _PENALTY,
    "presence_penalty": _PENALTY,
    "max_tokens": _COUNT,
    "max_completion_tokens": _COUNT,
    "seed": (int, "a whole number"),
    "stop": (str | list[str] | None, "a text, or a list of texts"),
    "logprobs": _SWITCH,
    "parallel_tool_calls": _SWITCH,
    "reasoning_effort": (str, "a word, such as low"),
    "service_tier": (str, "a word, such as flex"),
    "response_format": (dict[str, Any], "an object with a type"),
}


class Misfit(NamedTuple):
    """Why a parameter cannot be set so, and what to do."""

    problem: str
    remedy: str


def misfit_of(name: str, value: object) -> Misfit | None:
    """What is wrong with a parameter; None if nothing is known to be."""
    if name in _RESERVED:
        return Misfit(f"{name} is not for a prompt to say", "Set it where the call is made")
    known = _KNOWN.get(name)
    if known is None:
        return None
    kind, words = known
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return Misfit(f"{name} cannot be {str(value)[:40]!r}", f"Give {words}")
    return None
