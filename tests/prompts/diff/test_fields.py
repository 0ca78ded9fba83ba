"""What changes of fields are, and what they mean for callers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.diff.versions_of import changes, prompt, told
from trimtab.prompts.diff.change import code, is_same, value_changes, visible
from trimtab.prompts.diff.fields import field_changes
from trimtab.prompts.version import content_hash


def of_input(fields: str, more: str = "") -> str:
    return f"input: {{schema: {{{fields}}}{more}}}"


def of_output(fields: str) -> str:
    return f"output: {{schema: {{{fields}}}}}"


def of_schema(side: str, schema: str) -> str:
    return f"{side}: {{schema: {{type: object, properties: {{v: {schema}}}}}}}"


@pytest.mark.parametrize(
    ("old", "new", "meaning", "breaks"),
    [
        ("a: string", "a: string, b: string", "variable `b` is now required", True),
        ("a: string", "a: string, b?: string", "variable `b` may be sent now", False),
        (
            "a: string, b: string",
            "a: string",
            "a call that sends variable `b` is refused now",
            True,
        ),
        ("b?: string", "b: string", "variable `b` is now required", True),
        ("b: string", "b?: string", "variable `b` may be left out now", False),
        (
            "b: string",
            "b: number",
            "variable `b` may be `number` now and may no longer be `string`",
            True,
        ),
        (
            "b: integer",
            "b: number",
            "variable `b` may be `number` now and may no longer be `integer`",
            False,
        ),
        ("b(enum): [x, y]", "b(enum): [x]", "variable `b` may no longer be `y`", True),
        ("b(enum): [x]", "b(enum): [x, 1]", "variable `b` may be `1` now", False),
        ("b: string", "b: 'string, words'", "changes nothing for callers", False),
        ("b: any", "b: string", "variable `b` must be `string` now", True),
        ("b: string", "b: any", "variable `b` may be anything now", False),
        (
            "b: string",
            "b: string, (*): any",
            "variables that are not declared are accepted now",
            False,
        ),
        (
            "b: string, (*): any",
            "b: string",
            "variables that are not declared are refused now",
            True,
        ),
        ("a: {b?: string}", "a: {b: string}", "variable `a.b` is now required", True),
        (
            "a(array): {b?: string}",
            "a(array): {b: string}",
            "variable `a[].b` is now required",
            True,
        ),
    ],
)
def test_a_change_of_the_input_says_what_callers_have_to_do(
    old: str, new: str, meaning: str, breaks: bool
):
    found = told(of_input(old), of_input(new))
    assert [(words, breaking) for _, _, words, breaking in found] == [(meaning, breaks)]


@pytest.mark.parametrize(
    ("old", "new", "meaning", "breaks"),
    [
        ("a: string", "a: string, b: string", "answers carry `b` now", False),
        ("a: string", "a: string, b?: string", "answers may carry `b` now", False),
        ("a: string, b: string", "a: string", "answers no longer carry `b`", True),
        ("b?: string", "b: string", "every answer carries `b` now", False),
        ("b: string", "b?: string", "answers may come without `b` now", True),
        ("b(enum): [x]", "b(enum): [x, y]", "`b` of an answer may be `y` now", True),
        ("b(enum): [x, y]", "b(enum): [x]", "`b` of an answer may no longer be `y`", False),
        (
            "b: number",
            "b: integer",
            "`b` of an answer may be `integer` now and may no longer be `number`",
            False,
        ),
        ("b: string", "b: 'string, words'", "", False),
        ("b: string", "b: string, (*): any", "answers: may carry more fields now", True),
    ],
)
def test_a_change_of_the_output_says_what_readers_have_to_do(
    old: str, new: str, meaning: str, breaks: bool
):
    found = told(of_output(old), of_output(new))
    assert [(words, breaking) for _, _, words, breaking in found] == [(meaning, breaks)]


@pytest.mark.parametrize(
    ("old", "new", "stricter"),
    [
        ("{type: string}", "{type: string, maxLength: 5}", True),
        ("{type: string, maxLength: 5}", "{type: string, maxLength: 6}", False),
        ("{type: number, minimum: 5}", "{type: number, minimum: 6}", True),
        ("{type: number, minimum: 5}", "{type: number}", False),
        ("{type: string}", "{type: string, pattern: a}", True),
        ("{type: string, pattern: a}", "{type: string}", False),
    ],
)
def test_limits_break_callers_if_tighter_and_readers_if_wider(old: str, new: str, stricter: bool):
    for side, breaks in (("input", stricter), ("output", not stricter)):
        ((_, _, meaning, found),) = told(of_schema(side, old), of_schema(side, new))
        assert meaning
        assert found is breaks, side


def test_a_condition_that_became_another_may_break_either():
    for side in ("input", "output"):
        old, new = (of_schema(side, f"{{type: string, pattern: {letter}}}") for letter in "ab")
        assert told(old, new)[0][3] is True


def test_a_required_variable_with_a_default_breaks_nobody():
    ((path, kind, meaning, breaks), default) = told(
        of_input("a?: string"), of_input("a: string", ", default: {a: x}")
    )
    assert (path, kind, breaks) == ("input.schema.required", "added", False)
    assert meaning == "variable `a` is now required, and has a default"
    assert default == ("input.default.a", "added", "", False)


def test_a_default_that_is_gone_makes_its_variable_required():
    with_default = of_input("a: string, b?: string", ", default: {a: x, b: y}")
    assert told(with_default, of_input("a: string, b?: string")) == [
        ("input.default.a", "removed", "variable `a` is now required: its default is gone", True),
        ("input.default.b", "removed", "", False),
    ]
    assert told(of_input("a: string"), of_input("a: string", ", default: {a: x}")) == [
        ("input.default.a", "added", "variable `a` may be left out now", False)
    ]


def test_a_schema_that_comes_or_goes():
    declared = of_input("a: string")
    assert told("", declared) == [("input.schema", "added", "variables are checked now", True)]
    assert told(declared, "") == [
        ("input.schema", "removed", "variables are no longer checked", False)
    ]
    answer = of_output("a: string")
    assert told("", answer)[0][2:] == ("answers are JSON now", True)
    assert told(answer, "")[0][2:] == ("answers are free text now", True)


def test_definitions_of_a_schema_are_walked():
    old = """input:
  schema: {type: object, properties: {a: {$ref: '#/$defs/k'}}, $defs: {k: {enum: [x, y]}}}"""
    assert told(old, old.replace("[x, y]", "[x]")) == [
        ("input.schema.$defs.k.enum", "changed", "variable `k` may no longer be `y`", True)
    ]
    more = old.replace("y]}}", "y]}, l: {enum: [z]}}")
    assert told(old, more) == [("input.schema.$defs.l", "added", "", False)]


def test_a_schema_of_a_field_may_be_true_or_false():
    assert told(of_schema("input", "true"), of_schema("input", "false")) == [
        (
            "input.schema.properties.v",
            "changed",
            "this field is checked in another way",
            True,
        )
    ]
    assert told(of_schema("input", "true"), of_schema("input", "true")) == []


def test_a_default_that_is_another_and_one_within_another():
    old = of_input("a: {b: string}, c: string", ", default: {a: {b: x}, c: y}")
    new = old.replace("b: x", "b: z").replace("c: y", "c: z")
    assert told(old, new) == [
        ("input.default.a.b", "changed", "who leaves it out gets another text", False),
        ("input.default.c", "changed", "who leaves it out gets another text", False),
    ]


def test_all_other_fields():
    old = """config: {temperature: 0.2, stop: [a], extra: {a.b: 1}}
