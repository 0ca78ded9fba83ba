"""docs/prompts.md: its example is a prompt without fault, and its tables are those of the code."""

import re
from pathlib import Path

import msgspec
import pytest

from prompts.files import findings, library
from prompts.lint.projects import MODELS
from trimtab.cli.prompts.chat import print_chat
from trimtab.prompts import front_matter
from trimtab.prompts.language import FILTERS, FUNCTIONS, TAGS, TESTS
from trimtab.prompts.library import Library
from trimtab.prompts.lint import RULES, lint
from trimtab.prompts.schema import parse_schema
from trimtab.prompts.yaml_text import load_all

PAGE = (Path(__file__).parents[2] / "docs" / "prompts.md").read_text(encoding="utf-8")


@pytest.fixture
def example(tmp_path: Path) -> Library:
    """The prompt of the page, with its partial."""
    prompt, partial = re.findall(r"```markdown\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "evals" / "support-triage").mkdir(parents=True)
    return library(
        tmp_path, {"support/triage.prompt.md": prompt, "_partials/untrusted.md": partial}
    )


def section(heading: str) -> str:
    (text,) = [part for part in PAGE.split("\n## ") if part.startswith(f"{heading}\n")]
    return text


def test_the_example_is_without_fault(example: Library) -> None:
    assert lint(example, models=MODELS) == []


def test_what_is_rendered_is_on_the_page(
    example: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    command = r'\$ trimtab prompts render support/triage --var ticket="(.*?)"\n(.*?)```'
    ((value, shown),) = re.findall(command, PAGE, re.DOTALL)
    print_chat(example.prompt("support/triage").render({"ticket": value}))
    assert capsys.readouterr().out == shown


def test_every_rule_has_its_row() -> None:
    rows = re.findall(r"^\| `(.*?)` \| (\w+) \| (.*) \|$", section("Lint"), re.MULTILINE)
    assert rows == [(name, rule.severity, rule.finds) for name, rule in RULES.items()]


def test_every_key_has_its_row() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", section("Front matter"), re.MULTILINE)
    tables = vars(front_matter)
    names = [
        f"{prefix}{field.name}"
        for prefix, table in (
            ("", "_Table"),
            ("input.", "_InputTable"),
            ("output.", "_OutputTable"),
        )
        for field in msgspec.structs.fields(tables[table])
    ]
    assert sorted(rows) == sorted(set(names) - {"input", "output"})


def test_every_short_form_is_one() -> None:
    rows = re.findall(r"^\| `(.*?: .*?)` \|", section("Front matter"), re.MULTILINE)
    assert len(rows) == 7
    for row in rows:
        (document,) = load_all(row, file="page")
        assert parse_schema(document.value)["type"] == "object"


def test_the_language_is_that_of_the_page() -> None:
    text = section("The language")
    for words, heading in ((FILTERS, "Filters: "), (TESTS, "Tests: ")):
        (shown,) = [part for part in text.split("\n\n") if part.startswith(heading)]
        assert re.findall(r"`(\w+)`", shown) == sorted(words)
    (tags,) = re.findall(r"^- Tags: (.*?), comments", text, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", tags)) == {tag for tag in TAGS if not tag.startswith("end")}
    assert {"range"} == FUNCTIONS


def test_the_switch_of_the_page_switches() -> None:
    (comment,) = re.findall(r"`(\{# lint: off [a-z].*? #\})`", PAGE)
    assert comment.split()[3] in RULES
    assert findings(f"---\nmodel: m\n---\n{comment}x") == []
