"""The page about formats, against the code."""

import re
from pathlib import Path

import pytest

from prompts.formats.corpus import CASES, parsed, prompt_of, round_trip
from trimtab.prompts.formats.border import Origin
from trimtab.prompts.formats.table import FORMATS

PAGE = (Path(__file__).parents[3] / "docs" / "prompt-formats.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ")
]
HEAD = next(row for row in ROWS if row[0] == "what")
CELLS = {
    (row[0], name): cell
    for row in ROWS
    if len(row) == len(HEAD) and row[0] != "what"
    for name, cell in zip(HEAD[1:], row[1:], strict=True)
}

EXAMPLES = {
    "messages and their roles": "examples",
    "place of the caller's messages": "history",
    "model, config": "config",
    "variables": "plain",
    "conditions and loops": "loop",
    "images": "image",
    "partials": "partials",
    "input schema": "schema",
    "output schema": "output",
    "tools": "tools",
    "untrusted inputs, repair, owners, suite": "support/triage",
    "text that looks like a template": "literal",
}


def test_the_page_names_every_format_and_every_row_has_an_example():
    assert set(HEAD[1:]) == set(FORMATS)
    assert {row[0].strip("`") for row in ROWS if row[0].startswith("`")} == set(FORMATS)
    assert {what for what, _ in CELLS} == set(EXAMPLES)


@pytest.mark.parametrize(("what", "name"), CELLS)
def test_each_cell_is_true(what: str, name: str):
    prompt = prompt_of(EXAMPLES[what], CASES[EXAMPLES[what]])
    cell = CELLS[what, name]
    exported = FORMATS[name].export(prompt)
    if cell == "remark":
        assert exported.remarks
        return
    back, text = round_trip(name, prompt)
    for variables in CASES[prompt.id].variables:
        assert back.render(variables) == prompt.render(variables)
    assert (back.behaviour.config, back.about) == (prompt.behaviour.config, prompt.about)
    if cell == "kept":
        assert "trimtab" in text
    elif cell == "put in place":
        assert not exported.files
        assert not back.behaviour.partials
    elif cell == "named":
        assert "_tools/lookup_order.json" in exported.files
        assert "Find an order" not in text
    else:
        assert back.behaviour.partials == prompt.behaviour.partials
        assert back.behaviour.tools == prompt.behaviour.tools
        assert (back.behaviour.input, back.behaviour.output) == (
            prompt.behaviour.input,
            prompt.behaviour.output,
        )


def test_yes_or_kept_is_both():
    deep = prompt_of("deep-schema", CASES["deep-schema"])
    flat = prompt_of("schema", CASES["schema"])
    assert '"minLength"' not in FORMATS["prompty"].export(flat).text
    assert "minLength" in FORMATS["prompty"].export(deep).text
    assert round_trip("prompty", deep)[0].behaviour.input == deep.behaviour.input


def test_the_examples_of_names_are_those_that_are_made():
    text = '{"name": "x", "prompt": "{{first name}}", "config": {"model": "m"}}'
    (one,) = FORMATS["langfuse"].import_(text).prompts
    assert "{{ first_name }}" in one.text
    assert re.search(r"`\{\{ first_name \}\}`", PAGE)
    optional = "---\nmodel: m\ninput: {schema: {name?: string}}\n---\n{{#if name}}{{name}}{{/if}}"
    (two,) = FORMATS["dotprompt"].import_(optional, Origin()).prompts
    for shown in ('{{ name | default("") }}', "{% if name is defined and name %}"):
        assert shown in two.text
        assert f"`{shown}`" in PAGE
    assert parsed(two).render({}).messages == []
