"""`cases.jsonl`: one case a line, read line by line; every wrong line is told apart."""

import difflib
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec

from trimtab.datasets.case import Case
from trimtab.datasets.findings import Findings
from trimtab.datasets.folder import check_word
from trimtab.prompts.formats.loading import depth_of

__all__ = ["EXAMPLE_LINE", "MOST_LINE_BYTES", "Cases", "problems_of_case", "read_cases"]

MOST_LINE_BYTES: Final = 4_000_000

_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_MOST_SHOWN: Final = 60
_SKIPPED_BYTES: Final = 1 << 16
_DEEPEST: Final = 60
_TOO_DEEP: Final = ("nested too deeply", f"Use at most {_DEEPEST} levels")
_BOM: Final = b"\xef\xbb\xbf"
_FIELDS: Final = {field.name: field for field in msgspec.structs.fields(Case)}
_QUOTED: Final = [f'"{name}"'.encode() for name in _FIELDS]
_SHAPES: Final[Mapping[str, str]] = {
    "id": 'text, as in "refund-01"',
    "variables": 'an object, as in {"ticket": "Where is my refund?"}',
    "messages": 'a list of messages, as in [{"role": "user", "content": "Hello"}]',
    "expected": 'an object, as in {"contains": ["refund"]}',
    "sources": "a list of texts",
    "cluster": "text",
    "tags": 'a list of words, as in ["billing", "german"]',
    "critical": "true or false",
    "note": "text",
    "from_inference": "text",
}

EXAMPLE_LINE: Final = '{"id": "refund-01", "variables": {"ticket": "Where is my refund?"}}'

_decode: Final = msgspec.json.Decoder(Case).decode


class Cases(NamedTuple):
    """Those that are right.

    Attributes:
        cases: in the order of the file.
        lines: of each, from 1, by id.
        blank: there is nothing in the file, neither right nor wrong.
    """

    cases: list[Case]
    lines: dict[str, int]
    blank: bool


def read_cases(file: Path, shown: str, findings: Findings) -> Cases:
    """Read the file; what is wrong goes to `findings`, and a wrong line keeps no other out.

    Args:
        file: the file, which is there.
        shown: its name for findings, as `evals/support-triage/cases.jsonl`.
        findings: where to say what is wrong.

    Raises:
        OSError: it cannot be read.
    """
    cases: list[Case] = []
    lines: dict[str, int] = {}
    blank = True
    with file.open("rb") as handle:
        for number, line in enumerate(_lines(handle), 1):
            if not line or line.isspace():
                continue
            blank = False
            case = _case(line, f"{shown}:{number}", findings)
            if case is None:
                continue
            earlier = lines.setdefault(case.id, number)
            if earlier != number:
                problem = f"the id {_show(case.id)} stands on line {earlier} already"
                findings.add(f"{shown}:{number}", problem, "Give each case an id of its own")
            else:
                cases.append(case)
    return Cases(cases, lines, blank)


def problems_of_case(case: Case) -> Iterator[tuple[str, str]]:
    """What is wrong with a case whose fields are of the right types: problem and remedy."""
    if not check_word(case.id):
        yield (
            f"{_show(case.id)} is no id",
            "Use letters, digits, -, _ and ., at most 120, and begin with a letter or a digit",
        )
    if not case.variables and not case.messages:
        yield (
            "the case has neither variables nor messages, so it asks nothing",
            f"Add `variables`, {_SHAPES['variables']}",
        )
    for number, message in enumerate(case.messages, 1):
        problem = _problem_of_message(message)
        if problem:
            yield f"message {number} {problem}", f"`messages` is {_SHAPES['messages']}"
    if "" in case.tags:
        yield "a tag is empty", "Remove it"
    if len(set(case.tags)) < len(case.tags):
        yield "a tag stands there twice", "Keep one of them"


