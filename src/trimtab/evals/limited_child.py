"""The inside of a child process: tasks come in on standard input, a line each, and go out so."""

import asyncio
import faulthandler
import hashlib
import importlib.util
import inspect
import os
import re
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Final, cast

import msgspec

from trimtab.evals.json_text import JsonProblem, parse_json
from trimtab.evals.limited_tasks import (
    READY,
    CallFunction,
    CheckSchema,
    Found,
    Loaded,
    LoadFunctions,
    Order,
    Raised,
    Reply,
    Returned,
    SearchPatterns,
    Task,
    Unfit,
)
from trimtab.prompts.values import problems_of

__all__ = ["serve"]

_GRACE_S: Final = 2.0  # the parent's own limit comes first; this one is for a child without parent
_MOST_WORDS: Final = 2_000

_encode = msgspec.json.Encoder().encode


def serve() -> None:
    """Do tasks until the parent closes its end. What the tasks print goes nowhere."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when it is over
    tasks, replies = _take_pipes()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    decode = msgspec.json.Decoder(Order).decode
    replies.write(READY)
    replies.flush()
    with asyncio.Runner() as runner:
        worker = _Worker(runner)
        for line in tasks:
            order = decode(line)
            # Works also where the interpreter is busy inside `re` and hears no signal.
            faulthandler.dump_traceback_later(order.limit_s + _GRACE_S, exit=True, file=nowhere)
            reply = worker.do(order.task)
            faulthandler.cancel_dump_traceback_later()
            replies.write(reply + b"\n")
            replies.flush()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes of the parent, kept away from `input()` and `print()` of the tasks."""
    tasks, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    return tasks, replies


class _Worker:
    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self._loaded: dict[tuple[str, str], ModuleType] = {}

    def do(self, task: Task) -> bytes:
        """The reply as JSON."""
        try:
            return _encode(self._reply(task))
        except BaseException as error:  # noqa: BLE001 - whatever a suite's own code raises
            file = task.file if isinstance(task, CallFunction | LoadFunctions) else ""
            return _encode(Raised(problem=type(error).__name__, line=_line_in(error, file)))

    def _reply(self, task: Task) -> Reply:
        match task:
            case SearchPatterns():
                return _search(task)
            case CheckSchema():
                return _check(task)
            case LoadFunctions():
                return Loaded(functions=_functions(self._module(task)))
            case CallFunction():
                return self._call(task)

    def _call(self, task: CallFunction) -> Reply:
        function = getattr(self._module(task), task.function)
        result: object = function(task.sample)
        if inspect.isawaitable(result):
            result = self._runner.run(_awaited(result))
        return _returned(result)

    def _module(self, task: CallFunction | LoadFunctions) -> ModuleType:
        key = (task.file, task.fingerprint)
        if key not in self._loaded:
            self._loaded[key] = _load(Path(task.file), task.fingerprint)
        return self._loaded[key]


def _search(task: SearchPatterns) -> Found:
    compiled = [re.compile(pattern, task.flags) for pattern in task.patterns]
    searches: list[Callable[[str], object]] = [
        one.fullmatch if task.whole else one.search for one in compiled
    ]
    return Found(found=[search(task.text) is not None for search in searches])


def _check(task: CheckSchema) -> Unfit:
    try:
        value = parse_json(task.text)
    except JsonProblem as error:
        return Unfit(problems=[str(error)])
    return Unfit(problems=[str(problem) for problem in problems_of(value, task.schema)])


class _Changed(Exception):
    """`evaluators.py` is not what it was when the run began."""


def _load(path: Path, fingerprint: str) -> ModuleType:
    source = path.read_bytes()
    if hashlib.sha256(source).hexdigest() != fingerprint:
        raise _Changed
    spec = importlib.util.spec_from_loader("evaluators", loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[spec.name] = module  # dataclasses and pickles look their module up
    exec(compile(source, str(path), "exec"), vars(module))  # noqa: S102 - the suite's own code
    return module


def _functions(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and not inspect.isclass(value)
    ]


async def _awaited(result: Awaitable[object]) -> object:
    return await result


def _returned(result: object) -> Reply:
    """What came back, if it can be a score."""
    fields: dict[str, Any] = {"value": result}
    if isinstance(result, dict):
        fields = cast("dict[str, Any]", result)
        unknown = [str(key)[:40] for key in fields if key not in {"value", "label", "reason"}]
        if unknown or "value" not in fields:
            return Raised(problem=_wrong_keys(unknown))
    value: object = fields["value"]
    label, reason = (str(fields.get(name, ""))[:_MOST_WORDS] for name in ("label", "reason"))
    if value is None:
        return Returned(value=None, label=label, reason=reason)
    if not isinstance(value, int | float):
        return Raised(problem=f"it returned {type(value).__name__}, and not a number or a flag")
    number = float(value)
    if number - number != 0:  # infinite, or none
        return Raised(problem="it returned a number that is infinite or none")
    return Returned(value=number, label=label, reason=reason)


def _wrong_keys(unknown: list[str]) -> str:
    if unknown:
        return f"it returned the key {unknown[0]!r}, and not only value, label and reason"
    return "it returned a dictionary without value"


def _line_in(error: BaseException, file: str) -> int:
    """The innermost line of a file in which an error came up; 0 for none."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file and frame.lineno]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno or 0)
    return lines[-1] if lines else 0
