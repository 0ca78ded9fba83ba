"""What is told of files, likeness, tools and images, and how rules are switched off."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.files import TRIAGE, file, library
from prompts.lint.projects import MODELS, lints, told
from trimtab.prompts.library import load_library
from trimtab.prompts.lint import RULES, lint
from trimtab.prompts.lint.duplicates import likeness, shingles_of

WORDS = " ".join(f"word{number}" for number in range(200))


def test_a_prompt_without_fault(tmp_path: Path) -> None:
    (tmp_path / "evals" / "triage").mkdir(parents=True)
    assert lints(tmp_path, {"p.prompt.md": TRIAGE}) == []


def test_no_prompts(tmp_path: Path) -> None:
    assert lints(tmp_path, {}) == []


def test_every_finding_of_the_library_is_an_error(tmp_path: Path) -> None:
    files = {
        "a.prompt.md": file("{{ x", "modle: y"),
        "b/c.prompt.md": file("x\n{{ y | nope }}"),
        "d.prompt.md": file('{% include "_partials/p.md" %}'),
        "_partials/p.md": "{% if %}",
    }
    found = lints(tmp_path, files, "file")
    assert [(one.prompt, one.place, one.severity) for one in found] == [
        ("", "prompts/_partials/p.md:1", "error"),
        ("a", "prompts/a.prompt.md:3", "error"),
        ("b/c", "prompts/b/c.prompt.md:5", "error"),
    ]
    assert found[1].problem.startswith("modle: ")


def test_it_is_json_with_file_and_line(tmp_path: Path) -> None:
    found = lints(tmp_path, {"p.prompt.md": file("{{ x }}")})
    (first, *_) = json.loads(msgspec.json.encode(found))
    assert first == {
        "prompt": "p",
        "rule": "undeclared-name",
        "severity": "error",
        "place": "prompts/p.prompt.md:4",
        "problem": "`x` is not declared",
        "remedy": "Declare it in input.schema, or correct its name",
    }
    for one in found:
        assert one.severity == RULES[one.rule].severity


def test_a_file_that_changed_meanwhile(tmp_path: Path) -> None:
    made = library(tmp_path, {"p.prompt.md": TRIAGE})
    (tmp_path / "prompts" / "p.prompt.md").write_text("---\nmodle: x\n---\nx")
    assert {one.rule for one in lint(made, models=MODELS)} == {"file"}
    (tmp_path / "prompts" / "p.prompt.md").unlink()
    assert {one.rule for one in lint(made, models=MODELS)} == {"file"}


# ------------------------------------------------------------------ likeness


def test_prompts_with_nearly_the_same_text(tmp_path: Path) -> None:
    files = {
        "a.prompt.md": file(WORDS),
        "b.prompt.md": file(WORDS),
        "c.prompt.md": file(WORDS.replace("word7 ", "other ").upper()),
        "d.prompt.md": file(WORDS[: len(WORDS) // 2]),
        "e.prompt.md": file("a text of its own"),
    }
    found = lints(tmp_path, files, "duplicate")
    assert [(one.prompt, one.problem) for one in found] == [
        ("b", "the same as a"),
        ("c", "96% of the text is that of a"),
    ]


def test_short_texts(tmp_path: Path) -> None:
    files = {
        f"{name}.prompt.md": file(text)
        for name, text in {"a": "Hi.", "b": "No.", "c": "hi"}.items()
    }
    assert [one.prompt for one in lints(tmp_path, files, "duplicate")] == ["c"]


TEXTS = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60).map(" ".join)


@given(TEXTS, st.integers(0, 60), st.sampled_from("xyz"))
def test_likeness_finds_what_comparing_all_pairs_finds(text: str, at: int, letter: str) -> None:
    changed = text[:at] + letter + text[at:]
    with TemporaryDirectory() as folder:
        files = {"a.prompt.md": file(text), "b.prompt.md": file(changed)}
        found = lints(Path(folder), files, "duplicate")
        made = load_library(Path(folder))
    one, other = (shingles_of(prompt.behaviour.body) for prompt in made.prompts.values())
    assert len(found) == (likeness(one, other) > 0.9)


# ------------------------------------------------------------------ images and tools


def test_images_that_are_not_shown(tmp_path: Path) -> None:
    schema = 'input:\n  schema:\n    photo?: "string, image of the receipt"\n    note?: string'
    (found,) = told(tmp_path, file("{{ photo }}{{ note }}", schema), "unused-image")
    assert found.startswith("p.prompt.md:5: `photo` is an image")
    assert (
        told(tmp_path, file("<<user>>\n<<image photo>>\n{{ note }}", schema), "unused-image") == []
    )


def test_tools_that_are_not_offered(tmp_path: Path) -> None:
    files = {
        "p.prompt.md": file("x", "tools: [used]", "config: {tool_choice: none}"),
        "_tools/used.json": "{}",
        "_tools/left.json": "{}",
    }
    assert [(one.prompt, one.place) for one in lints(tmp_path, files, "unused-tool")] == [
        ("", "prompts/_tools/left.json:1"),
        ("p", "prompts/p.prompt.md:4"),
    ]


# ------------------------------------------------------------------ switches


def test_a_rule_that_is_off(tmp_path: Path) -> None:
    body = "{# lint: off no-suite the demo has none #}\n{{ x }}"
    found = lints(tmp_path, {"p.prompt.md": file(body), "q.prompt.md": file("other")})
    assert {(one.prompt, one.rule) for one in found} == {
        ("p", "undeclared-name"),
        ("q", "no-suite"),
    }
    multiline = "{#- lint: off no-suite\n  the demo\n  has none -#}"
    assert lints(tmp_path / "b", {"p.prompt.md": file(multiline + "x")}) == []


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("lint: off no-suite", "without a reason"),
        ("lint: off", "there is no rule ''"),
        ("lint: off everything because", "there is no rule 'everything'"),
        ("lint: off file because", "there is no rule 'file'"),
        ("lint: off switch because", "there is no rule 'switch'"),
        ("lint: on no-suite because", "something else than `off`"),
    ],
)
def test_switches_that_are_none(tmp_path: Path, comment: str, words: str) -> None:
    found = lints(tmp_path, {"p.prompt.md": file("a\n{# " + comment + " #}")})
    assert [one.rule for one in found] == ["switch", "no-suite"]
    assert found[0].place == "prompts/p.prompt.md:5"
    assert words in found[0].problem


def test_only_comments_of_the_body_are_switches(tmp_path: Path) -> None:
    switch = "{# lint: off no-suite because #}"
    files = {
        "p.prompt.md": file("{% raw %}" + switch + '{% endraw %}{% include "_partials/a.md" %}'),
        "_partials/a.md": switch,
    }
    assert [one.rule for one in lints(tmp_path, files)] == ["no-suite"]
