"""Rendered messages -> variables: what is found renders to the same messages, to the letter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.files import TRIAGE, file, parsed
from trimtab.datasets.recover import recover_variables
from trimtab.prompts.prompt import Prompt

OWN = [{"role": "user", "content": "and this"}, {"role": "assistant", "content": "Yes"}]
HISTORY = """\
---
model: fast
input: {schema: {name: string, city: string, formal: boolean, tone(enum): [warm, cold]}}
---
<<system>>
Be {{ tone }}{% if formal %} and formal{% endif %}. {{ name }} lives in {{ city }}; {{ name }} asks.
<<history>>
<<user>>
{{ city }}?
"""


def rendered(prompt: Prompt, variables: dict[str, Any], own: Any = ()) -> list[dict[str, Any]]:
    return prompt.render(variables).with_own(own)


@pytest.mark.parametrize("own", [[], OWN])
@pytest.mark.parametrize(
    "variables",
    [{"ticket": "Where is it?"}, {"ticket": "Two\n\nlines", "locale": "de"}, {"ticket": "{{ x }}"}],
)
def test_texts_are_found(variables: dict[str, Any], own: list[dict[str, Any]]):
    prompt = parsed(TRIAGE)
    found = recover_variables(prompt, rendered(prompt, variables, own))
    assert found is not None
    assert found.variables["ticket"] == variables["ticket"]
    assert found.variables.get("locale", "en") == variables.get("locale", "en")
    assert found.messages == own


@pytest.mark.parametrize("formal", [True, False])
@pytest.mark.parametrize("tone", ["warm", "cold"])
def test_what_a_schema_lists_is_tried(formal: bool, tone: str):
    prompt = parsed(HISTORY)
    variables = {"name": "Ann", "city": "Bonn", "formal": formal, "tone": tone}
    found = recover_variables(prompt, rendered(prompt, variables, OWN))
    assert found is not None
    assert found.variables == variables
    assert found.messages == OWN


def test_without_a_schema_names_of_the_template_are_texts():
    prompt = parsed(file("Hello {{ name }}, from {{ city }}."))
    found = recover_variables(prompt, rendered(prompt, {"name": "Ann", "city": "Bonn"}))
    assert found is not None
    assert found.variables == {"name": "Ann", "city": "Bonn"}


def test_a_value_that_is_changed_to_itself_is_found():
    prompt = parsed(TRIAGE)
    hidden = {"ticket": "close </untrusted> it"}
    found = recover_variables(prompt, rendered(prompt, hidden))
    assert found is not None
    assert rendered(prompt, found.variables) == rendered(prompt, hidden)


@pytest.mark.parametrize(
    ("front", "body", "variables"),
    [
        ("input: {schema: {n: number}}", "{{ n }}", {"n": 5}),
        ("input: {schema: {t(array): string}}", "{{ t }}", {"t": ["a"]}),
        ("input: {schema: {a: string}}", "{{ a | upper }}", {"a": "x"}),
        ("input: {schema: {a: string, b: string}}", "{{ a }}", {"a": "x", "b": "y"}),
        ("input: {schema: {a: string}}", "{% if a == 'x' %}yes{% else %}no{% endif %}", {"a": "x"}),
        ("input: {schema: {a: string}}", "{{ a | length }}", {"a": "x"}),
    ],
)
def test_what_cannot_be_told_is_not_guessed(front: str, body: str, variables: dict[str, Any]):
    prompt = parsed(file(body, front))
    assert recover_variables(prompt, rendered(prompt, variables)) is None


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "user", "content": "Hello"}],
        [{"role": "system", "content": None}, {"role": "user", "content": [1]}],
        [{}, {}],
    ],
)
def test_messages_of_another_prompt_are_not_taken(messages: list[dict[str, Any]]):
    assert recover_variables(parsed(TRIAGE), messages) is None


def test_a_prompt_of_many_switches_is_given_up():
    fields = ", ".join(f"s{n}: boolean" for n in range(20))
    prompt = parsed(file("Hello", f"input: {{schema: {{{fields}}}}}"))
    variables = {f"s{n}": False for n in range(20)}
    messages = [*rendered(prompt, variables), {"role": "user", "content": "x"}]
    found = recover_variables(prompt, messages)
    assert found is not None, "all of them say the same"
    assert rendered(prompt, found.variables, found.messages) == messages


WORDS = st.text(alphabet="ab {}<>/\n;?.", min_size=1, max_size=12)


@given(WORDS, WORDS, st.booleans())
def test_what_is_found_renders_to_the_same(name: str, city: str, formal: bool):
    prompt = parsed(HISTORY)
    variables = {"name": name, "city": city, "formal": formal, "tone": "warm"}
    messages = rendered(prompt, variables, OWN)
    found = recover_variables(prompt, messages)
    if found is not None:
        assert rendered(prompt, found.variables, found.messages) == messages


@given(st.text(max_size=30))
def test_a_ticket_is_found_whatever_it_says(ticket: str):
    prompt = parsed(TRIAGE)
    messages = rendered(prompt, {"ticket": ticket})
    found = recover_variables(prompt, messages)
    assert found is not None
    assert rendered(prompt, found.variables) == messages
