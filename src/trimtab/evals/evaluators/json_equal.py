"""json_equal: the answer is the JSON that the case expects."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.json_compare import Leeway, Outcome, TooMuch, compare
from trimtab.evals.json_path import PathText, parse_path
from trimtab.evals.json_text import JsonProblem, in_fence, parse_json
from trimtab.evals.plain_kind import Judge, Particulars, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_Tolerances = dict[PathText, Annotated[float, Meta(ge=0)]]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    tolerance: Annotated[
        _Tolerances, Meta(description="by path: how far numbers there may be off")
    ] = {}
    relative_tolerance: Annotated[
        _Tolerances, Meta(description="by path: the same, as a share of the expected number")
    ] = {}
    ignore: Annotated[list[PathText], Meta(description="paths that nobody looks at")] = []
    unordered: Annotated[
        bool | list[PathText],
        Meta(description="lists at these paths may have another order; `true` for all lists"),
    ] = False
    extra: Annotated[bool, Meta(description="fields that are not expected are fine")] = False
    partial: Annotated[
        bool, Meta(description="the share of leaves that are right, instead of all or nothing")
    ] = False
    fenced: Annotated[bool, Meta(description="a Markdown fence around it is fine")] = False

    def __post_init__(self) -> None:
        """Refuse what is no path."""
        _leeway(self)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    json: Annotated[Any | UnsetType, Meta(description="the value, `null` included")] = UNSET


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    leeway = _leeway(options)

    async def judge(sample: Sample, expected: Expected) -> Score:
        if expected.json is UNSET:
            return not_applicable("the case expects no json")
        inside = in_fence(sample.text) if options.fenced else None
        try:
            answer = parse_json(sample.text if inside is None else inside)
            outcome = compare(expected.json, answer, leeway)
        except JsonProblem as error:
            return measured(0, "not_json", str(error))
        except TooMuch:
            return unmeasured("lists without order are too long to compare: name only short ones")
        except RecursionError:
            return measured(0, "not_json", "the JSON is nested too deeply")
        return _score(outcome, partial=options.partial)

    return judge


def _score(outcome: Outcome, *, partial: bool) -> Score:
    reason = "; ".join(outcome.problems)
    if outcome.points == outcome.leaves:
        return measured(1)
    if partial:
        return measured(outcome.share, f"{outcome.points} of {outcome.leaves}", reason)
    return measured(0, "differs", reason)


def _leeway(options: Options) -> Leeway:
    unordered = options.unordered
    some = [] if isinstance(unordered, bool) else [parse_path(path) for path in unordered]
    return Leeway(
        tolerance=_by_path(options.tolerance),
        relative=_by_path(options.relative_tolerance),
        ignored=[parse_path(path) for path in options.ignore],
        unordered=None if unordered is True else some,
        extra=options.extra,
    )


def _by_path(tolerances: Mapping[str, float]) -> dict[tuple[str | int | None, ...], float]:
    return {parse_path(path): most for path, most in tolerances.items()}


def _particulars(options: Options, folder: Path) -> Particulars:  # noqa: ARG001 - needs no file
    return Particulars(kind="score" if options.partial else "rate")


EVALUATOR = PlainKind(
    name="json_equal",
    metric="accuracy",
    summary="the answer is the JSON that the case expects",
    options=Options,
    expected=Expected,
    make=_make,
    particulars=_particulars,
)