input: {schema: {ticket: string}, untrusted: [ticket]}
tools: [look]
owners: ["@ada", "@zoe"]
description: Sorts
"""
    new = """config: {temperature: 0.7, extra: {a.b: true}, seed: 1}
input: {schema: {ticket: string}}
output: {repair: true}
tools: [find]
owners: ["@zoe", "@bob"]
suite: cases.jsonl
"""
    found = field_changes(prompt(old, "{{ ticket }}"), prompt(new, "{{ ticket }}", model="n"))
    assert [(change.path, change.kind, change.old, change.new) for change in found] == [
        ("model", "changed", "m", "n"),
        ("config.temperature", "changed", 0.2, 0.7),
        ("config.stop", "removed", ["a"], None),
        ('config.extra["a.b"]', "changed", 1, True),
        ("config.seed", "added", None, 1),
        ("input.untrusted", "removed", "ticket", None),
        ("output.repair", "changed", False, True),
        ("tools.look", "removed", prompt(old, "{{ ticket }}").behaviour.tools["look"], None),
        ("tools.find", "added", None, prompt(new, "{{ ticket }}").behaviour.tools["find"]),
        ("owners", "removed", "@ada", None),
        ("owners", "added", None, "@bob"),
        ("suite", "added", None, "cases.jsonl"),
        ("description", "removed", "Sorts", None),
    ]
    assert [change.path for change in found if not change.is_behaviour] == [
        *["owners"] * 2,
        "suite",
        "description",
    ]
    assert not any(change.is_breaking for change in found)
    assert msgspec.json.decode(msgspec.json.encode(found))[0]["meaning"] == "another model answers"


def test_what_is_the_same_as_json_is_no_change():
    assert changes("config: {a: 1, b: {c: [1]}}", "config: {b: {c: [1.0]}, a: 1.0}") == []
    assert len(changes("config: {a: 1}", "config: {a: true}")) == 1
    assert len(changes("config: {a: null}", "config: {}")) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5, "", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=6,
)


@given(
    old=st.dictionaries(st.text(max_size=2), JSON), new=st.dictionaries(st.text(max_size=2), JSON)
)
def test_values_have_changes_exactly_where_the_version_is_another(
    old: dict[str, object], new: dict[str, object]
):
    behaviour = prompt().behaviour
    hashes = {
        content_hash(msgspec.structs.replace(behaviour, config=value)) for value in (old, new)
    }
    found = list(value_changes("config", old, new))
    assert is_same(old, new) == (len(hashes) == 1)
    assert bool(found) == (len(hashes) == 2)
    assert len({change.path for change in found}) == len(found)


@given(st.text(st.sampled_from("`a \n\r\u202e"), max_size=12))
def test_code_holds_any_text_in_one_line(text: str):
    shown = code(text)
    assert "\n" not in shown
    assert "\r" not in shown
    if text:
        ticks = shown[: len(shown) - len(shown.lstrip("`"))]
        assert shown.endswith(ticks)
        assert ticks not in shown[len(ticks) : -len(ticks)]


def test_characters_that_nobody_sees_are_shown():
    assert visible("a\u200bb\u202ec\x1bd\U000e0041\te\r\n") == (
        "a<U+200B>b<U+202E>c<U+001B>d<U+E0041>\te\n"
    )
