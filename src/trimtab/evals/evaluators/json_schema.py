"""json_schema: the answer is JSON that fits a schema."""

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.json_text import JsonProblem, in_fence, parse_json
from trimtab.evals.limited import LimitProblem, do_limited
from trimtab.evals.limited_tasks import CheckSchema, Unfit
from trimtab.evals.options import LimitS
from trimtab.evals.plain_kind import Judge, PlainKind
from trimtab.prompts.schema import Schema, SchemaProblem, parse_schema

__all__ = ["EVALUATOR", "Expected", "Options"]

_FENCED: Final = (
    "the JSON stands in a Markdown fence; set fenced = true if the application takes it off"
)


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    schema: Annotated[
        dict[str, Any] | None,
        Meta(description="JSON Schema or its short form; the prompt's own by default"),
    ] = None
    fenced: Annotated[bool, Meta(description="a Markdown fence around it is fine")] = False
    limit_s: LimitS = 2.0

    def __post_init__(self) -> None:
        """Refuse what is no schema."""
        if self.schema is not None:
            _parse(self.schema)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """No key of a case's `expected` is read."""


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    own = None if options.schema is None else _parse(options.schema)

    async def judge(sample: Sample, expected: Expected) -> Score:  # noqa: ARG001 - reads no key
        schema = sample.output_schema if own is None else own
        if schema is None:
            return not_applicable("the prompt declares no output schema")
        inside = in_fence(sample.text)
        text = sample.text if inside is None or not options.fenced else inside
        try:
            parse_json(text)
        except JsonProblem as error:
            return _no_json(inside, str(error))
        # Alternatives that refer to themselves take twice as long for each level of an answer.
        try:
            reply = await do_limited(CheckSchema(text=text, schema=schema), options.limit_s)
        except LimitProblem as error:
            return unmeasured(f"the check {error}; alternatives of the schema refer to themselves")
        if not isinstance(reply, Unfit):
            return unmeasured("the check failed: the schema is too much for it")
        if reply.problems:
            return measured(0, "unfit", "; ".join(reply.problems))
        return measured(1)

    return judge


def _no_json(inside: str | None, problem: str) -> Score:
    if inside is not None:
        try:
            parse_json(inside)
        except JsonProblem:
            return measured(0, "not_json", problem)
        return measured(0, "fenced", _FENCED)
    return measured(0, "not_json", problem)


def _parse(written: dict[str, Any]) -> Schema:
    try:
        return parse_schema(written)
    except SchemaProblem as error:
        place = ".".join(("schema", *error.path))
        raise ValueError(f"`{place}` {error.problem}. {error.remedy}") from None


EVALUATOR = PlainKind(
    name="json_schema",
    metric="format",
    summary="the answer is JSON that fits a schema",
    options=Options,
    expected=Expected,
    make=_make,
)
