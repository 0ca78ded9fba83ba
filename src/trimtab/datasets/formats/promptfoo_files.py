"""Where promptfoo's tests stand: in the configuration, or in files of YAML, JSON or CSV."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

from trimtab.datasets.formats.border import Origin, Remarks
from trimtab.datasets.formats.promptfoo_checks import ASSERTIONS
from trimtab.errors import ConfigError
from trimtab.prompts.formats.loading import list_of, load_json, refuse
from trimtab.prompts.yaml_text import Document, KeyPath, load_all

__all__ = ["TestLists", "Written"]

_MOST_SHARED: Final = 10_000
_EXPECTED: Final = re.compile(r"__expected\d*")
_ASSERTION: Final = re.compile(
    r"(?P<type>[a-z][a-z-]*)(?:\((?P<threshold>[\d.]+)\))?(?::(?P<value>.*))?", re.DOTALL
)
_WRITE_THEM: Final = "Write them into the file, or into a file of YAML, JSON or CSV beside it"
_SHORT: Final[Mapping[str, str]] = {"eval": "javascript", "fn": "javascript", "grade": "llm-rubric"}


class Written(NamedTuple):
    """A test as it was written.

    Attributes:
        test: its keys.
        place: file and line, or file and number.
    """

    test: dict[str, Any]
    place: str


class TestLists:
    """Lists of tests in a configuration.

    Args:
        document: the configuration, for lines.
        origin: reads files beside it.
        remarks: takes what cannot be read.
    """

    def __init__(self, document: Document, origin: Origin, remarks: Remarks) -> None:
        self._document = document
        self._origin = origin
        self._remarks = remarks

    def read(self, value: object, path: KeyPath) -> Iterator[Written]:
        """The tests of what stands at a path: a list of them, or names of files."""
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            here = (*path, number) if isinstance(value, list) else path
            place = f"{self._origin.file}:{self._document.line(here)}"
            if isinstance(item, dict) and "path" not in item:
                yield Written(cast("dict[str, Any]", item), place)
            elif isinstance(item, str):
                yield from self._of_file(item.removeprefix("file://"), place)
            elif item is not None:
                problem = "tests that a program makes were left out"
                self._remarks.add(place, problem, _WRITE_THEM)

    def _of_file(self, name: str, place: str) -> Iterator[Written]:
        ending = name.rpartition(".")[2].lower()
        text = self._origin.read(name) if ending in _READERS else None
        if text is None:
            problem = "tests in a file that is not read were left out"
            self._remarks.add(place, problem, _WRITE_THEM)
            return
        try:
            yield from _READERS[ending](text, name[:80])
        except ConfigError as error:
            for found in error.findings:
                problem = f"tests were left out: {found.problem}"
                self._remarks.add(found.place, problem, found.remedy)


def _of_yaml(text: str, name: str) -> Iterator[Written]:
    for document in load_all(text, file=name, expansion=_MOST_SHARED):
        value = document.value
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, dict):
                path = (number,) if isinstance(value, list) else ()
                yield Written(cast("dict[str, Any]", item), f"{name}:{document.line(path)}")


def _of_json(text: str, name: str) -> Iterator[Written]:
    value = load_json(text, name)
    for number, item in enumerate(list_of(value) or [value], 1):
        if isinstance(item, dict):
            yield Written(cast("dict[str, Any]", item), f"{name} ({number})")


def _of_json_lines(text: str, name: str) -> Iterator[Written]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            value = load_json(line, f"{name}:{number}")
            if isinstance(value, dict):
                yield Written(cast("dict[str, Any]", value), f"{name}:{number}")


def _of_csv(text: str, name: str) -> Iterator[Written]:
    """A column for each variable; those with two underscores say something else."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        for row in reader:
            yield Written(_of_row(row), f"{name}:{reader.line_num}")
    except csv.Error:
        place = f"{name}:{reader.line_num}"
        refuse(place, "a row is no CSV", "Save it again, with quotes where needed")


def _of_row(row: Mapping[str | None, Any]) -> dict[str, Any]:
    test: dict[str, Any] = {"vars": {}, "assert": [], "metadata": {}}
    for column, cell in row.items():
        if column is None or cell is None:  # more cells than columns, or fewer
            continue
        value = str(cell)
        if column.startswith("__") and not value.strip():
            continue
        if _EXPECTED.fullmatch(column):
            test["assert"].append(_assertion(value.strip()))
        elif column.startswith("__metadata:"):
            test["metadata"][column.removeprefix("__metadata:")] = value
        elif column == "__description":
            test["description"] = value
        elif column.startswith("__"):
            test[column] = value
        else:
            test["vars"][column] = value
    return test


def _assertion(text: str) -> dict[str, Any]:
    """`icontains: refund` as an assertion; a text alone is what the answer must be."""
    found = _ASSERTION.fullmatch(text)
    kind = found["type"] if found is not None else ""
    kind = _SHORT.get(kind, kind)
    if found is None or kind.removeprefix("not-") not in ASSERTIONS:
        return {"type": "equals", "value": text}
    assertion: dict[str, Any] = {"type": kind}
    if found["threshold"]:
        assertion["threshold"] = found["threshold"]
    if found["value"] is not None:
        assertion["value"] = found["value"].strip()
    return assertion


_READERS: Final = {
    "csv": _of_csv,
    "json": _of_json,
    "jsonl": _of_json_lines,
    "yaml": _of_yaml,
    "yml": _of_yaml,
}
