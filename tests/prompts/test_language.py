"""What is in the language works in the engine; what is not never gets there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minijinja import Environment

from trimtab.errors import PromptTooLarge, PromptVariables
from trimtab.prompts.language import (
    FILTERS,
    TAGS,
    TESTS,
    TemplateProblem,
    check_template,
    tags_of,
)
from trimtab.prompts.template import Templates

MAIN = "body/0/0"
VALUES = {
    "text": "some text",
    "number": 3,
    "items": [{"name": "a", "n": 2}, {"name": "b", "n": 1}],
    "words": ["b", "a", "b"],
    "map": {"key": "value", "n": 1},
    "long": "x" * 100_000,
    "many": list(range(1_000)),
    "nothing": None,
}
ARGUMENTS = {
    "divisibleby": "(2)", "endingwith": '("t")', "startingwith": '("s")', "eq": "(1)",
    "equalto": "(1)", "ge": "(1)", "gt": "(1)", "le": "(1)", "lt": "(1)", "ne": "(1)",
    "in": "([1, 2])", "map": '(attribute="name")', "selectattr": '("n")', "rejectattr": '("n")',
    "replace": '("s", "t")', "split": '(" ")', "indent": "(2)", "tojson": "(2)",
    "default": '("x")', "d": '("x")', "select": "()",
}  # fmt: skip
ON_NUMBERS = {"abs", "bool", "float", "int", "round", "divisibleby", "even", "odd"}
ON_LISTS = {
    "count", "first", "join", "last", "length", "list", "map", "max", "min", "reject", "reverse",
    "select", "sort", "unique", "rejectattr", "selectattr",
}  # fmt: skip


def rendered(source: str) -> str:
    return Templates({MAIN: source}).render(MAIN, VALUES)


def subject(name: str) -> str:
    if name in ON_NUMBERS:
        return "number"
    if name in {"map", "selectattr", "rejectattr"}:
        return "items"
    if name == "items":
        return "map"
    return "words" if name in ON_LISTS else "text"


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_every_filter_is_one_of_the_engine(name: str) -> None:
    assert rendered(f"{{{{ ({subject(name)} | {name}{ARGUMENTS.get(name, '')}) | string }}}}")


@pytest.mark.parametrize("name", sorted(TESTS))
def test_every_test_is_one_of_the_engine(name: str) -> None:
    source = f"{{{{ {subject(name)} is {name}{ARGUMENTS.get(name, '')} }}}}"
    assert rendered(source) in {"true", "false"}


def test_every_tag_is_one_of_the_engine() -> None:
    source = (
        "{% if number > 2 %}{% set a = 1 %}{% elif number %}{% else %}{% endif %}"
        '{% for word in words if word != "a" %}{{ word }}{% else %}-{% endfor %}'
        "{% set b %}x{% endset %}{% raw %}{{ y }}{% endraw %}{# z #}"
        '{% include "_partials/p.md" %}'
    )
    made = Templates({MAIN: source, "_partials/p.md": "{{ a }}{{ b }}"})
    assert made.render(MAIN, VALUES) == "bb{{ y }}1x"
    assert set(re.findall(r"{%\s*(\w+)", source)) == TAGS - {"elif", "else"} | {"elif", "else"}


REFUSED = """{{ a + a }}
{{ a * 3 }}
{{ a ** 3 }}
{{ [a, a] }}
{{ {"x": a} }}
{{ (a, a) }}
{{ a.__class__ }}
{{ a["b"].__init__ }}
{{ __self__ }}
{{ a.upper() }}
{{ a.b() }}
{{ dict(a=1) }}
{{ namespace() }}
{{ lipsum() }}
{{ debug() }}
{{ range(3)() }}{{ self() }}
{{ a | attr("x") }}
{{ a | safe }}
{{ a | batch(2) }}
{{ a | pprint }}
{{ a | groupby("x") }}
{{ a | sum }}
{{ a | zip(a) }}
{{ a | tojson(1000000) }}
{{ a | tojson(indent=1000000) }}
{{ a | tojson(n) }}
{{ a | map("tojson", 1000000) }}
{{ a | map("to" ~ "json", 1000000) }}
{{ a | map(name, 1000000) }}
{{ a | map("attr", "x") }}
{{ a is safe }}
{{ a is not filter }}
{% macro m() %}{% endmacro %}
{% import "x" as y %}
{% from "x" import y %}
{% extends "x" %}
{% block x %}{% endblock %}
{% call m() %}{% endcall %}
{% filter upper %}x{% endfilter %}
{% do a %}
{% autoescape false %}{% endautoescape %}
{% with a = 1 %}{% endwith %}
{% include name %}
{% include "/etc/passwd" %}
{% include "../secret" %}
{% include "_partials/../../secret" %}
{% include "_partials/.hidden" %}
{% include "_partials\\x2f..\\x2fx" %}
{% include ["_partials/a", "_partials/b"] %}
{% include "_partials/a" ignore missing %}
{% include "support/other.prompt.md" %}
{% for x in y recursive %}{% endfor %}
{% set ns.x = 1 %}
{% set _x = 1 %}
{% for _x in a %}{% endfor %}
{% set x %}
{{ a
{% if a
{# a
{% raw %}
{% raw %} endraw {% endraw %}
{% %}
{{ a ; b }}
{{ a \\ b }}
{{ a & b }}
{{ [1, 2 }}
{{ "a }}
""".splitlines()


@pytest.mark.parametrize("source", [line for line in REFUSED if line != "{% set x %}"])
def test_what_is_refused_is_refused_before_the_engine(source: str) -> None:
    with pytest.raises(TemplateProblem) as caught:
        check_template("\n\n" + source)
    assert caught.value.line == 3
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("before", "again", "after"),
    [
        ("{{ ", "not ", "x }}"),
        ("{{ ", "-", "1 }}"),
        ("{{ x", "|d", " }}"),
        ("{{ x", ".a", " }}"),
        ("{{ x", "[0]", " }}"),
        ("{{ x", "~x", " }}"),
        ("{{ x", " or x", " }}"),
        ("{{ 1", "+1", " }}"),
        ("{{ 1", " if 1", " }}"),
        ("{{ ", "(", "x }}"),
        ("{{ ", "1 if 1 else ", "x }}"),
        ("{{ x", "|d(x", " }}"),
        ("{% if x %}", "{% elif x %}", "{% endif %}"),
    ],
)
def test_chains_for_which_the_engine_would_end_the_process(
    before: str, again: str, after: str
) -> None:
    with pytest.raises(TemplateProblem, match=r"too (?:long|many)"):
        check_template(before + again * 70_000 + after)


def test_a_chain_of_a_length_that_people_write_is_fine() -> None:
    assert rendered("{{ number" + " + 1" * 200 + " }}") == "203"
    assert rendered("{% if text == 1 %}" + "{% elif text == 1 %}" * 150 + "{% endif %}") == ""
    assert rendered("{{ " + "(" * 30 + "number" + ")" * 30 + " }}") == "3"


@pytest.mark.timeout(60)  # counting the lines anew for each would take ten minutes
def test_many_tags_are_read_in_one_pass() -> None:
    assert check_template("\n{{ a }}" * 100_000) == []


def test_text_that_only_looks_like_a_tag_is_text() -> None:
    assert rendered("{ { % } } a}} %} #}") == "{ { % } } a}} %} #}"
    assert rendered('{{ "}}" ~ "{% x %}" }}') == "}}{% x %}"
    assert check_template('{{ {"a": {"b": [1]}}}}') == []


# ---------------------------------------------------------------- expressions of the grammar

NAMES = ("text", "number", "items", "words", "map", "long", "many", "nothing", "missing")
LEAVES = st.sampled_from(
    [*NAMES, "1", "2.5", '"a"', "'b'", "true", "none", "[1, [2]]", '{"a": 1}', "range(100000)"]
)
FILTERED = [
    *sorted(f"{name}{ARGUMENTS.get(name, '')}" for name in FILTERS),
    "tojson", "map('upper')", "map('string')", "map('list')", "join(text)", "join(long)",
    "replace('x', long)", "indent(1000000)", "default(many)", "split('x')", "round(9)",
]  # fmt: skip
TESTED = sorted(f"{name}{ARGUMENTS.get(name, '')}" for name in TESTS)


def composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} | {})".format, inner, st.sampled_from(FILTERED)),
        st.builds("({} is {})".format, inner, st.sampled_from(TESTED)),
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["~", "-", "/", "//", "%", "==", "<", "in", "not in", "and", "or"]),
            inner,
        ),
        st.builds("({} + 1)".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({}){}".format, inner, st.sampled_from([".name", "[0]", "[1:]", '["n"]', ".0"])),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
    )


EXPRESSIONS = st.recursive(LEAVES, composed, max_leaves=12)
STATEMENTS = st.recursive(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% endif %}}".format, EXPRESSIONS, inner),
        st.builds("{{% for item in {} %}}{}{{% endfor %}}".format, EXPRESSIONS, inner),
        st.builds("{{% set text = {} %}}{}".format, EXPRESSIONS, inner),
        st.builds("{{% set many %}}{}{{% endset %}}{}".format, inner, inner),
    ),
    max_leaves=8,
)


@pytest.mark.timeout(120)  # for all examples together: none may run away
@given(STATEMENTS)
def test_everything_in_the_language_compiles_and_is_bounded(source: str) -> None:
    made = Templates({MAIN: source})
    try:
        text = made.render(MAIN, VALUES)
    except (PromptVariables, PromptTooLarge):
        text = ""
    assert len(text) <= 20_000_000


# ---------------------------------------------------------------- two readers of one text

SCRAPS = st.lists(
    st.sampled_from(
        [
            "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", " ", "\n", '"', "'", "\\", "raw",
            "endraw",
            "a", "b", ".", "|", "upper", "(", ")", "[", "]", "{", "}", "1", ",", ":", "if", "endif",
            "for", "in", "endfor", "set", "=", "{% raw %}", "{% endraw %}", "{%- raw -%}", "~",
            "not", "is", "defined",
        ]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(SCRAPS)
def test_the_engine_sees_no_name_that_the_check_did_not_see(source: str) -> None:
    try:
        check_template(source)
        Templates({MAIN: source})
    except TemplateProblem:
        return
    engine = Environment()
    engine.add_template(MAIN, source)
    seen = {token.text for tag in tags_of(source) for token in tag.tokens}
    assert engine.undeclared_variables_in_template(MAIN) <= seen
