"""python_function: a function of the suite's own `evaluators.py`."""

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from trimtab.errors import UsageError
from trimtab.evals.evaluator import Sample, Score, measured, not_applicable, unmeasured
from trimtab.evals.limited import LimitProblem, do_limited, do_limited_now
from trimtab.evals.limited_tasks import CallFunction, Loaded, LoadFunctions, Raised, Reply, Returned
from trimtab.evals.options import LimitS, Text
from trimtab.evals.plain_kind import Judge, Particulars, PlainKind

__all__ = ["EVALUATOR", "Expected", "Options"]

_FILE: Final = "evaluators.py"
_LOAD_LIMIT_S: Final = 60.0
_NAMES_SHOWN: Final = 10

_Values = Literal["rate", "score", "amount"]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For all cases alike."""

    function: Annotated[Text, Meta(description="name of the function")]
    kind: Annotated[
        _Values,
        Meta(description="`rate`: 0 or 1, or a bool; `score`: from 0 to 1; `amount`: above 0"),
    ] = "score"
    higher_is_better: Annotated[bool, Meta(description="`false` for amounts like length")] = True
    limit_s: LimitS = 10.0


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The function reads what it likes."""


def _make(options: Options, folder: Path) -> Judge[Expected]:
    path = folder.resolve() / _FILE
    fingerprint = _fingerprint(path)
    _check_is_there(path, fingerprint, options.function)

    async def judge(sample: Sample, expected: Expected) -> Score:  # noqa: ARG001 - in the sample
        task = CallFunction(
            file=str(path), fingerprint=fingerprint, function=options.function, sample=sample
        )
        try:
            reply = await do_limited(task, options.limit_s)
        except LimitProblem as error:
            return unmeasured(f"{options.function} {error}")
        return _score(reply, options)

    return judge


def _score(reply: Reply, options: Options) -> Score:
    if isinstance(reply, Raised):
        return unmeasured(f"{options.function}: {_told(reply)}")
    assert isinstance(reply, Returned)
    if reply.value is None:
        return not_applicable(reply.reason)
    wrong = _wrong(reply.value, options.kind)
    if wrong:
        return unmeasured(f"{options.function} returned {reply.value:g}, and {wrong}")
    return measured(reply.value, reply.label, reply.reason)


def _wrong(value: float, kind: _Values) -> str:
    """What a value of this kind must be, if it is not; "" if it is."""
    if kind == "rate" and value not in {0, 1}:
        return "a rate is of 0 and 1: set kind"
    if kind == "score" and not 0 <= value <= 1:
        return "a score is from 0 to 1: set kind"
    return "an amount is above 0" if kind == "amount" and value <= 0 else ""


def _check_is_there(path: Path, fingerprint: str, function: str) -> None:
    """Load the file in a child once, before anything is spent."""
    task = LoadFunctions(file=str(path), fingerprint=fingerprint)
    try:
        reply = do_limited_now(task, _LOAD_LIMIT_S)
    except LimitProblem as error:
        raise UsageError(f"Loading {_FILE} {error}. Take what is slow out of it.") from None
    if isinstance(reply, Raised):
        raise UsageError(f"{_FILE} cannot be loaded: {_told(reply)}. Correct it.")
    assert isinstance(reply, Loaded)
    if function not in reply.functions:
        names = ", ".join(reply.functions[:_NAMES_SHOWN]) or "none"
        raise UsageError(f"{_FILE} has no function `{function[:80]}`. It has: {names}.")


def _told(raised: Raised) -> str:
    return f"{raised.problem} at {_FILE}:{raised.line}" if raised.line else raised.problem


def _fingerprint(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise UsageError(f"There is no {_FILE} beside suite.toml. Write one.") from None


def _particulars(options: Options, folder: Path) -> Particulars:
    return Particulars(
        metric=options.function,
        kind=options.kind,
        higher_is_better=options.higher_is_better,
        fingerprint=_fingerprint(folder / _FILE),
    )


EVALUATOR = PlainKind(
    name="python_function",
    metric="the name of the function",
    kind="score",
    summary="a function of the suite's own `evaluators.py`",
    options=Options,
    expected=Expected,
    make=_make,
    reads_all=True,
    particulars=_particulars,
)
