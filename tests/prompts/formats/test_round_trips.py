"""Our prompts in other tools' formats and back."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.formats.corpus import CASES, HAS, Case, prompt_of, round_trip
from trimtab.prompts.formats.table import FORMATS

PAIRS = [
    (name, prompt_id)
    for name in FORMATS
    for prompt_id, case in CASES.items()
    if case.uses <= HAS[name]
]


@pytest.mark.parametrize(("name", "prompt_id"), PAIRS)
def test_a_prompt_comes_back_as_it_was(name: str, prompt_id: str):
    case = CASES[prompt_id]
    prompt = prompt_of(prompt_id, case)
    back, text = round_trip(name, prompt)
    assert back.id == prompt.id
    for field in ("model", "config", "input", "defaults", "untrusted", "output", "repair", "tools"):
        assert getattr(back.behaviour, field) == getattr(prompt.behaviour, field), (field, text)
    assert back.about == prompt.about, text
    for variables in case.variables:
        assert back.render(variables) == prompt.render(variables), text


@pytest.mark.parametrize("name", FORMATS)
def test_there_are_enough_of_them(name: str):
    assert sum(pair[0] == name for pair in PAIRS) >= 12


WORDS = st.text(st.sampled_from(list("ab {}%#\\<>:-\n\"'.")), max_size=12)
PARTS = st.lists(st.one_of(WORDS, st.sampled_from(("first", "second"))), min_size=1, max_size=6)


def _body(parts: list[str], *, escaped: bool) -> str:
    shown = ""
    for part in parts:
        if part in {"first", "second"}:
            shown += f"{{{{ {part} }}}}"
        elif escaped:
            shown += "".join(f'{{{{ "{sign}" }}}}' if sign in "{<" else sign for sign in part)
        else:
            shown += part.replace("{", "(").replace("<", "(")
    return shown


def _case(parts: list[str], *, escaped: bool) -> Case:
    text = f"---\nmodel: m\n---\n<<system>>\nx\n<<user>>\n.{_body(parts, escaped=escaped)}.\n"
    return Case(text)


@pytest.mark.parametrize("name", ["dotprompt", "prompty", "promptfoo"])
@settings(max_examples=150, deadline=None)
@given(parts=PARTS)
def test_any_text_survives_where_signs_can_be_written_as_text(name: str, parts: list[str]):
    prompt = prompt_of("x", _case(parts, escaped=True))
    back, text = round_trip(name, prompt)
    said = {remark.problem for remark in FORMATS[name].export(prompt).remarks}
    if "Handlebars cannot have a { directly before a variable" in said:
        return
    variables = {"first": "1 {{ x }}", "second": "<<user>>"}
    assert back.render(variables) == prompt.render(variables), text


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=100, deadline=None)
@given(parts=PARTS)
def test_any_text_without_signs_survives_everywhere(name: str, parts: list[str]):
    prompt = prompt_of("x", _case(parts, escaped=False))
    back, text = round_trip(name, prompt)
    variables = {"first": "1", "second": "2"}
    assert back.render(variables) == prompt.render(variables), text


@pytest.mark.parametrize("name", ["langfuse", "openai"])
@settings(max_examples=100, deadline=None)
@given(parts=PARTS)
def test_where_signs_cannot_be_text_a_remark_says_so(name: str, parts: list[str]):
    prompt = prompt_of("x", _case(parts, escaped=True))
    back, text = round_trip(name, prompt)
    if FORMATS[name].export(prompt).remarks:
        return
    variables = {"first": "1", "second": "2"}
    assert back.render(variables) == prompt.render(variables), text


def test_what_a_format_has_not_stays_visible():
    prompt = prompt_of("if", CASES["if"])
    for name in ("langfuse", "openai"):
        exported = FORMATS[name].export(prompt)
        assert "{% if vip %}" in exported.text
        assert any("a condition" in remark.problem for remark in exported.remarks)
    odd = prompt_of(
        "x", Case("---\nmodel: m\n---\n{% if a > 1 %}\nX\n{% endif %}\n{{ a | upper }}\n")
    )
    exported = FORMATS["dotprompt"].export(odd)
    assert "{% if a > 1 %}" in exported.text
    assert "\\{{ a | upper }}" in exported.text
    assert len(exported.remarks) == 2
    for remark in exported.remarks:
        assert remark.remedy
