"""Prompt files of what was hidden: they render to the same text; nothing in it is a template."""

import ast

import minijinja
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trimtab.prompts.hidden.adopt import prompt_file, replacement
from trimtab.prompts.hidden.found import HiddenPrompt, Kind, Part, Placeholder
from trimtab.prompts.hidden.naming import name_variables
from trimtab.prompts.yaml_text import load_all


def hidden(
    *parts: Part,
    kind: Kind = "python",
    file: str = "app/triage.py",
    lines: tuple[int, int] = (12, 14),
) -> HiddenPrompt:
    return HiddenPrompt(
        file=file,
        line=lines[0],
        end_line=lines[1],
        kind=kind,
        name="TRIAGE_PROMPT",
        parts=parts,
        role="system",
        confidence="sure",
        why="named TRIAGE_PROMPT",
        prompt_id="triage",
    )


def split(text: str):
    _, front, body = text.split("---\n", 2)
    (document,) = load_all(front, file="x")
    marker, _, rest = body.partition("\n")
    return document.value, marker, rest.removesuffix("\n")


def never(_name: str) -> bool:
    return False


def render(body: str, values: dict[str, str]) -> str:
    environment = minijinja.Environment(
        undefined_behavior="strict",
        keep_trailing_newline=True,
        auto_escape_callback=never,
    )
    return environment.render_str(body, **values)


def test_a_prompt_file():
    prompt = hidden(
        "Sort ", Placeholder("{ticket.subject}", "ticket.subject"), ' as JSON {"team": 1}.'
    )
    assert prompt_file(prompt, model="support-main") == (
        "---\n"
        'model: "support-main"\n'
        'description: "adopted from app/triage.py:12"\n'
        "input:\n"
        "  schema:\n"
        "    ticket_subject: string\n"
        "---\n"
        "<<system>>\n"
        'Sort {{ ticket_subject }} as JSON {"team": 1}.\n'
    )


PIECES = st.lists(
    st.one_of(
        st.text(alphabet="{}%#-+ \n<>\"'aé\\", max_size=12),
        st.sampled_from(
            ["{{", "{% raw %}", "{% endraw %}", "{%- endraw -%}", "{#", "\n<<user>>\n"]
        ),
        st.sampled_from(["<<", ">>", "<<image ", '<<"x">>', "{{ name }}", "\n"]),
        st.sampled_from(["name", "a.b", "f(x)", "", "é", "'text'", "loop", "a b", "a_b"]).map(
            lambda expression: Placeholder("{" + expression + "}", expression)
        ),
    ),
    max_size=8,
)


@given(PIECES)
@example(["{", Placeholder("{a}", "a"), "}"])
@example(["{{", Placeholder("{a}", "a"), "{"])
@example(["{", "{% endraw %}", "{"])
@example(["<<", Placeholder("{a}", "a"), ">>"])
def test_the_file_renders_to_the_same_text(parts: list[Part]):
    prompt = hidden(*parts)
    front, marker, body = split(prompt_file(prompt, model="m"))
    assert isinstance(front, dict)
    assert marker == "<<system>>"
    assert not [
        line
        for line in body.split("\n")
        if line.strip().startswith("<<") and line.strip().endswith(">>")
    ]
    names = name_variables(prompt.variables)
    values = {name: f"[{expression}]" for expression, name in names.items()}
    expected = "".join(part if isinstance(part, str) else f"[{part.expression}]" for part in parts)
    assert render(body, values) == expected


@given(st.lists(st.text(max_size=30)))
def test_names_of_variables_are_valid_and_unique(expressions: list[str]):
    names = name_variables(expressions)
    assert set(names) == set(expressions)
    assert len(set(names.values())) == len(names)
    assert all(
        name.isidentifier() and name.isascii() and name == name.lower() for name in names.values()
    )


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("ticket.subject", "ticket_subject"),
        ("user['firstName']", "user_first_name"),
        ("NAME", "name"),
        ("len(items)", "len_items"),
        ("loop", "loop_value"),
        ("1 + 2", "value"),
        ("', '.join(tags)", "join_tags"),
    ],
)
def test_expressions_get_readable_names(expression: str, name: str):
    assert name_variables([expression]) == {expression: name}


def test_what_to_change_in_python_is_python():
    prompt = hidden("Sort ", Placeholder("{t['a']}", "t['a']"), Placeholder("%s", "value_1"))
    words = replacement(prompt, "support/triage")
    assert words.startswith("app/triage.py:12: remove lines 12 to 14 (TRIAGE_PROMPT)")
    code = words.partition("\n\n")[2]
    ast.parse(code)
    assert "\"t_a\": t['a'],\n" in code
    assert 'model="prompt:support/triage"' in code
    assert "Sort" not in words


def test_what_to_change_elsewhere():
    prompt = hidden(
        "Geheim", Placeholder("${NAME}", "NAME"), kind="env", file=".env", lines=(12, 12)
    )
    words = replacement(prompt, "triage")
    assert words == (
        ".env:12: delete line 12 (TRIAGE_PROMPT). Where the application reads TRIAGE_PROMPT, let "
        'it send model "prompt:triage" instead, with name in its metadata.'
    )
    script = replacement(
        hidden(Placeholder("${t?.a ?? 1}", "t?.a ?? 1"), kind="typescript", lines=(12, 12)),
        "triage",
    )
    assert "    t_a: t?.a ?? 1,\n" in script
    assert "remove line 12" in script
    assert "service" in replacement(hidden("x", kind="compose"), "triage")
    assert "manifest" in replacement(hidden("x", kind="kubernetes"), "triage")


def test_the_text_is_not_in_the_repr():
    assert "Geheim" not in repr(hidden("Geheim"))
