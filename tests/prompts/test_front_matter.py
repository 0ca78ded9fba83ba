"""The front matter: what it says, and every way in which it can be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.files import TRIAGE, file, findings, parsed
from trimtab.errors import ConfigError
from trimtab.prompts.front_matter import parse_front_matter, split_file


def test_a_whole_file() -> None:
    prompt = parsed(TRIAGE)
    assert prompt.behaviour.model == "fast"
    assert prompt.behaviour.config == {"temperature": 0.2, "max_tokens": 600}
    assert prompt.behaviour.untrusted == ("ticket",)
    assert prompt.about.suite == "triage"
    assert prompt.names == {"ticket", "locale"}


def test_the_division_of_a_file() -> None:
    assert split_file("---\na: 1\n---\nx\n---\ny", "f") == ("a: 1", "x\n---\ny", 4)
    assert split_file("x\n---\ny", "f") == ("", "x\n---\ny", 1)
    windows = "\N{ZERO WIDTH NO-BREAK SPACE}---\r\na: 1\r\n---\r\nx"
    assert split_file(windows, "f") == ("a: 1", "x", 4)
    with pytest.raises(ConfigError, match="no end"):
        split_file("---\na: 1\n", "f")


@pytest.mark.parametrize(
    ("lines", "place", "words"),
    [
        (["modle: x"], "p.prompt.md:3 (modle)", "Did you mean model?"),
        (["input: {shema: {}}"], "p.prompt.md:3 (input.shema)", "Did you mean schema?"),
        (["output:", "  repiar: true"], "p.prompt.md:4 (output.repiar)", "Did you mean repair?"),
        (["config: {model: x}"], "p.prompt.md:3 (config.model)", "not for a prompt to say"),
        (["config: {messages: []}"], "(config.messages)", "not for a prompt to say"),
        (["config: {temperature: hot}"], "(config.temperature)", "Give a number from 0 to 2"),
        (["config: {max_tokens: 0}"], "(config.max_tokens)", "Give a whole number, 1 or more"),
        (["config: {stop: [1]}"], "(config.stop)", "Give a text, or a list of texts"),
        (["config: {parallel_tool_calls: 1}"], "(config.parallel_tool_calls)", "true or false"),
        (["config: 3"], "p.prompt.md:3 (config)", "expected `object`"),
        (["input:", "  schema:", "    a: sting"], "p.prompt.md:5 (input.schema.a)", "no type"),
        (["input: {schema: string}"], "(input.schema)", "variables have names"),
        (
            ["input: {schema: {a: string}, untrusted: [b]}"],
            "(input.untrusted)",
            "not in the schema",
        ),
        (
            ["input: {schema: {a: string}, default: {b: 1}}"],
            "(input.default.b)",
            "not in the schema",
        ),
        (["output: {schema: {a: sting}}"], "(output.schema.a)", "no type"),
        (["tools: [../../x]"], "p.prompt.md:3 (tools)", "no tool"),
        (["tools: [missing]"], "p.prompt.md:3 (tools)", "no tool"),
        (["owners: me"], "p.prompt.md:3 (owners)", "expected `array`"),
        (["model: twice"], "p.prompt.md:3", "twice"),
        (["config: !!python/object:os.system {}"], "p.prompt.md:3", "tag"),
        (["config: &a {b: 1}"], "p.prompt.md:3", "anchor"),
        (["config: *a"], "p.prompt.md:3", "alias"),
        (["config: [1"], "p.prompt.md", "not YAML"),
        (["config: {seed: 1e999}"], "p.prompt.md:3", "too large"),
        (['config: {stop: "\\ud800"}'], "p.prompt.md:3", "half a character"),
        (["config: {? [a] : 1}"], "p.prompt.md:3", "not text"),
    ],
)
def test_what_is_wrong_and_where(lines: list[str], place: str, words: str) -> None:
    found = findings(file("text", *lines))
    assert any(place in one.place and words in str(one) for one in found), found


def test_all_findings_at_once() -> None:
    found = findings("---\nconfig: {model: x}\noutput: {schema: {a: no}}\n---\nx")
    assert len(found) == 3
    assert any("no model" in one.problem for one in found)


def test_what_it_is_not() -> None:
    for text in ("---\n- a\n---\nx", "---\nhello\n---\nx", "---\nmodel: a\n--- b\n---\nx"):
        assert findings(text)
    assert any("no model" in one.problem for one in findings("no front matter"))


@pytest.mark.parametrize("word", ["no", "yes", "on", "2026-10-01", "007", "1_000", "~x"])
def test_words_that_only_look_like_values(word: str) -> None:
    front = parse_front_matter(f"model: m\nsuite: {word}", "f")
    assert front.suite == word


def test_lines_of_keys() -> None:
    front = parse_front_matter("model: m\ninput:\n  schema:\n    a?: string", "f")
    assert front.line("input", "schema", "a?") == 5
    assert front.line("input", "schema", "nope") == 4


def test_no_value_of_the_file_is_shown() -> None:
    secret = "hunter2"
    for line in (f"config: [{secret}]", f"tools: [3, {secret}]", f"x: 'a\n  {secret}"):
        assert secret not in "".join(map(str, findings(file("text", line))))


TEXTS = st.text(st.sampled_from("abc:{}[]-?&*!|>'\"#\n ,%@~1.\t"), max_size=40)


@given(TEXTS)
def test_any_text_is_read_or_refused(text: str) -> None:
    findings(f"---\nmodel: m\n{text}\n---\nbody")
