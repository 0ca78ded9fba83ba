"""docs/evaluators.md: its tables are those of the kinds, its examples work."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from evals.evaluators.samples import sample, score
from evals.evaluators.tables import option_rows, plain_kinds, rows_in, summary_rows
from trimtab.evals.evaluators import python_function
from trimtab.evals.plain_kind import PlainKind

PAGE = (Path(__file__).parents[3] / "docs" / "evaluators.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    (text,) = [part for part in re.split(r"\n##+ ", PAGE) if part.startswith(f"{heading}\n")]
    return text


def test_every_evaluator_has_its_row() -> None:
    assert list(rows_in(section("What there is"))) == summary_rows()


@pytest.mark.parametrize("kind", plain_kinds(), ids=lambda kind: kind.name)
def test_every_option_and_every_key_has_its_row(kind: PlainKind[Any, Any]) -> None:
    assert list(rows_in(section(f"`{kind.name}`"))) == option_rows(kind)


def test_every_example_of_a_suite_can_be_built(tmp_path: Path) -> None:
    (tmp_path / "evaluators.py").write_text(example("python"))
    kinds = {kind.name: kind for kind in plain_kinds()}
    tables = [
        table
        for text in re.findall(r"```toml\n(\[\[evaluators\]\].*?)```", PAGE, re.DOTALL)
        for table in tomllib.loads(text)["evaluators"]
    ]
    assert {table["use"] for table in tables} >= {"contains", "python_function"}
    for table in tables:
        names = {"use", "name", "metric"}
        options = {key: value for key, value in table.items() if key not in names}
        if table["use"] in kinds:
            kinds[table["use"]].build(options, tmp_path)


def example(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", section("`python_function`"), re.DOTALL)[0]


def test_the_functions_of_the_page_say_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "evaluators.py").write_text(example("python"))
    answer = sample("Dear Ms Miller,\nyour order 1234 is on its way.")
    kind = python_function.EVALUATOR
    greeted = score(kind, answer, {"function": "greets", "kind": "rate"}, folder=tmp_path)
    assert greeted.value == 1
    named = score(kind, answer, {"function": "names_the_order"}, folder=tmp_path)
    assert named.status == "not_applicable"
    asked = sample(answer.text, expected={"order": "12345"})
    wrong = score(kind, asked, {"function": "names_the_order"}, folder=tmp_path)
    assert (wrong.value, wrong.label) == (0, "missing")
