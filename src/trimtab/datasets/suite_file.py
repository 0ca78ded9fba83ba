"""`suite.toml`: what a suite is about, how answers are judged, and what a gate asks."""

import datetime
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast

import msgspec
from msgspec import Meta

from trimtab.config.load import parse_toml
from trimtab.config.locate import KeyPath, locate_keys
from trimtab.config.reader import TableReader
from trimtab.datasets.folder import check_word
from trimtab.datasets.gate_rules import check_gate
from trimtab.datasets.metrics import DescribeEvaluator
from trimtab.datasets.suite import EvaluatorUse, GatePolicy, Inconclusive
from trimtab.errors import ConfigError, Finding

__all__ = ["SuiteFile", "parse_suite_file"]


def _words(description: str) -> Meta:
    """What a value is, for whoever wrote another one."""
    return Meta(extra_json_schema={"description": description})


_Repeats = Annotated[int, Meta(ge=1, le=1_000)]
_Extended = Annotated[int, Meta(ge=0, le=1_000)]
_Looks = Annotated[int, Meta(ge=1, le=10)]
_Concurrency = Annotated[int, Meta(ge=1, le=1_000)]
_Alpha = Annotated[float, Meta(gt=0, lt=0.5)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Number = Annotated[float, _words("a number")]
_Margin = Annotated[
    float, _words("a share, as in 0.05; for latency, cost and other amounts a ratio, as in 1.10")
]
_Tables = Annotated[list[dict[str, Any]], _words("tables, each begun by [[evaluators]]")]
_OWN_KEYS: Final = ("use", "name", "metric")


class _GateTable(msgspec.Struct, frozen=True, kw_only=True):
    primary: tuple[str, ...] = ()
    margins: dict[str, _Margin] = {}
    floors: dict[str, _Number] = {}
    alpha: _Alpha = 0.05
    inconclusive: Inconclusive = "extend"
    looks: _Looks = 3
    extend_repeats: _Extended = 0
    most_unmeasured: _Share = 0.05
    critical_alpha: _Alpha = 0.05


class _SuiteTable(msgspec.Struct, frozen=True, kw_only=True):
    description: str = ""
    prompt: str = ""
    model: str = ""
    repeats: _Repeats = 1
    concurrency: _Concurrency = 8
    gate: _GateTable = _GateTable()
    evaluators: _Tables = []


class SuiteFile(NamedTuple):
    """What the file says, as far as it could be read, and what is wrong with it.

    Attributes:
        description, prompt, model, repeats, concurrency: as in `Suite`.
        evaluators, gate: as in `Suite`.
        findings: in the order of the file; the values are whole only without any.
    """

    description: str
    prompt: str
    model: str
    repeats: int
    concurrency: int
    evaluators: list[EvaluatorUse]
    gate: GatePolicy
    findings: list[Finding]


def parse_suite_file(
    content: bytes, *, shown: str, describe_evaluator: DescribeEvaluator
) -> SuiteFile:
    """What the bytes of a `suite.toml` say.

    Args:
        content: of the file.
        shown: its name for findings, as `evals/support-triage/suite.toml`.
        describe_evaluator: tells the metric of an evaluator for which the suite names none.

    Raises:
        ConfigError: they are no TOML; any other finding is in the answer.
    """
    file = Path(shown)
    raw, lines = _parse(file, content)
    reader = TableReader(file, lines)
    table = reader.read(_SuiteTable, raw)
    assert table is not None, "no key of the file is required"
    evaluators = _EvaluatorTables(reader, lines).read(table.evaluators)
    gate = _policy(table.gate)
    check_gate(gate, evaluators, reader, describe_evaluator=describe_evaluator)
    return SuiteFile(
        description=table.description,
        prompt=table.prompt,
        model=table.model,
        repeats=table.repeats,
        concurrency=table.concurrency,
        evaluators=evaluators,
        gate=gate,
        findings=reader.findings,
    )


def _policy(table: _GateTable) -> GatePolicy:
    return GatePolicy(
        primary=list(table.primary),
        margins=table.margins,
        floors=table.floors,
        alpha=table.alpha,
        inconclusive=table.inconclusive,
        looks=table.looks,
        extend_repeats=table.extend_repeats,
        most_unmeasured=table.most_unmeasured,
        critical_alpha=table.critical_alpha,
    )


def _parse(file: Path, content: bytes) -> tuple[dict[str, Any], Mapping[KeyPath, int]]:
    """The tables, and the lines of their keys."""
    try:
        text, raw = parse_toml(file, content)
        return raw, locate_keys(text)
    except (RecursionError, ValueError, ArithmeticError):
        # Lists inside each other without end, and numbers of thousands of digits.
        problem = "nested too deeply, or a number is too long"
        raise ConfigError([Finding(f"{file}:1", problem, "Write it more simply")]) from None


class _EvaluatorTables:
    """Reads `[[evaluators]]`, whose keys are those of the evaluators beside three of ours."""

    def __init__(self, reader: TableReader, lines: Mapping[KeyPath, int]) -> None:
        self._reader = reader
        self._lines = lines

    def read(self, tables: Sequence[Mapping[str, Any]]) -> list[EvaluatorUse]:
        """Those that are right."""
        found: list[EvaluatorUse] = []
        names: set[str] = set()
        for place, written in enumerate(tables):
            path = ("evaluators", str(place))
            one = self._one(written, path)
            if one.name in names:
                key = (*path, "name" if "name" in written else "use")
                remedy = "Give each a name of its own: name = ..."
                self._report(key, f"a second {one.name[:60]!r}", remedy)
            if one.name:
                names.add(one.name)
            found.append(one)
        return found

    def _one(self, written: Mapping[str, Any], path: KeyPath) -> EvaluatorUse:
        use = self._text(written, (*path, "use"))
        if not use and written.get("use", "") == "":
            self._report((*path, "use"), "use is missing", 'Name an evaluator: use = "contains"')
        name = self._word(written, (*path, "name")) or use
        options = {
            key: self._option(value, (*path, key))
            for key, value in written.items()
            if key not in _OWN_KEYS
        }
        return EvaluatorUse(
            use=use,
            name=name,
            metric=self._word(written, (*path, "metric")),
            options=options,
            line=self._lines.get(path, 1),
        )

    def _text(self, written: Mapping[str, Any], path: KeyPath) -> str:
        value = written.get(path[-1], "")
        if isinstance(value, str):
            return value
        self._report(path, f"{path[-1]} is no text", "Give text in quotes")
        return ""

    def _word(self, written: Mapping[str, Any], path: KeyPath) -> str:
        word = self._text(written, path)
        if word and not check_word(word):
            remedy = "Use letters, digits, -, _ and ., and begin with a letter or a digit"
            self._report(path, f"{word[:60]!r} is no {path[-1]}", remedy)
        return word

    def _option(self, value: object, path: KeyPath) -> object:
        """A value as JSON has it: evaluators and their hashes know no other."""
        if isinstance(value, Decimal):
            number = float(value)
            if not math.isfinite(number):
                self._report(path, "not a number that JSON knows", "Give a finite number")
            return number
        if isinstance(value, datetime.date | datetime.time):
            self._report(path, "a date or a time", "Put it in quotes")
        elif isinstance(value, dict):
            inner = cast("dict[str, object]", value)
            return {key: self._option(one, (*path, key)) for key, one in inner.items()}
        elif isinstance(value, list):
            items = cast("list[object]", value)
            return [self._option(one, (*path, str(place))) for place, one in enumerate(items)]
        return value

    def _report(self, path: KeyPath, problem: str, remedy: str) -> None:
        self._reader.report(path, problem, remedy)
