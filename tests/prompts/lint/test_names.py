"""Names, and where untrusted text may go."""

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.files import file, parsed
from prompts.lint.projects import lints, told
from trimtab.errors import PromptTooLarge, PromptVariables

INPUT = """\
input:
  schema:
    ticket: string
    rows(array): {id: string, tags(array): string}
    user?: {name: string}
    lang?: string
    extra?: any
  untrusted: [ticket, rows]"""

Told = Callable[..., list[str]]


@pytest.fixture
def names(tmp_path: Path) -> Told:
    """What is said about the names of a body."""

    def tell(body: str, **partials: str) -> list[str]:
        found = told(tmp_path, file(body, INPUT), "undeclared-name", **partials)
        return [re.sub(r"^.*?: ", "", line) for line in found]

    return tell


@pytest.fixture
def fenced(tmp_path: Path) -> Told:
    """Lines of a body on which untrusted text is printed as it is."""

    def tell(body: str, **partials: str) -> list[str]:
        found = told(tmp_path, file(body, INPUT), "unfenced", **partials)
        return [re.sub(r"^(.*?):.*?`(.*)` is printed.*", r"\1 \2", line) for line in found]

    return tell


@pytest.mark.parametrize(
    "body",
    [
        "{{ lang }}{{ user.name }}{{ user['name'] }}{{ rows[0].id }}{{ rows.0.tags[0] }}",
        "{% for row in rows %}{{ loop.index }}{{ row.id }}{% endfor %}",
        "{% for k, v in user | items %}{{ k }}{{ v }}{% endfor %}",
        "{% set a = 1 %}{{ a }}{% set b %}x{% endset %}{{ b }}",
        "{% if lang %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}",
        "{{ range(3) | join }}{{ true }}{{ None is none }}",
        "{{ extra.anything.at[0].all }}",
        "{{ (rows | first).id }}{{ (rows | sort(attribute='id') | last).tags }}",
        "{{ 'nope' }}{{ {'nope': 1} }}{% raw %}{{ nope }}{% endraw %}{# {{ nope }} #}",
        "{{ lang | default(lang) if lang is defined else lang }}",
        '{% set a = 1 %}{% include "_partials/p.md" %}{{ b }}',
        '{% for a in rows %}{% include "_partials/p.md" %}{% endfor %}',
    ],
)
def test_names_that_are_declared(names: Told, body: str) -> None:
    assert names(body, p="{{ a }}{% set b = 1 %}") == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{{ lnag }}", ["`lnag` is not declared"]),
        ("{% if lnag %}{% endif %}", ["`lnag` is not declared"]),
        ("{{ 1 if lnag is defined }}", ["`lnag` is not declared"]),
        ("{{ lang | default(lnag) }}", ["`lnag` is not declared"]),
        ("{{ lang | replace('a', lnag) }}", ["`lnag` is not declared"]),
        ("{{ rows[n] }}", ["`n` is not declared"]),
        ("{% for a in rows if b %}{% endfor %}", ["`b` is not declared"]),
        ("{% for a in rows %}{% else %}{{ a }}{% endfor %}", ["`a` is not declared"]),
        ("{% for a in rows %}{% endfor %}{{ a }}{{ loop }}", ["`a`", "`loop`"]),
        ("{{ a }}{% set a = 1 %}", ["`a` is not declared"]),
        ("{% for x in rows %}{% set a = 1 %}{% endfor %}{{ a }}", ["`a`"]),
        ("{{ user.nmae }}", ["no field `nmae`"]),
        ("{{ user['nmae'] }}", ["no field `nmae`"]),
        ("{% for row in rows %}{{ row.idd }}{% endfor %}", ["no field `idd`"]),
        ("{{ (rows | first).idd }}", ["no field `idd`"]),
        ("{% set u = user %}{{ u.nmae }}", ["no field `nmae`"]),
        ("{{ lang.code }}", ["no field `code`"]),
        ('{% include "_partials/p.md" %}', ["`inside` is not declared"]),
        ("<<user>>\n{% set a = 1 %}\n<<assistant>>\n{{ a }}", ["`a` is not declared"]),
        ("<<user>>\nx\n<<image photo.url>>", ["`photo` is not declared"]),
    ],
)
def test_names_that_are_not(names: Told, body: str, words: list[str]) -> None:
    found = names(body, p="{{ inside }}")
    assert len(found) == len(words)
    for line, word in zip(sorted(found), words, strict=True):
        assert word in line


def test_without_a_schema_no_name_is_declared(tmp_path: Path) -> None:
    assert told(tmp_path, file("a\n{{ x }}\n{{ x }}"), "undeclared-name") == [
        "p.prompt.md:5: `x` is not declared",
        "p.prompt.md:6: `x` is not declared",
    ]


def test_a_schema_that_allows_more(tmp_path: Path) -> None:
    text = file("{{ x }}{{ a }}", "input: {schema: {a: string, (*): string}}")
    assert told(tmp_path, text, "undeclared-name") == []


