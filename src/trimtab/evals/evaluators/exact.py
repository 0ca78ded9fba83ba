"""exact: the answer is what the case expects, or names the label that it expects."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.normal_text import bare_text, has_phrase, normal_text
from trimtab.evals.options import Text, listed
from trimtab.evals.plain_kind import Judge, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_SHOWN: Final = 80


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    labels: Annotated[
        list[Text],
        Meta(description="all that there are: the answer must name exactly one, as a whole word"),
    ] = []
    case_sensitive: Annotated[bool, Meta(description="tell `A` from `a`")] = False
    normalize: Annotated[
        bool,
        Meta(description="as in `contains`, and without quotes, emphasis, full stop around it"),
    ] = True

    def __post_init__(self) -> None:
        """Refuse labels that nobody can tell apart."""
        compared = [_compared(label, self) for label in self.labels]
        if len(set(compared)) < len(compared) or "" in compared:
            raise ValueError("`labels` has two that are the same, or an empty one: take one out")


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of a case's `expected`."""

    answer: Annotated[
        str | list[str] | None, Meta(description="the answer, or several that are right")
    ] = None


def _make(options: Options, folder: Path) -> Judge[Expected]:  # noqa: ARG001 - needs no file
    async def judge(sample: Sample, expected: Expected) -> Score:
        if expected.answer is None:
            return not_applicable("the case expects no answer")
        right = {_compared(one, options) for one in listed(expected.answer)}
        if options.labels:
            if not right.issubset(_compared(label, options) for label in options.labels):
                return unmeasured("`expected.answer` of the case is none of the labels")
            return _label(sample.text, right, options)
        if _compared(sample.text, options) in right:
            return measured(1)
        return measured(0, "differs", f"it is {_short(sample.text)}")

    return judge


def _label(text: str, right: set[str], options: Options) -> Score:
    named = _named(text, options)
    if not named:
        return measured(0, "no_label", "it names none of the labels")
    if len(named) > 1:
        return measured(0, "several_labels", f"it names {', '.join(map(repr, named))}")
    is_right = _compared(named[0], options) in right
    return measured(1 if is_right else 0, named[0], "" if is_right else f"it says {named[0]!r}")


def _named(text: str, options: Options) -> list[str]:
    """The labels in a text, but for those that stand only inside a longer one."""
    fold = not options.case_sensitive
    rest = normal_text(text, fold_case=fold) if options.normalize else _compared(text, options)
    named: list[str] = []
    for label in sorted(options.labels, key=len, reverse=True):
        wanted = _compared(label, options)
        if has_phrase(rest, wanted):
            named.append(label)
            rest = rest.replace(wanted, "\0")
    return named


def _compared(text: str, options: Options) -> str:
    if options.normalize:
        return bare_text(text, fold_case=not options.case_sensitive)
    return text if options.case_sensitive else text.casefold()


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}...")


EVALUATOR = PlainKind(
    name="exact",
    metric="accuracy",
    summary="the answer is what the case expects, or names the label that it expects",
    options=Options,
    expected=Expected,
    make=_make,
)
