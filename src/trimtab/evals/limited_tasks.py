"""What a child process does under a time limit, and what it answers: the lines between the two."""

from typing import Any, Final

import msgspec

from trimtab.evals.evaluator import Sample

__all__ = [
    "READY",
    "CallFunction",
    "CheckSchema",
    "Found",
    "LoadFunctions",
    "Loaded",
    "Order",
    "Raised",
    "Reply",
    "Returned",
    "SearchPatterns",
    "Task",
    "Unfit",
]


class SearchPatterns(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Search a text with regular expressions; answered by `Found`.

    Attributes:
        patterns: as Python reads them.
        flags: of `re`.
        whole: each must fit the whole text.
        text: of an answer.
    """

    patterns: list[str]
    flags: int
    whole: bool
    text: str


class CheckSchema(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Check a JSON text against a schema; answered by `Unfit`.

    Attributes:
        text: of JSON.
        schema: as `trimtab.prompts.schema` understands it.
    """

    text: str
    schema: dict[str, Any]


class LoadFunctions(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Load the functions of a suite; answered by `Loaded` or `Raised`.

    Attributes:
        file: absolute path of `evaluators.py`.
        fingerprint: SHA-256 of its bytes.
    """

    file: str
    fingerprint: str


class CallFunction(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Call a function of a suite; answered by `Returned` or `Raised`.

    Attributes:
        file, fingerprint: as in `LoadFunctions`.
        function: name of the function.
        sample: its argument.
    """

    file: str
    fingerprint: str
    function: str
    sample: Sample


READY: Final = b"ready\n"
"""What the child says first."""

Task = SearchPatterns | CheckSchema | LoadFunctions | CallFunction


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One line to the child.

    Attributes:
        task: what to do.
        limit_s: seconds after which the parent ends it.
    """

    task: Task
    limit_s: float


class Found(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """For each pattern, whether it is in the text."""

    found: list[bool]


class Unfit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What is wrong with a value, in sentences; empty if it fits."""

    problems: list[str]


class Loaded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The names of the functions in a suite's `evaluators.py`."""

    functions: list[str]


class Returned(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a function returned.

    Attributes:
        value: a finite number; None where the function says that the case does not ask for this.
        label, reason: in the function's own words.
    """

    value: float | None
    label: str = ""
    reason: str = ""


class Raised(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It could not be done.

    Attributes:
        problem: the class of the error, or what was wrong with the value that came back; never the
            message of the error, which may quote texts of users.
        line: of `evaluators.py`; 0 for none.
    """

    problem: str
    line: int = 0


Reply = Found | Unfit | Loaded | Returned | Raised
