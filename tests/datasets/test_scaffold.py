"""A suite to start from loads as it is, fits its prompt, and never takes the place of another."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.suites import describe, findings
from prompts.files import TRIAGE, file, library, parsed
from trimtab.datasets.fit import suite_warnings
from trimtab.datasets.load import load_suite
from trimtab.datasets.samples import sample_variables
from trimtab.datasets.scaffold import scaffold_suite, starter_cases, starter_text
from trimtab.datasets.suite_file import parse_suite_file
from trimtab.errors import UsageError
from trimtab.prompts.prompt import Prompt

RICH = """\
---
model: fast
input:
  schema:
    type: object
    required: [ticket, kind, count, price, lines, who, sure, when, word, self]
    properties:
      ticket: {type: string, minLength: 20, maxLength: 24}
      kind: {enum: [bug, praise, 3]}
      fixed: {const: [1]}
      count: {type: integer, minimum: 3, maximum: 5}
      price: {type: number, exclusiveMinimum: 0, exclusiveMaximum: 1}
      least: {type: integer, minimum: 7}
      most: {type: integer, maximum: -7}
      lines: {type: array, minItems: 2, items: {type: string}, uniqueItems: true}
      who: {type: object, required: [name], properties: {name: {type: string}, age: {}}}
      sure: {type: boolean}
      when: {type: string, format: date}
      word: {anyOf: [{type: string, examples: [alpha, beta]}, {type: "null"}]}
      nothing: {type: "null"}
      several: {type: [integer, string]}
      self: {$ref: "#/$defs/node"}
    $defs:
      node: {type: object, properties: {next: {$ref: "#/$defs/node"}, n: {type: integer}}}
output: {schema: {team: string}}
---
{{ ticket }}
"""


def test_a_suite_for_a_prompt_loads_and_fits(tmp_path: Path):
    prompts = library(tmp_path, {"support/triage.prompt.md": TRIAGE})
    made = scaffold_suite(tmp_path, "support-triage", prompts.prompt("support/triage"))
    assert made.problems == {}
    suite = load_suite(tmp_path, "support-triage", describe_evaluator=describe)
    assert made.files == (suite.folder / "suite.toml", suite.folder / "cases.jsonl")
    assert suite.prompt == "support/triage"
    assert [case.id for case in suite.cases] == [f"example-{n}" for n in range(1, 6)]
    assert suite_warnings(suite, prompts) == []
    assert [sorted(case.variables) for case in suite.cases[:2]] == [
        ["ticket"],
        ["locale", "ticket"],
    ]
    assert len({case.variables["ticket"] for case in suite.cases}) == 5
    assert suite.gate.margins["latency"] == 1.1
    assert [one.use for one in suite.evaluators] == ["contains"]


def test_a_suite_without_a_prompt_has_messages(tmp_path: Path):
    scaffold_suite(tmp_path, "chat")
    suite = load_suite(tmp_path, "chat", describe_evaluator=describe)
    assert suite.prompt == ""
    assert suite.cases[4].messages == [{"role": "user", "content": "Example 5"}]
    assert suite_warnings(suite, library(tmp_path, {})) == []


def test_a_prompt_without_variables_is_asked_something():
    cases = [case for case, _ in starter_cases(parsed(file("Say hello.")))]
    assert all(case.messages and not case.variables for case in cases)


def test_a_prompt_without_schema_has_the_names_of_its_template():
    prompt = parsed(file("{{ name }} of {{ user.city }}"))
    assert sample_variables(prompt, 1)[0].variables == {
        "name": "Example 1 of name",
        "user": "Example 1 of user",
    }


def test_variables_of_any_schema_fit_it():
    prompt = parsed(RICH)
    for n, (variables, problems) in enumerate(sample_variables(prompt, 5), 1):
        assert problems == ""
        assert variables["kind"] == ["bug", "praise", 3, "bug", "praise"][n - 1]
        assert ("least" in variables) is (n % 2 == 0)
    assert "json_schema" in starter_text("s", prompt)


def test_what_nobody_can_guess_is_said(tmp_path: Path):
    schema = "input: {schema: {type: object, required: [code], properties: {code: %s}}}"
    code = '{type: string, pattern: "^[A-Z]{3}-[0-9]+$"}'
    made = scaffold_suite(tmp_path, "s", parsed(file("{{ code }}", schema % code)))
    assert set(made.problems) == {f"example-{n}" for n in range(1, 6)}
    assert "`code` does not match the pattern" in made.problems["example-1"]
    assert findings(tmp_path) == []


@pytest.mark.parametrize("there", ["suite.toml", "cases.jsonl"])
def test_nothing_is_overwritten(tmp_path: Path, there: str):
    folder = tmp_path / "evals" / "s"
    folder.mkdir(parents=True)
    (folder / there).write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        scaffold_suite(tmp_path, "s")
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [(there, "mine")]


def test_a_broken_link_is_not_written_through(tmp_path: Path):
    folder = tmp_path / "evals" / "s"
    folder.mkdir(parents=True)
    (folder / "cases.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is there already"):
        scaffold_suite(tmp_path, "s")
    assert not (tmp_path / "elsewhere").exists()


def test_a_suite_is_not_written_outside(tmp_path: Path):
    (tmp_path / "project" / "evals").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "project" / "evals" / "s").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="leads out of the project"):
        scaffold_suite(tmp_path / "project", "s")
    with pytest.raises(UsageError, match="is no name of a suite"):
        scaffold_suite(tmp_path / "project", "../s")
    assert list((tmp_path / "outside").iterdir()) == []


def test_where_a_file_stands_in_the_way_nothing_is_left(tmp_path: Path):
    (tmp_path / "evals").write_text("a file")
    with pytest.raises(UsageError, match="cannot be written"):
        scaffold_suite(tmp_path, "s")


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_name_makes_a_file_that_loads(name: str, prompt_id: str):
    plain = parsed(TRIAGE)
    prompt = Prompt(
        prompt_id,
        plain.about,
        plain.behaviour,
        version_hash=plain.version_hash,
        turns=plain.turns,
        templates=plain._templates,
        files={},
    )
    for text, wanted in ((starter_text(name, prompt), prompt_id), (starter_text(name), "")):
        content = text.encode("utf-8", "surrogatepass")
        table = parse_suite_file(content, shown="s", describe_evaluator=describe)
        assert table.findings == []
        assert table.prompt == wanted
