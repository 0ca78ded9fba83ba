"""Promptfoo: the tests of a `promptfooconfig.yaml`, with their variables and assertions.

Source: promptfoo.dev/docs/configuration (reference, test-cases). Programs and templates that it
would run are not run here; files are read only where `Origin.read` gives them.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec

from trimtab.datasets.case import Case
from trimtab.datasets.formats.border import NOWHERE, CaseIds, ImportedSuite, Origin, Remarks
from trimtab.datasets.formats.promptfoo_checks import TELLING_CASE, Assertion, Checks
from trimtab.datasets.formats.promptfoo_files import TestLists, Written
from trimtab.errors import ConfigError, Finding
from trimtab.prompts.formats.loading import list_of, load_json, mapping_of
from trimtab.prompts.yaml_text import Document, Lines, load_all

__all__ = ["import_promptfoo"]

_MOST_SHARED: Final = 10_000  # values that aliases of YAML may add
_MOST_OF_ONE: Final = 1_000  # cases that the lists in one test's variables make
_MOST_REPEATS: Final = 1_000
_NAME: Final = re.compile(r"\{\{-?\s*([A-Za-z_]\w*(?:\.\w+)*)\s*-?\}\}")
_TEMPLATE: Final = re.compile(r"\{[{%]")
_OF_CONFIG: Final = frozenset((
    "$schema", "assertionTemplates", "defaultTest", "description", "evaluateOptions", "metadata",
    "prompts", "providers", "scenarios", "tags", "tests",
))  # fmt: skip
_OF_TEST: Final = frozenset(("assert", "description", "metadata", "options", "vars"))
_OF_ASSERTION: Final = frozenset(("type", "value"))
_TEMPLATES: Final = "#/assertionTemplates/"


def import_promptfoo(text: str, origin: Origin = NOWHERE) -> ImportedSuite:
    """The tests of a configuration as a suite.

    Args:
        text: of the configuration.
        origin: where it comes from, and our prompt for the suite.

    Raises:
        ConfigError: it is not YAML, or has no tests.
    """
    if origin.file.endswith(".json"):
        documents = [Document(load_json(text, origin.file), {(): Lines(1, 1)})]
    else:
        documents = load_all(text, file=origin.file, expansion=_MOST_SHARED)
    value = documents[0].value if len(documents) == 1 else None
    if not isinstance(value, dict):
        raise ConfigError(
            [Finding(f"{origin.file}:1", "not one mapping", "Give a promptfooconfig.yaml")]
        )
    config = cast("dict[str, Any]", value)
    return _Import(config, documents[0], origin).suite()


class _Merged(NamedTuple):
    """A test with what holds for all."""

    variables: dict[str, Any]
    assertions: list[tuple[Mapping[str, Any], str]]
    tags: list[str]
    description: str
    place: str


class _Import:
    def __init__(self, config: Mapping[str, Any], document: Document, origin: Origin) -> None:
        self._config = config
        self._document = document
        self._origin = origin
        self._remarks = Remarks()

    def suite(self) -> ImportedSuite:
        for name in sorted(self._config.keys() - _OF_CONFIG):
            self._left_out(self._place(name), name, "Say it in trimtab.toml or in suite.toml")
        if "prompts" in self._config:
            remedy = "Import them with `trimtab prompts import --format promptfoo`"
            self._remarks.add(self._place("prompts"), "prompts are not part of a suite", remedy)
        tests = [self._merged(written) for written in self._tests()]
        rows = [row for test in tests for row in self._expanded(test)]
        if not rows:
            raise ConfigError(
                [Finding(self._place("tests"), "there are no tests with vars", "Write them")]
            )
        filled = [self._filled(row) for row in rows]
        tells_case = any(one.kind in TELLING_CASE for assertions in filled for one in assertions)
        checks = Checks(self._remarks, tells_case=tells_case)
        ids = CaseIds()
        cases = [
            Case(
                id=ids.new(row.description, number),
                variables=row.variables,
                expected=checks.expected(assertions),
                tags=row.tags,
                note=row.description,
            )
            for number, (row, assertions) in enumerate(zip(rows, filled, strict=True), 1)
        ]
        return ImportedSuite(
            description=_text(self._config.get("description")),
            prompt=self._origin.prompt,
            repeats=self._whole("repeat", 1),
            concurrency=self._whole("maxConcurrency", 8),
            evaluators=checks.evaluators(),
            cases=cases,
            remarks=self._remarks.all(),
        )

    # ------------------------------------------------------------ tests

    def _tests(self) -> Iterator[Written]:
        """All tests, those of files and of scenarios included."""
        lists = TestLists(self._document, self._origin, self._remarks)
        yield from lists.read(self._config.get("tests"), ("tests",))
        for place, scenario in enumerate(list_of(self._config.get("scenarios"))):
            path = ("scenarios", place)
            tests = list(lists.read(mapping_of(scenario).get("tests"), (*path, "tests")))
            settings = [mapping_of(one) for one in list_of(mapping_of(scenario).get("config"))]
            if not tests or not settings:
                where = f"{self._origin.file}:{self._document.line(path)}"
                self._left_out(where, "a scenario", "Write its tests into the file")
            for setting, test in itertools.product(settings, tests):
                yield Written(_joined(setting, test.test), test.place)

    def _merged(self, written: Written) -> _Merged:
        default = self._default()
        test = _joined(default, written.test)
        for name in sorted(test.keys() - _OF_TEST):
            self._left_out(written.place, f"{name} of a test", "Decide it for the suite")
        for name in sorted(mapping_of(test.get("options")).keys() - {"disableVarExpansion"}):
            self._left_out(written.place, f"options.{name}", "Change the prompt instead")
        variables = mapping_of(test.get("vars"))
        if not variables and isinstance(test.get("vars"), str):
            self._left_out(written.place, "vars in a file", "Write them into the test")
        assertions: list[tuple[Mapping[str, Any], str]] = [
            (self._template(mapping_of(one), written.place), written.place)
            for one in list_of(test.get("assert"))
        ]
        return _Merged(
            variables=variables,
            assertions=assertions,
            tags=list(_tags(mapping_of(test.get("metadata")))),
            description=_text(test.get("description")),
            place=written.place,
        )

    def _default(self) -> dict[str, Any]:
        default: object = self._config.get("defaultTest")
        if default is not None and not isinstance(default, dict):
            place = self._place("defaultTest")
            self._left_out(place, "defaultTest in a file", "Write it into the configuration")
        return mapping_of(cast("object", default))

    def _template(self, assertion: dict[str, Any], place: str) -> dict[str, Any]:
        """The assertion, or the one that it refers to."""
        name = _text(assertion.get("$ref"))
        if not name:
            return assertion
        found = mapping_of(self._config.get("assertionTemplates")).get(
            name.removeprefix(_TEMPLATES)
        )
        if not name.startswith(_TEMPLATES) or not isinstance(found, dict):
            self._left_out(place, "an assertion by a $ref to nothing", "Correct the reference")
            return {}
        own = {key: value for key, value in assertion.items() if key != "$ref"}
        return {**cast("dict[str, Any]", found), **own}

    def _expanded(self, test: _Merged) -> Iterator[_Merged]:
        """One for each combination of the lists among its variables."""
        if not test.variables:
            self._left_out(test.place, "a test without vars", "Write what it asks")
            return
        default = mapping_of(self._default().get("options"))
        whole = default.get("disableVarExpansion") is True
        ways = [
            [value] if whole else list_of(value) or [value] for value in test.variables.values()
        ]
        for place, way in enumerate(itertools.product(*ways)):
            if place == _MOST_OF_ONE:
                problem = f"a test whose lists make more than {_MOST_OF_ONE:,} cases was cut there"
                self._remarks.add(test.place, problem, "Write the cases that matter")
                return
            variables = dict(zip(test.variables, way, strict=True))
            yield test._replace(
                variables={k: self._of_file(v, test.place) for k, v in variables.items()}
            )

    def _of_file(self, value: object, place: str) -> object:
        """A variable; the text of a file where it names one that may be read."""
        if not isinstance(value, str) or not value.startswith("file://"):
            return value
        name = value.removeprefix("file://")
        text = self._origin.read(name) if name.endswith((".txt", ".md")) else None
        if text is None:
            problem = "a variable in a file that is not read stays as its name"
            self._remarks.add(place, problem, "Write its text into the case")
            return value
        return text

    # ------------------------------------------------------------ assertions

    def _filled(self, test: _Merged) -> list[Assertion]:
        """Its assertions, with the variables put into their values."""
        found: list[Assertion] = []
        for written, place in test.assertions:
            kind = _text(written.get("type"))
            if not kind:
                if written:
                    self._left_out(place, "an assertion without a type", "Give it one")
                continue
            for name in sorted(written.keys() - _OF_ASSERTION):
                self._left_out(place, f"{name} of an assertion", "Decide it in the evaluator")
            if kind == "assert-set" and "threshold" not in written:
                inner = [(mapping_of(one), place) for one in list_of(written.get("assert"))]
                found += self._filled(test._replace(assertions=inner))
                continue
            value = self._put_in(written.get("value"), test.variables, place)
            name = kind.removeprefix("not-")
            found.append(Assertion(name, name != kind, value, place))
        return found

    def _put_in(self, value: Any, variables: Mapping[str, Any], place: str) -> Any:  # noqa: ANN401 - a JSON value of any kind
        if isinstance(value, list):
            return [self._put_in(one, variables, place) for one in cast("list[Any]", value)]
        if not isinstance(value, str):
            return value
        text = _NAME.sub(lambda found: _value_of(found, variables), value)
        if _TEMPLATE.search(text):
            problem = "a template in an assertion that only promptfoo can fill stays as it is"
            self._remarks.add(place, problem, "Write the text that is expected")
        if text.startswith("file://"):
            problem = "an assertion whose value is in a file has the file's name as its value"
            self._remarks.add(place, problem, "Write the value itself")
        return text

    # ------------------------------------------------------------ the rest

    def _whole(self, name: str, default: int) -> int:
        value = mapping_of(self._config.get("evaluateOptions")).get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            return default
        return min(max(value, 1), _MOST_REPEATS)

    def _place(self, name: str) -> str:
        return f"{self._origin.file}:{self._document.line((name,))}"

    def _left_out(self, place: str, what: str, remedy: str) -> None:
        self._remarks.add(place, f"{what[:60]} was left out", remedy)


def _joined(default: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    """A test with what it inherits: its variables win, and assertions come on top."""
    joined = {**default, **test}
    for key in ("vars", "metadata", "options"):
        if isinstance(default.get(key), dict) and isinstance(test.get(key), dict):
            joined[key] = {**default[key], **test[key]}
    if "assert" in default and "assert" in test:
        joined["assert"] = [*list_of(default["assert"]), *list_of(test["assert"])]
    return joined


def _tags(metadata: Mapping[str, Any]) -> Iterator[str]:
    """`category: math` as the tag `category:math`."""
    tags = [
        f"{key}:{one}"
        for key, value in metadata.items()
        for one in list_of(value) or [value]
        if isinstance(one, str | int | float | bool) and one != ""
    ]
    yield from dict.fromkeys(tags)


def _value_of(found: re.Match[str], variables: Mapping[str, Any]) -> str:
    """A variable as it stands in a text; the template itself where there is none."""
    value: Any = variables
    for name in found[1].split("."):
        value = mapping_of(value).get(name)
    if isinstance(value, str):
        return value
    return found[0] if value is None else msgspec.json.encode(value).decode()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