def test_schemas_that_refer_to_each_other(tmp_path: Path) -> None:
    schema = """\
input:
  schema:
    type: object
    $defs: {user: {type: object, properties: {name: {type: string}, boss: {$ref: "#/$defs/user"}}}}
    properties: {user: {$ref: "#/$defs/user"}, either: {anyOf: [{type: string}]}}"""
    text = file("{{ user.boss.boss.name }}{{ user.boss.nmae }}{{ either.x }}", schema)
    assert told(tmp_path, text, "undeclared-name") == [
        "p.prompt.md:9: the schema has no field `nmae` here"
    ]


def test_variables_that_are_not_used(tmp_path: Path) -> None:
    schema = "input:\n  schema:\n    a: string\n    b?: string\n    c(array): string"
    body = '{% include "_partials/p.md" %}'
    assert told(tmp_path, file(body, schema), "unused-input", p="{{ a }}") == [
        "p.prompt.md:6: no template uses `b`",
        "p.prompt.md:7: no template uses `c`",
    ]
    full = "input:\n  schema:\n    type: object\n    properties:\n      a: {type: string}"
    assert told(tmp_path, file("x", full), "unused-input") == [
        "p.prompt.md:7: no template uses `a`"
    ]
    used = file("<<user>>\n<<image a.url>>\n{{ 1 if b is defined }}{{ c }}", schema)
    assert told(tmp_path, used, "unused-input") == []


def test_defaults_that_do_not_fit(tmp_path: Path) -> None:
    schema = "input:\n  schema: {a?: integer, b?: {c: string}}\n  default:\n    a: x\n    b: {c: 1}"
    assert told(tmp_path, file("{{ a }}{{ b }}", schema), "wrong-default") == [
        "p.prompt.md:6: the default of `a` must be integer, and is string",
        "p.prompt.md:7: the default of `b.c` must be string, and is integer",
    ]


# ------------------------------------------------------------------ fences


@pytest.mark.parametrize(
    "body",
    [
        "{{ ticket | fence }}{{ ticket | trim | upper | fence }}{{ (ticket) | fence }}",
        "{{ ticket | fence | trim }}{{ ticket | fence | indent(2) }}",
        "{{ lang ~ ticket | fence }}{{ (ticket | fence) ~ lang }}{{ (ticket ~ lang) | fence }}",
        "{{ ticket | length }}{{ ticket | int }}{{ ticket == 'x' }}{{ not ticket }}",
        "{{ ticket | length + 1 }}{{ 1 - ticket | int }}{{ ticket | length / 2 }}{{ -ticket }}",
        "{{ 'x' in ticket }}{{ ticket is startingwith 'a' }}{{ ticket is not defined }}",
        "{{ 'a' if ticket else 'b' }}{% if ticket %}a{% elif ticket %}b{% endif %}",
        "{{ lang if lang else ticket | fence }}{{ lang or ticket | fence }}",
        "{% for row in rows %}{{ row.id | fence }}{{ loop.index }}{% endfor %}",
        "{{ rows | map(attribute='id') | join(', ') | fence }}",
        "{{ rows | map('fence') | join(', ') }}{{ rows | map('length') | join }}",
        "{% set t = ticket | fence %}{{ t }}{% set t = ticket %}{{ t | fence }}",
        "{% set t %}a {{ ticket }}{% endset %}{{ t | fence }}",
        "{% set t | fence %}a {{ ticket }}{% endset %}{{ t }}",
        "{% for t in rows %}{% set t = 1 %}{{ t }}{% endfor %}",
    ],
)
def test_what_stands_in_a_fence(fenced: Told, body: str) -> None:
    assert fenced(body) == []


@pytest.mark.parametrize(
    "body",
    [
        "{{ ticket }}",
        "{{ (ticket) }}",
        "{{ ticket ~ '' }}",
        "{{ ticket ~ lang | fence }}",
        "{{ ticket | upper }}",
        "{{ ticket | fence | upper }}",
        "{{ ticket | fence | replace('<', '') }}",
        "{{ ticket | fence | trim('<>/') }}",
        "{{ (ticket | fence)[3:] }}",
        "{{ ticket | fence | list }}",
        "{{ ticket | fence | join('-') }}",
        "{{ ticket | fence | lines | first }}",
        "{{ ticket[0] }}",
        "{{ ticket[:5] }}",
        "{{ ticket | default('x') }}",
        "{{ lang | default(ticket) }}",
        "{{ lang | replace('a', ticket) }}",
        "{{ ['a'] | join(ticket) }}",
        "{{ lang if lang else ticket }}",
        "{{ ticket if lang }}",
        "{{ lang or ticket }}",
        "{{ ticket and lang }}",
        "{{ ticket | tojson }}",
        "{{ ticket | lines | first }}",
        "{{ ticket | fence if lang else ticket }}",
        "{% set t = ticket %}{{ t }}",
        "{% set t = ticket | upper %}{% set u = t ~ 'x' %}{{ u | trim }}",
        "{% set t %}a {{ ticket }}{% endset %}{{ t }}",
        "{% set t | upper %}a {{ ticket }}{% endset %}{{ t }}",
        "{% set t = ticket %}{% if lang %}{% set t = 'safe' %}{% endif %}{{ t }}",
        "{% if lang %}{% set lang = ticket %}{% endif %}{{ lang }}",
        "{% set lang = ticket %}{{ lang }}",
        "{% for c in ticket %}{{ c }}{% endfor %}",
        "{% for a in ['x', 'y'] if ticket %}{{ ticket }}{% endfor %}",
        "{% set t = ticket %}{% include '_partials/p.md' %}",
    ],
)
def test_what_does_not(fenced: Told, body: str) -> None:
    assert [line.split()[-1] for line in fenced(body, p="{{ t }}")] == ["ticket"]


