"""What importers and `eval init` write is taken by the evaluators that it names."""

from pathlib import Path

import pytest

from evals.evaluators.entries import built_in_entries, install
from prompts.files import parsed
from trimtab.datasets.formats.border import ImportedSuite, Origin
from trimtab.datasets.formats.openai_evals import CLASSES, import_samples
from trimtab.datasets.formats.promptfoo import import_promptfoo
from trimtab.datasets.load import load_suite
from trimtab.datasets.scaffold import scaffold_suite
from trimtab.datasets.toml_text import suite_text
from trimtab.datasets.write import write_new_suite
from trimtab.evals.registry import load_evaluators

FOREIGN = Path(__file__).parents[1] / "datasets" / "foreign"
WITH_OUTPUT = """\
---
model: fast
input: {schema: {ticket: string}}
output: {schema: {team: string}}
---
{{ ticket }}
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages, monkeypatch, built_in_entries())


def taken(project: Path, suite: ImportedSuite) -> dict[str, str]:
    """The evaluators of a suite, once it is in files, each with its metric."""
    text = suite_text(evaluators=suite.evaluators)
    write_new_suite(project, "s", suite_text=text, cases=suite.cases)
    known = load_evaluators(load_suite(project, "s"), schema_declared=False)
    assert not [note for note in known.notes if "reference" not in note]
    return {one.name: one.metric for one in known.evaluators if not one.automatic}


def test_a_configuration_of_promptfoo(tmp_path: Path) -> None:
    def beside(name: str) -> str | None:
        file = FOREIGN / name
        return file.read_text() if file.is_file() else None

    suite = import_promptfoo((FOREIGN / "support.yaml").read_text(), Origin(read=beside))
    assert taken(tmp_path, suite) == {
        "contains": "accuracy",
        "regex": "accuracy",
        "exact": "accuracy",
        "json_equal": "accuracy",
        "refusal_wanted": "refusal_wanted",
    }


def test_a_schema_of_promptfoo(tmp_path: Path) -> None:
    check = "{type: is-json, value: {type: object, required: [a]}}"
    tests = f"tests: [{{vars: {{q: 1}}, assert: [{check}, {{type: is-json}}]}}]"
    found = taken(tmp_path, import_promptfoo(tests))
    assert found == {"json_schema": "format", "json_schema-2": "format"}


@pytest.mark.parametrize("eval_class", CLASSES)
def test_a_class_of_openai(tmp_path: Path, eval_class: str) -> None:
    suite = import_samples('{"input": "q", "ideal": "1"}', eval_class=eval_class)
    assert len(taken(tmp_path, suite)) == len(suite.evaluators)


def test_a_suite_to_start_from(tmp_path: Path) -> None:
    scaffold_suite(tmp_path, "s", parsed(WITH_OUTPUT))
    known = load_evaluators(load_suite(tmp_path, "s"), schema_declared=True)
    assert known.notes == []
    assert {one.metric for one in known.evaluators} >= {"accuracy", "format", "latency", "cost"}
