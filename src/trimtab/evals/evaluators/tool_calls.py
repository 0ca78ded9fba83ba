"""tool_calls: the answer calls the tools that the case expects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable
from trimtab.evals.json_text import JsonProblem, contains_value, parse_json, same_value
from trimtab.evals.options import Text
from trimtab.evals.pairing import pair_all
from trimtab.evals.plain_kind import Judge, PlainKind
from trimtab.types.experiments import ToolCall

__all__ = ["EVALUATOR", "Expected", "ExpectedCall", "Options"]

_How = Literal["subset", "exact", "ignore"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    arguments: Annotated[
        _How,
        Meta(
            description="`subset`: the expected ones are there, others may be; `exact`: these and "
            "no others; `ignore`: only the name counts"
        ),
    ] = "subset"
    ordered: Annotated[bool, Meta(description="the calls come in the expected order")] = False
    extra: Annotated[bool, Meta(description="calls that are not expected are fine")] = False


class ExpectedCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call.

    Attributes:
        name: of the tool.
        arguments: None where any will do.
    """

    name: Text
    arguments: dict[str, Any] | None = None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    tool_calls: Annotated[
        list[ExpectedCall] | None,
        Meta(description="`[{name, arguments}]`; arguments may be left out; `[]` for no call"),
    ] = None


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        if expected.tool_calls is None:
            return not_applicable("the case expects no tool_calls")
        return _score(expected.tool_calls, sample.tool_calls, options)

    return judge


class _Made(NamedTuple):
    """A call of the answer; arguments are None where they are no JSON."""

    name: str
    arguments: object


def _score(wanted: Sequence[ExpectedCall], calls: Sequence[ToolCall], options: Options) -> Score:
    made = [_Made(call.name, _arguments(call)) for call in calls]
    fits = [[_fits(call, other, options.arguments) for other in made] for call in wanted]
    for call, row in zip(wanted, fits, strict=True):
        if not any(row):
            return _missing(call, made)
    if not options.extra and len(made) > len(wanted):
        return measured(0, "extra_call", f"{len(made)} calls, and {len(wanted)} are expected")
    if not (_in_order(fits) if options.ordered else pair_all(fits)):
        label = "order" if options.ordered and pair_all(fits) else "missing_call"
        return measured(0, label, "the calls are not those that are expected, one for one")
    return measured(1)


def _missing(call: ExpectedCall, made: Sequence[_Made]) -> Score:
    if any(other.name == call.name for other in made):
        return measured(0, "arguments", f"the arguments of {call.name!r} are not those expected")
    return measured(0, "missing_call", f"{call.name!r} is not called")


def _fits(call: ExpectedCall, other: _Made, how: _How) -> bool:
    if call.name != other.name:
        return False
    if call.arguments is None or how == "ignore":
        return True
    compare = same_value if how == "exact" else contains_value
    return compare(other.arguments, call.arguments)


def _arguments(call: ToolCall) -> object:
    """What the model wrote; None where it is no JSON."""
    try:
        return parse_json(call.arguments or "{}")
    except JsonProblem:
        return None


def _in_order(fits: Sequence[Sequence[bool]]) -> bool:
    """Whether each expected call fits one after that of the expected call before."""
    position = 0
    for row in fits:
        while position < len(row) and not row[position]:
            position += 1
        if position == len(row):
            return False
        position += 1
    return True


EVALUATOR = PlainKind(
    name="tool_calls",
    metric="accuracy",
    summary="the answer calls the tools that the case expects",
    options=Options,
    expected=Expected,
    make=_make,
)
