"""docs/evals.md: its suite loads, its findings come out as shown, and its tables are the code's."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from datasets.suites import describe, findings, write
from trimtab.datasets import suite_file
from trimtab.datasets.case import Case
from trimtab.datasets.formats.openai_evals import CLASSES, import_samples
from trimtab.datasets.formats.promptfoo import import_promptfoo
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import GatePolicy, Suite
from trimtab.datasets.suite_file import parse_suite_file

PAGE = (Path(__file__).parents[2] / "docs" / "evals.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    (text,) = [part for part in PAGE.split("\n## ") if part.startswith(f"{heading}\n")]
    return text


def first_column(heading: str, column: str) -> list[str]:
    """The first cells of the rows of a table, by the heading of its first column."""
    _, _, rest = section(heading).partition(f"| {column} |")
    rows = rest.split("\n\n")[0].splitlines()[2:]
    return [row.split("|")[1].strip() for row in rows]


def example(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return text


def test_the_suite_of_the_page_loads(tmp_path: Path):
    write(tmp_path, example("toml"), example("json"), "support-triage")
    suite = load_suite(tmp_path, "support-triage", describe_evaluator=describe)
    assert [case.id for case in suite.cases] == ["refund-01", "legal-07", "chat-03"]
    assert [one.name for one in suite.evaluators] == ["json_equal", "politeness"]
    assert suite.gate.margins == {"accuracy": 0.05, "politeness": 0.1, "cost": 1.1}


def test_the_findings_of_the_page_come_out(tmp_path: Path):
    shown = re.findall(r"^    (evals/support-triage/\S+: .*)$", PAGE, re.MULTILINE)
    shown += re.findall(r"^    (evals/support-triage/\S+ \(.*)$", PAGE, re.MULTILINE)
    first = example("json").splitlines()[0]
    toml = example("toml").replace("prompt =", "promt =")
    write(tmp_path, toml, [first, "", first], "support-triage")
    assert sorted(map(str, findings(tmp_path, "support-triage"))) == sorted(shown)
    assert len(shown) == 2


def test_every_key_of_the_suite_has_its_row():
    rows = [row.strip("`") for row in first_column("A suite", "key of `suite.toml`")]
    tables = vars(suite_file)
    fields = msgspec.structs.fields
    keys = [field.name for field in fields(tables["_SuiteTable"])]
    keys += [f"evaluators.{name}" for name in tables["_OWN_KEYS"]]
    keys += [f"gate.{field.name}" for field in fields(tables["_GateTable"])]
    assert sorted(rows) == sorted(keys)
    assert {field.name for field in fields(GatePolicy)} == {
        field.name for field in fields(tables["_GateTable"])
    }


def test_the_defaults_of_the_page_are_those_of_a_suite():
    plain = parse_suite_file(b"", shown="s", describe_evaluator=describe)
    _, _, rest = section("A suite").partition("| key of `suite.toml` |")
    for row in rest.split("\n\n")[0].splitlines()[2:]:
        key, default = (cell.strip().strip("`") for cell in row.split("|")[1:3])
        if re.fullmatch(r'[\d.]+|".*"', default):
            value: Any = plain.gate if key.startswith("gate.") else plain
            found = getattr(value, key.removeprefix("gate."))
            assert msgspec.json.encode(found).decode() == default
    for name in ("repeats", "concurrency"):
        (field,) = [one for one in msgspec.structs.fields(Suite) if one.name == name]
        assert getattr(plain, name) == field.default


def test_every_key_of_a_case_has_its_row():
    rows = [row.strip("`") for row in first_column("Cases", "key of a case")]
    assert rows == [field.name for field in msgspec.structs.fields(Case)]


def assertions() -> list[str]:
    rows = first_column("From other tools", "assertion of promptfoo")
    return [kind for row in rows for kind in re.findall(r"`([a-z-]{2,})`", row)]


@pytest.mark.parametrize("kind", assertions())
def test_every_assertion_of_the_page_is_carried_over(kind: str):
    value: Any = {"type": "object"} if kind == "is-json" else "text"
    test = {"vars": {"q": "x"}, "assert": [{"type": kind, "value": value}]}
    suite = import_promptfoo(msgspec.json.encode({"tests": [test]}).decode())
    assert suite.cases[0].expected or suite.evaluators
    assert not [found for found in suite.remarks if "left out" in found.problem]


def test_every_class_of_the_page_is_known():
    rows = first_column("From other tools", "class of OpenAI's evals")
    assert [row.strip("`") for row in rows] == list(CLASSES)
    for name in CLASSES:
        suite = import_samples('{"input": "a", "ideal": "1"}', eval_class=name)
        assert suite.cases[0].expected or suite.evaluators
