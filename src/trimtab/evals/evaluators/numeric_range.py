"""numeric_range: the number in the answer lies where it should."""

import math
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable
from trimtab.evals.json_path import find_values, parse_path
from trimtab.evals.json_text import JsonProblem, in_fence, parse_json
from trimtab.evals.number_text import numbers_in, slack
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_Least = Annotated[float, Meta(ge=0)]
_Bounds = tuple[float, float]
_LARGEST: Final = sys.float_info.max


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    minimum: Annotated[float | None, Meta(description="the least that is right")] = None
    maximum: Annotated[float | None, Meta(description="the most that is right")] = None
    tolerance: Annotated[
        _Least, Meta(description="how far `expected.number` may be off, either way")
    ] = 0.0
    relative_tolerance: Annotated[
        _Least, Meta(description="the same, as a share of the expected number")
    ] = 0.0
    path: Annotated[
        str, Meta(description="where the number is in an answer of JSON; else it is in the text")
    ] = ""
    pick: Annotated[
        Literal["only", "first", "last"],
        Meta(description="which number of a text; with `only`, several are wrong"),
    ] = "only"
    decimal_comma: Annotated[bool, Meta(description="numbers are written 1.234,5")] = False

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        parse_path(self.path)
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("`minimum` is above `maximum`: no number lies between them")


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    number: Annotated[float | None, Meta(description="the number, within the tolerances")] = None
    range: Annotated[
        _Bounds | None, Meta(description="`[least, most]`, in place of the options' bounds")
    ] = None


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        bounds = _bounds(options, expected)
        if bounds is None:
            return not_applicable("the case expects no number")
        number = _number(sample.text, options)
        return number if isinstance(number, Score) else _score(number, bounds)

    return judge


def _score(number: float, bounds: _Bounds) -> Score:
    least, most = bounds
    leeway = slack(number, *(bound for bound in bounds if math.isfinite(bound)))
    if least - leeway <= number <= most + leeway:
        return measured(1)
    return measured(0, "outside", f"{number:g} is not {_worded(least, most)}")


def _bounds(options: Options, expected: Expected) -> _Bounds | None:
    """The least and the most that is right; None where the case does not ask for a number."""
    if expected.number is not None:
        leeway = max(options.tolerance, options.relative_tolerance * abs(expected.number))
        return expected.number - leeway, expected.number + leeway
    if expected.range is not None:
        return expected.range
    if options.minimum is None and options.maximum is None:
        return None
    least = -math.inf if options.minimum is None else options.minimum
    return least, math.inf if options.maximum is None else options.maximum


def _number(text: str, options: Options) -> float | Score:
    """The number of an answer, or what is said where there is not one."""
    if options.path:
        found = _in_json(text, options.path)
    else:
        numbers, unreadable = numbers_in(text, decimal_comma=options.decimal_comma)
        if unreadable and not numbers:
            mark = "comma" if options.decimal_comma else "point"
            why = f"{unreadable[0]!r} is not a number with a decimal {mark}"
            return measured(0, "no_number", why)
        found = numbers
    if isinstance(found, Score):
        return found
    if not found:
        return measured(0, "no_number", "there is no number where one should be")
    if len(found) > 1 and options.pick == "only":
        return measured(0, "several_numbers", f"there are {len(found)} numbers, and not one")
    return found[-1 if options.pick == "last" else 0]


def _in_json(text: str, path: str) -> list[float] | Score:
    inside = in_fence(text)
    try:
        values = find_values(parse_json(text if inside is None else inside), parse_path(path))
    except JsonProblem as error:
        return measured(0, "not_json", str(error))
    numbers: list[float] = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return measured(0, "no_number", f"`{path}` is not a number")
        numbers.append(_float(value))
    return numbers


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond every bound
        return _LARGEST if value > 0 else -_LARGEST


def _worded(least: float, most: float) -> str:
    if least == most:
        return f"{least:g}"
    if math.isinf(least):
        return f"at most {most:g}"
    return f"at least {least:g}" if math.isinf(most) else f"from {least:g} to {most:g}"


EVALUATOR = PlainKind(
    name="numeric_range",
    metric="accuracy",
    summary="the number in the answer lies where it should",
    options=Options,
    expected=Expected,
    make=_make,
)
