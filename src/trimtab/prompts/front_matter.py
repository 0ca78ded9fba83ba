"""The front matter of a prompt file: a small YAML mapping between two lines of three hyphens."""

import difflib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from trimtab.errors import ConfigError, Finding
from trimtab.prompts.parameters import misfit_of
from trimtab.prompts.schema import Schema, SchemaProblem, parse_schema
from trimtab.prompts.yaml_text import Document, load_all

__all__ = ["FrontMatter", "Split", "parse_front_matter", "split_file"]

_FENCE: Final = "---"


class Split(NamedTuple):
    """A file, divided.

    Attributes:
        front: the YAML; "" for none.
        body: what follows.
        body_line: line of the file on which the body begins, from 1.
    """

    front: str
    body: str
    body_line: int


class _InputTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Any = None
    default: dict[str, Any] = {}
    untrusted: tuple[str, ...] = ()


class _OutputTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    schema: Any = None
    repair: bool = False


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    model: str = ""
    config: dict[str, Any] = {}
    input: _InputTable = _InputTable()
    output: _OutputTable = _OutputTable()
    tools: tuple[str, ...] = ()
    suite: str = ""
    owners: tuple[str, ...] = ()
    description: str = ""


class FrontMatter(msgspec.Struct, frozen=True, kw_only=True):
    """What it says.

    Attributes:
        model: alias or route.
        config: parameters of the call.
        input, output: schemas of the variables and of the answer; None where none is declared.
        defaults: of variables.
        untrusted: variables that nobody vouches for.
        repair: one more attempt is made for an answer that does not fit `output`.
        tools: names of files in `prompts/_tools`.
        suite, owners, description: as in `About`.
        lines: of the file, by key path.
    """

    model: str
    config: dict[str, Any]
    input: Schema | None
    defaults: dict[str, Any]
    untrusted: tuple[str, ...]
    output: Schema | None
    repair: bool
    tools: tuple[str, ...]
    suite: str
    owners: tuple[str, ...]
    description: str
    document: Document

    def line(self, *path: str) -> int:
        """The line of the file on which a key stands, or what is nearest to it."""
        return self.document.line(path)


_KEYS: Final[dict[tuple[str, ...], type[msgspec.Struct]]] = {
    (): _Table,
    ("input",): _InputTable,
    ("output",): _OutputTable,
}


def split_file(text: str, file: str) -> Split:
    """Divide a file into front matter and body.

    Raises:
        ConfigError: the front matter does not end.
    """
    lines = text.replace("\r\n", "\n").removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").split("\n")
    if lines[0].rstrip() != _FENCE:
        return Split("", "\n".join(lines), 1)
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == _FENCE:
            body = "\n".join(lines[number + 1 :])
            return Split("\n".join(lines[1:number]), body, number + 2)
    raise ConfigError(
        [Finding(f"{file}:1", "the front matter has no end", "Close it with a line of ---")]
    )


def parse_front_matter(front: str, file: str) -> FrontMatter:
    """Read it.

    Args:
        front: YAML without the lines of hyphens; it begins on line 2 of the file.
        file: its name, for findings.

    Raises:
        ConfigError: it is not YAML, or says what cannot be. Carries every finding.
    """
    documents = load_all(front, file=file, first_line=2)
    document = documents[0] if documents else Document({}, {})
    raw = {} if document.value is None else document.value
    if len(documents) > 1 or not isinstance(raw, dict):
        raise ConfigError(
            [
                Finding(
                    f"{file}:2", "the front matter is not one mapping", "Write `key: value` lines"
                )
            ]
        )
    reader = _Reader(file, document, cast("dict[str, Any]", raw))
    return reader.read()


class _Reader:
    def __init__(self, file: str, document: Document, raw: dict[str, Any]) -> None:
        self._file = file
        self._document = document
        self._raw = raw
        self._findings: list[Finding] = []

    def read(self) -> FrontMatter:
        table = self._table()
        self._check_config(table.config)
        schema = self._schema(("input", "schema"), table.input.schema)
        output = self._schema(("output", "schema"), table.output.schema)
        if schema is not None:
            self._check_input(schema, table.input)
        if not table.model:
            self._report(("model",), "no model", "Name an alias or a route: model: support-main")
        if self._findings:
            raise ConfigError(self._findings)
        return FrontMatter(
            model=table.model,
            config=table.config,
            input=schema,
            defaults=table.input.default,
            untrusted=table.input.untrusted,
            output=output,
            repair=table.output.repair,
            tools=table.tools,
            suite=table.suite,
            owners=table.owners,
            description=table.description,
            document=self._document,
        )

    def _table(self) -> _Table:
        self._check_keys()
        if self._findings:
            raise ConfigError(self._findings)
        try:
            return msgspec.convert(self._raw, _Table)
        except msgspec.ValidationError as error:
            problem, _, where = str(error).partition(" - at `$.")
            path = tuple(where.rstrip("`").replace("[...]", "").split("."))
            self._report(path, problem[:1].lower() + problem[1:], "Correct the value")
            raise ConfigError(self._findings) from None

    def _check_keys(self) -> None:
        for path, table in _KEYS.items():
            mapping: Any = self._raw
            for key in path:
                mapping = mapping.get(key)
            if not isinstance(mapping, Mapping):
                continue
            known = [field.name for field in msgspec.structs.fields(table)]
            for key in cast("Mapping[str, Any]", mapping):
                if key not in known:
                    near = difflib.get_close_matches(key, known, n=1)
                    meant = f"Did you mean {near[0]}?" if near else f"Use {', '.join(known)}"
                    self._report((*path, key), f"there is no key {key[:40]!r}", meant)

    def _check_config(self, config: Mapping[str, Any]) -> None:
        for name, value in config.items():
            if misfit := misfit_of(name, value):
                self._report(("config", name), *misfit)

    def _schema(self, path: tuple[str, ...], written: object) -> Schema | None:
        if written is None:
            return None
        try:
            return parse_schema(written)
        except SchemaProblem as error:
            self._report((*path, *error.path), error.problem, error.remedy)
            return None

    def _check_input(self, schema: Schema, table: _InputTable) -> None:
        if schema.get("type") != "object":
            self._report(
                ("input", "schema"), "variables have names", "Write {name: type}, or type: object"
            )
            return
        properties: dict[str, Any] = schema.get("properties", {})
        places = {name: ("input", "default", name) for name in table.default}
        places |= dict.fromkeys(table.untrusted, ("input", "untrusted"))
        for name, place in places.items():
            if name not in properties:
                self._report(
                    place, f"{name[:40]!r} is not in the schema", "Declare it in input.schema"
                )

    def _report(self, path: tuple[str, ...], problem: str, remedy: str) -> None:
        line = self._document.line(path) if self._document.lines else 1
        self._findings.append(Finding(f"{self._file}:{line} ({'.'.join(path)})", problem, remedy))
