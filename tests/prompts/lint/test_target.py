"""Rules about the model and the suite."""

from pathlib import Path

import pytest

from prompts.files import file
from prompts.lint.projects import lints, told
from trimtab.prompts.lint.target import is_pinned


@pytest.mark.parametrize(
    "ref",
    [
        "openai:gpt-4.1-2025-04-14",
        "openai:gpt-4-0613",
        "anthropic:claude-sonnet-4-20250514",
        "vertex:claude-sonnet-4@20250514",
        "bedrock:anthropic.claude-sonnet-4-20250514-v1:0",
        "google:gemini-2.0-flash-001",
        "google:gemini-2.5-flash-preview-04-17",
        "google:gemini-2.5-flash-preview-09-2025",
        "mistral:mistral-large-2411",
    ],
)
def test_refs_that_are_pinned(ref: str) -> None:
    assert is_pinned(ref)


@pytest.mark.parametrize(
    "ref",
    [
        "openai:gpt-5",
        "openai:gpt-4.1",
        "openai:gpt-4o-latest",
        "openai:gpt-4-32k",
        "anthropic:claude-sonnet-4",
        "anthropic:claude-3-5-sonnet-latest",
        "google:gemini-2.0-flash",
        "openai:o3",
        "x:model-2025-04-14-preview",
    ],
)
def test_refs_that_float(ref: str) -> None:
    assert not is_pinned(ref)


def of(model: str, body: str = "x", *front: str) -> str:
    return file(body, *front).replace("model: fast", f"model: {model}")


def test_models(tmp_path: Path) -> None:
    assert told(tmp_path, of("fast"), "floating-model") == []
    assert told(tmp_path, of("own"), "floating-model") == []
    (floating,) = told(tmp_path, of("floating"), "floating-model")
    assert floating.startswith("p.prompt.md:2: 'floating' is openai:gpt-5")
    (unknown,) = lints(tmp_path, {"p.prompt.md": of("fsat")}, "unknown-model")
    assert (unknown.severity, unknown.place) == ("error", "prompts/p.prompt.md:2")
    assert "fast" in unknown.remedy


def test_the_length_of_the_fixed_text(tmp_path: Path) -> None:
    """`small` reads a hundred tokens, which is about four hundred bytes."""
    body = "x" * 160 + "{{ a_long_name_that_is_no_text_of_the_prompt | default('y') }}"
    schema = "input: {schema: {a_long_name_that_is_no_text_of_the_prompt?: string}}"
    both = ("long", "too-long")
    assert [told(tmp_path, of("small", body, schema), rule) for rule in both] == [[], []]
    (long,) = told(tmp_path, of("small", "\u00e9" * 110), "long")
    assert "about 55 tokens, 55% of the 100" in long
    (too_long,) = lints(tmp_path, {"p.prompt.md": of("small", "x" * 401)}, "too-long")
    assert too_long.severity == "error"
    assert told(tmp_path, of("own", "x" * 100_000), "too-long") == []


def test_partials_and_tools_are_long_too(tmp_path: Path) -> None:
    body = '{% include "_partials/p.md" %}' * 2
    assert "about 100 tokens" in told(tmp_path, of("small", body), "long", p="x" * 200)[0]
    tool = '{"description": "' + "x" * 400 + '"}'
    files = {"p.prompt.md": of("small", "x", "tools: [t]"), "_tools/t.json": tool}
    assert len(lints(tmp_path, files, "too-long")) == 1


def test_partials_in_partials_do_not_take_for_ever(tmp_path: Path) -> None:
    partials = {f"p{n}": f'{{% include "_partials/p{n + 1}.md" %}}' * 2 for n in range(25)}
    body = '{% include "_partials/p0.md" %}'
    assert len(told(tmp_path, of("small", body), "too-long", **partials, p25="xxxx")) == 1


def test_suites(tmp_path: Path) -> None:
    (none,) = told(tmp_path, file("x"), "no-suite")
    assert "nothing can say" in none
    text = file("x", "suite: triage")
    assert told(tmp_path, text, "no-suite") == []
    assert told(tmp_path, text, "missing-suite") == [
        "p.prompt.md:3: there is no folder evals/triage"
    ]
    (tmp_path / "evals" / "triage").mkdir(parents=True)
    assert told(tmp_path, text, "missing-suite") == []