def _lines(handle: BinaryIO) -> Iterator[bytes]:
    """The lines, without a mark of byte order; one that is too long is cut, and stays too long."""
    first = True
    while line := handle.readline(MOST_LINE_BYTES + 1):
        if len(line) > MOST_LINE_BYTES:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = handle.readline(_SKIPPED_BYTES)
        yield line.removeprefix(_BOM) if first else line
        first = False


def _case(line: bytes, place: str, findings: Findings) -> Case | None:
    """The case on a line, if nothing is wrong with it."""
    if len(line) > MOST_LINE_BYTES:
        megabytes = MOST_LINE_BYTES // 1_000_000
        findings.add(place, f"longer than {megabytes} MB", "Keep long texts out of cases")
        return None
    try:
        case = _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        problems = _problems_of_line(line, spell=not findings.full)
    else:
        problems = [*problems_of_case(case), *_problems_of_writing(line, case)]
        if not problems:
            return case
    for problem, remedy in problems:
        findings.add(place, problem, remedy)
    return None


def _problems_of_writing(line: bytes, case: Case) -> Iterator[tuple[str, str]]:
    """What a reader of JSON overlooks. Nearly every line is seen to be right by counting."""
    if line.count(b"[") + line.count(b"{") > _DEEPEST:
        depth = depth_of([case.variables, case.messages, case.expected])
        if depth > _DEEPEST:
            yield _TOO_DEEP
            return
    if any(line.count(name) > 1 for name in _QUOTED):
        names = [name for name, _ in json.loads(line, object_pairs_hook=_pairs)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f"`{name}` stands there twice, and the first would be lost", "Keep one of them"


def _pairs(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return pairs


# ---------------------------------------------------------------- in words


def _problems_of_line(line: bytes, *, spell: bool) -> list[tuple[str, str]]:
    """Everything wrong with a line that is no case, without the texts that stand in it."""
    try:
        value = msgspec.json.decode(line)
    except UnicodeDecodeError:
        return [("not UTF-8", "Save the file as UTF-8")]
    except RecursionError:
        return [_TOO_DEEP]
    except msgspec.MsgspecError as error:
        problem = str(error).partition(" - at ")[0].removeprefix("JSON is malformed: ")
        remedy = f"Write one JSON object a line, as {EXAMPLE_LINE}"
        return [(f"not JSON: {problem[:1].lower()}{problem[1:]}", remedy)]
    if not isinstance(value, dict):
        return [("not an object", f"Write one JSON object a line, as {EXAMPLE_LINE}")]
    written = cast("dict[str, Any]", value)
    problems = [
        (f"unknown key {_show(key)}", _meant(key) if spell else "")
        for key in written
        if key not in _FIELDS
    ]
    if "id" not in written:
        problems.append(("id is missing", f"Add it, {_SHAPES['id']}"))
    problems += [
        (f"`{name}` is of the wrong type", f"Give {_SHAPES[name]}")
        for name, field in _FIELDS.items()
        if name in written and not _fits(written[name], field.type)
    ]
    return problems or [_TOO_DEEP]  # read as any value, and not as a case, which is one deeper


def _fits(value: object, kind: Any) -> bool:  # noqa: ANN401 - a type annotation has no type
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _problem_of_message(message: Mapping[str, Any]) -> str:
    """What keeps it from being a message of chat completions; "" for nothing."""
    role, content = message.get("role"), message.get("content")
    if role not in _ROLES:
        return f"has no role out of {', '.join(_ROLES)}"
    if isinstance(content, str | list):
        return ""
    if role == "assistant" and content is None and message.keys() & {"tool_calls", "refusal"}:
        return ""
    return "has no content, which is text or a list of parts"


@lru_cache
def _meant(key: str) -> str:
    near = difflib.get_close_matches(key[:_MOST_SHOWN], _FIELDS, n=1)
    return f"Did you mean {near[0]}?" if near else f"Valid here: {', '.join(_FIELDS)}"


def _show(text: str) -> str:
    return repr(text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}...")