@pytest.mark.parametrize(
    "body",
    [
        "{{ rows }}",
        "{{ rows[0].id }}",
        "{{ rows | tojson }}",
        "{{ rows | map(attribute='id') | join }}",
        "{% for row in rows %}{{ row.id }}{% endfor %}",
        "{% for row in rows %}{% for tag in row.tags %}{{ tag }}{% endfor %}{% endfor %}",
        "{% for row in rows %}{{ loop.nextitem }}{% endfor %}",
        "{% for row in rows %}{{ loop.previtem.id }}{% endfor %}",
        "{% for row in rows | reverse %}{% set a = row %}{{ a['id'] }}{% endfor %}",
        "{% for a, b in rows %}{{ b }}{% endfor %}",
    ],
)
def test_what_is_taken_of_untrusted_lists(fenced: Told, body: str) -> None:
    assert [line.split()[-1] for line in fenced(body)] == ["rows"]


def test_the_place_of_what_is_printed(tmp_path: Path) -> None:
    text = file('a\n{{ ticket\n}}\n{% include "_partials/p.md" %}', INPUT)
    found = told(tmp_path, text, "unfenced", p="\n\n{{ rows }}")
    assert [line.partition(": ")[0] for line in found] == ["_partials/p.md:3", "p.prompt.md:13"]


# ------------------------------------------------------------------ what lint lets pass is fenced

MARK = "\u0416"  # a letter that stands nowhere else
VALUES = {
    "ticket": MARK * 9,
    "rows": [{"id": MARK, "tags": [MARK * 2]}] * 2,
    "lang": "en",
    "extra": 3,
}
FILTERS = (
    "fence", "upper", "trim", "trim('<>')", "length", "list", "first", "last", "join", "join(lang)",
    "join(ticket)", "default(ticket)", "default('x')", "replace('u', ticket)", "indent(2)",
    "reverse",
    "string", "tojson", "lines", "split('n')", "map('fence')", "map('upper')",
    "map(attribute='id')",
    "sort", "unique", "int(0)", "items", "max", "select", "title", "bool", "count",
)  # fmt: skip
LEAVES = st.sampled_from(["ticket", "rows", "lang", "extra", "'a'", "1", "x", "y", "loop.nextitem"])


def composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{} | {}".format, inner, st.sampled_from(FILTERS)),
        st.builds("({} | {})".format, inner, st.sampled_from(FILTERS)),
        st.builds(
            "({} {} {})".format, inner, st.sampled_from(["~", "==", "in", "and", "or"]), inner
        ),
        st.builds("{} ~ {}".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("({}){}".format, inner, st.sampled_from([".id", "[0]", "[1:]", "['tags']"])),
        st.builds("(not {})".format, inner),
        st.builds("({} is defined)".format, inner),
        st.builds("({} is eq {})".format, inner, LEAVES),
        st.builds("({} is eq {} ~ {})".format, inner, LEAVES, LEAVES),
    )


EXPRESSIONS = st.recursive(LEAVES, composed, max_leaves=5)
NAMES = st.sampled_from(["x", "y", "lang"])
STATEMENTS = st.recursive(
    st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner),
        st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, NAMES, EXPRESSIONS, inner),
        st.builds("{{% set {} = {} %}}{}".format, NAMES, EXPRESSIONS, inner),
        st.builds(
            "{{% if lang %}}{{% set {} = {} %}}{{% endif %}}{}".format, NAMES, EXPRESSIONS, inner
        ),
        st.builds("{{% set {} %}}{}{{% endset %}}{}".format, NAMES, inner, inner),
    ),
    max_leaves=5,
)


@given(STATEMENTS)
def test_what_lint_lets_pass_prints_untrusted_text_in_fences_only(body: str) -> None:
    text = file("{% set x = 1 %}{% set y = 2 %}" + body, INPUT)
    with TemporaryDirectory() as folder:
        if lints(Path(folder), {"p.prompt.md": text}, "unfenced"):
            return
    try:
        messages = parsed(text).render(VALUES).messages
    except (PromptVariables, PromptTooLarge):
        return
    shown = "".join(str(message["content"]) for message in messages)
    outside = re.sub(r"<untrusted>(?:\n|\\n).*?(?:\n|\\n)</untrusted>", "", shown, flags=re.DOTALL)
    assert MARK not in outside.upper()
