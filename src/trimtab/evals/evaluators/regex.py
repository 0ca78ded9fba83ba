"""regex: the answer matches regular expressions, within a time limit."""

import re
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.limited import LimitProblem, do_limited
from trimtab.evals.limited_tasks import Found, SearchPatterns
from trimtab.evals.options import LimitS, Texts, listed
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike; what a case expects comes on top."""

    pattern: Annotated[Texts, Meta(description="patterns of Python that must all match")] = []
    none: Annotated[Texts, Meta(description="patterns that must not match")] = []
    whole: Annotated[bool, Meta(description="a pattern must fit the whole answer")] = False
    ignore_case: Annotated[bool, Meta(description="`A` matches `a`")] = False
    multiline: Annotated[bool, Meta(description="`^` and `$` match at each line")] = False
    dot_all: Annotated[bool, Meta(description="`.` matches a line end too")] = False
    limit_s: LimitS = 2.0

    def __post_init__(self) -> None:
        """Refuse what is no pattern."""
        _compile_all([*listed(self.pattern), *listed(self.none)])


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    regex: Annotated[Texts, Meta(description="patterns that must all match")] = []
    regex_none: Annotated[Texts, Meta(description="patterns that must not match")] = []

    def __post_init__(self) -> None:
        """Refuse what is no pattern."""
        _compile_all([*listed(self.regex), *listed(self.regex_none)])


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    flags = _flags(options)

    async def judge(sample: Sample, expected: Expected) -> Score:
        every = [*listed(options.pattern), *listed(expected.regex)]
        forbidden = [*listed(options.none), *listed(expected.regex_none)]
        patterns = [*every, *forbidden]
        if not patterns:
            return not_applicable("the case expects no pattern")
        task = SearchPatterns(patterns=patterns, flags=flags, whole=options.whole, text=sample.text)
        try:
            reply = await do_limited(task, options.limit_s)
        except LimitProblem as error:
            return unmeasured(f"the search {error}{_ADVICE if error.is_late else ''}")
        if not isinstance(reply, Found):
            return unmeasured("the search failed: the patterns are too much for Python")
        return _score(every, forbidden, reply.found)

    return judge


_ADVICE: Final = (
    "; a repeat inside a repeat, as in (a+)+, does that: write it as one, or possessive (a++)"
)


def _score(every: list[str], forbidden: list[str], found: list[bool]) -> Score:
    for number, pattern in enumerate((*every, *forbidden)):
        if number < len(every) and not found[number]:
            return measured(0, "no_match", f"{pattern!r} does not match")
        if number >= len(every) and found[number]:
            return measured(0, "forbidden", f"{pattern!r} matches")
    return measured(1)


def _flags(options: Options) -> int:
    chosen = {
        re.IGNORECASE: options.ignore_case,
        re.MULTILINE: options.multiline,
        re.DOTALL: options.dot_all,
    }
    return int(sum(flag for flag, is_on in chosen.items() if is_on))


def _compile_all(patterns: list[str]) -> None:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            why = str(error) if isinstance(error, re.error) else "it is too large"
            raise ValueError(f"{pattern[:80]!r} is no pattern of Python's `re`: {why}") from None


EVALUATOR = PlainKind(
    name="regex",
    metric="accuracy",
    summary="the answer matches regular expressions, within a time limit",
    options=Options,
    expected=Expected,
    make=_make,
)
