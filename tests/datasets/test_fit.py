"""Cases against the prompt that they are for."""

from pathlib import Path

from datasets.suites import line, write
from prompts.files import TRIAGE, file, library
from trimtab.datasets.fit import suite_warnings
from trimtab.datasets.load import load_suite
from trimtab.errors import Finding


def warnings(project: Path, toml: str, lines: list[str], **more: int) -> list[Finding]:
    write(project, toml, lines)
    prompts = library(
        project, {"support/triage.prompt.md": TRIAGE, "free.prompt.md": file("Hello {{ name }}")}
    )
    return suite_warnings(load_suite(project, "s"), prompts, **more)


def test_variables_that_fit_are_no_matter(tmp_path: Path):
    lines = [
        line(id="a", variables={"ticket": "Where is it?"}),
        line(id="b", variables={"ticket": "", "locale": "de"}),
    ]
    assert warnings(tmp_path, "prompt = 'support/triage'", lines) == []


def test_variables_that_do_not_fit_have_their_line(tmp_path: Path):
    lines = [
        line(id="a", variables={"ticket": "x"}),
        line(id="b", variables={"locale": "de"}),
        line(id="c", variables={"ticket": 7, "more": "x"}),
    ]
    found = warnings(tmp_path, "prompt = 'support/triage'", lines)
    assert [(one.place, one.problem) for one in found] == [
        ("evals/s/cases.jsonl:2", "does not fit prompt support/triage: `ticket` is missing"),
        (
            "evals/s/cases.jsonl:3",
            "does not fit prompt support/triage: `ticket` must be string, and is integer",
        ),
        (
            "evals/s/cases.jsonl:3",
            "does not fit prompt support/triage: `more` is not expected here",
        ),
    ]


def test_a_prompt_that_is_not_there(tmp_path: Path):
    (found,) = warnings(tmp_path, "prompt = 'support/triag'", [line()])
    assert found.place == "evals/s/suite.toml (prompt)"
    assert "Did you mean support/triage?" in found.problem


def test_a_prompt_without_schema_takes_anything(tmp_path: Path):
    assert warnings(tmp_path, "prompt = 'free'", [line()]) == []


def test_without_a_prompt_a_case_needs_messages(tmp_path: Path):
    messages = [{"role": "user", "content": "Hello"}]
    (found,) = warnings(tmp_path, "", [line(id="a", messages=messages), line(id="b")])
    assert found.place == "evals/s/cases.jsonl:2"
    assert "no messages" in found.problem


def test_many_warnings_are_counted(tmp_path: Path):
    lines = [line(id=f"c{n}", variables={"locale": "de"}) for n in range(50)]
    found = warnings(tmp_path, "prompt = 'support/triage'", lines)
    assert len(found) == 21
    assert found[-1].problem == "and 30 more findings"
    assert len(warnings(tmp_path, "prompt = 'support/triage'", lines, most_findings=99)) == 50
