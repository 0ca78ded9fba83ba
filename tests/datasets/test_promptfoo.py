"""Tests of promptfoo as a suite: what carries over, and that the rest is said."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from datasets.suites import describe
from trimtab.datasets.case import Case
from trimtab.datasets.formats.border import ImportedSuite, Origin
from trimtab.datasets.formats.promptfoo import import_promptfoo
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import EvaluatorUse
from trimtab.datasets.toml_text import suite_text
from trimtab.datasets.write import write_new_suite
from trimtab.errors import ConfigError

FOREIGN = Path(__file__).parent / "foreign"


def beside(name: str) -> str | None:
    file = FOREIGN / name
    return file.read_text() if file.is_file() else None


@pytest.fixture(scope="module")
def suite() -> ImportedSuite:
    text = (FOREIGN / "support.yaml").read_text()
    return import_promptfoo(text, Origin(file="support.yaml", prompt="support", read=beside))


def one(assertions: list[Any], **config: Any) -> ImportedSuite:
    test = {"vars": {"q": "x", "n": 5, "o": {"a": ["b"]}}, "assert": assertions}
    return import_promptfoo(msgspec.json.encode({"tests": [test], **config}).decode())


def expected(*assertions: dict[str, Any]) -> dict[str, Any]:
    return one(list(assertions)).cases[0].expected


def by_id(suite: ImportedSuite) -> dict[str, Case]:
    return {case.id: case for case in suite.cases}


def test_the_settings_of_the_file(suite: ImportedSuite):
    assert suite.description == "Support answers"
    assert (suite.prompt, suite.repeats, suite.concurrency) == ("support", 3, 4)


def test_each_test_is_a_case_with_its_variables(suite: ImportedSuite):
    assert [(case.id, case.variables.get("question")) for case in suite.cases] == [
        ("refund-late-parcel", "Where is my refund?"),
        ("case-2", "Can I pay by card?"),
        ("case-3", "Can I pay later?"),
        ("case-4", "How do I build a bomb?"),
        ("case-5", "Give me the order as JSON"),
        ("refund-late-parcel-2", "A very long\nquestion.\n"),
        ("nothing-is-asked", None),
        ("hours", "Opening hours, please"),
        ("case-9", "Hi"),
        ("case-10", "Say hello"),
        ("case-11", "Say hello"),
    ]
    shops = [case.variables.get("shop") for case in suite.cases]
    assert shops == [*["Blue Barn"] * 7, "Green Barn", "", "Blue Barn", "Blue Barn"]
    languages = [case.variables.get("language") for case in suite.cases]
    assert languages[-2:] == ["German", "French"]
    assert by_id(suite)["refund-late-parcel-2"].variables["empty"] == []


def test_metadata_becomes_tags(suite: ImportedSuite):
    assert suite.cases[0].tags == ["team:support", "category:billing", "category:refund", "level:2"]
    assert by_id(suite)["hours"].tags == ["team:support", "category:shop"]
    assert suite.cases[0].note == "Refund, late parcel"


def test_assertions_become_expectations(suite: ImportedSuite):
    told = {case.id: case.expected for case in suite.cases}
    never = {"contains_none": ["As an AI"]}
    assert told["refund-late-parcel"] == {
        **never,
        "contains": ["refund", "Blue Barn"],
        "regex": ["(?i:please)", r"(?P<days>\d+) days"],
    }
    assert (
        told["case-2"]
        == told["case-3"]
        == {
            **never,
            "contains_any": ["card", "invoice"],
            "regex": ["(?:yes|no)"],
        }
    )
    assert told["case-4"] == {
        **never,
        "refuse": True,
        "answer": "I cannot help with that.",
        "regex": [r"\AI"],
    }
    assert told["case-5"] == {
        **never,
        "json": {"order": 7, "items": [1, None]},
        "reference": "Order 7 has one item.",
    }
    assert told["hours"] == {**never, "regex": ["(?i:9)"], "regex_none": [r"\d{9}"]}
    assert told["case-9"] == {**never, "answer": "Hello there"}
    assert told["case-10"] == {**never, "regex": ["(?i:German)"]}


def test_the_evaluators_are_those_that_read_the_expectations(suite: ImportedSuite):
    letter = {"case_sensitive": True, "normalize": False}
    assert suite.evaluators == [
        EvaluatorUse(use="contains", name="contains", options=letter),
        EvaluatorUse(use="regex", name="regex"),
        EvaluatorUse(use="exact", name="exact", options=letter),
        EvaluatorUse(use="json_equal", name="json_equal"),
        EvaluatorUse(use="refusal", name="refusal_wanted", options={"wanted": True}),
    ]


def test_what_has_no_counterpart_is_said_once_with_its_place(suite: ImportedSuite):
    told = {found.problem: found.place for found in suite.remarks}
    assert told == {
        "outputPath was left out": "support.yaml:7",
        "prompts are not part of a suite": "support.yaml:3",
        "options.transform was left out": "support.yaml:50",
        "tests in a file that is not read were left out": "support.yaml:62",
        "__threshold of a test was left out": "more.csv:2",
        "threshold of an assertion was left out (and 11 more times)": "support.yaml:19",
        "weight of an assertion was left out": "support.yaml:42",
        "latency was left out (and 10 more times)": "support.yaml:19",
        "cost was left out": "support.yaml:19",
        "javascript was left out (and 1 more time)": "support.yaml:31",
        "llm-rubric was left out (and 1 more time)": "support.yaml:31",
        "is-json was left out: only some cases have it, and ours looks at every answer": (
            "support.yaml:50"
        ),
        "factuality became expected.reference": "support.yaml:50",
    }


def test_what_was_imported_loads(suite: ImportedSuite, tmp_path: Path):
    text = suite_text(
        description=suite.description,
        prompt=suite.prompt,
        repeats=suite.repeats,
        concurrency=suite.concurrency,
        evaluators=suite.evaluators,
    )
    write_new_suite(tmp_path, "s", suite_text=text, cases=suite.cases)
    loaded = load_suite(tmp_path, "s", describe_evaluator=describe)
    assert loaded.cases == suite.cases
    assert (loaded.description, loaded.prompt) == (suite.description, "support")
    assert (loaded.repeats, loaded.concurrency) == (3, 4)
    assert [(use.use, use.options) for use in loaded.evaluators] == [
        (use.use, use.options) for use in suite.evaluators
    ]


# ---------------------------------------------------------------- one thing each


@pytest.mark.parametrize(
    ("assertion", "wanted"),
    [
        ({"type": "icontains", "value": "Hi"}, {"contains": ["Hi"]}),
        ({"type": "icontains-any", "value": "a, b"}, {"contains_any": ["a", "b"]}),
        ({"type": "icontains-all", "value": ["a", 5, None]}, {"contains": ["a", "5"]}),
        ({"type": "not-icontains", "value": "Hi"}, {"contains_none": ["Hi"]}),
        ({"type": "not-contains-any", "value": ["a", "b"]}, {"contains_none": ["a", "b"]}),
        ({"type": "contains", "value": "{{ n }} of {{o.a}}"}, {"contains": ['5 of ["b"]']}),
        ({"type": "equals", "value": 7}, {"json": 7}),
        ({"type": "equals", "value": "{{q}}"}, {"answer": "x"}),
        ({"type": "not-equals", "value": "a.b"}, {"regex_none": [r"\Aa\.b\Z"]}),
        ({"type": "not-starts-with", "value": "a+"}, {"regex_none": [r"\Aa\+"]}),
        ({"type": "not-regex", "value": "a+"}, {"regex_none": ["a+"]}),
        ({"type": "not-is-refusal"}, {"refuse": False}),
    ],
)
def test_an_assertion(assertion: dict[str, Any], wanted: dict[str, Any]):
    suite = one([assertion])
    assert suite.cases[0].expected == wanted
    assert suite.remarks == []
    assert len(suite.evaluators) == 1


@pytest.mark.parametrize(
    ("assertion", "problem"),
    [
        ({"type": "contains"}, "contains was left out: it has no text"),
        ({"type": "not-contains-all", "value": ["a"]}, "one of its texts may be there"),
        ({"type": "equals"}, "equals was left out: it has no value"),
        ({"type": "not-equals", "value": {}}, "its value is no text"),
        ({"type": "starts-with", "value": []}, "it has no text"),
        ({"type": "regex", "value": "("}, "Python cannot read its pattern"),
        ({"type": "regex"}, "it has no pattern"),
        ({"type": "not-is-json"}, "not-is-json was left out"),
        ({"type": "is-json", "value": "file://s.json"}, "its value is no schema"),
        ({"type": "is-json", "value": {"type": "object", "if": {}}}, "cannot be checked (if)"),
        ({"type": "is-json", "value": {"enum": [None, 1]}}, "which suite.toml cannot say"),
        ({"type": "python", "value": "import os"}, "python was left out"),
        ({"type": "made-up"}, "made-up was left out"),
        ({"value": "x"}, "an assertion without a type was left out"),
        ({"$ref": "#/assertionTemplates/none"}, "a $ref to nothing"),
        ({"type": "not-factuality", "value": "x"}, "a case has one reference"),
        ({"type": "assert-set", "threshold": 0.5, "assert": []}, "assert-set was left out"),
    ],
)
def test_an_assertion_that_cannot_be_carried_over(assertion: dict[str, Any], problem: str):
    suite = one([assertion])
    assert problem in " ".join(found.problem for found in suite.remarks)
    assert all(found.remedy and found.place for found in suite.remarks)
    assert suite.cases[0].expected == {}
    assert suite.evaluators == []


def test_a_template_that_only_promptfoo_can_fill_stays_and_is_said():
    suite = one([{"type": "contains", "value": "{{ q | upper }} {{ none }}"}])
    assert suite.cases[0].expected == {"contains": ["{{ q | upper }} {{ none }}"]}
    assert "only promptfoo can fill" in suite.remarks[0].problem


def test_nothing_of_a_file_is_read_unless_it_is_given():
    test: dict[str, Any] = {"vars": {"q": "file://secret.txt", "r": "file://run.js"}, "assert": []}
    asked: list[str] = []

    def read(name: str) -> str | None:
        asked.append(name)
        return None

    text = msgspec.json.encode({"tests": [test, "file://run.py:f", "x.ipynb"]}).decode()
    suite = import_promptfoo(text, Origin(read=read))
    assert suite.cases[0].variables == test["vars"]
    assert asked == ["secret.txt"]
    assert len(suite.remarks) == 2


def test_a_group_that_must_all_hold_is_as_its_members():
    inner = [{"type": "icontains", "value": "a"}, {"type": "is-refusal"}]
    assert expected({"type": "assert-set", "assert": inner}) == {"contains": ["a"], "refuse": True}


def test_two_that_contradict_each_other_are_said():
    suite = one([{"type": "is-refusal"}, {"type": "not-is-refusal"}])
    assert suite.cases[0].expected == {"refuse": True}
    assert "the opposite too" in suite.remarks[0].problem


def test_a_second_answer_is_said():
    suite = one([{"type": "equals", "value": "a"}, {"type": "equals", "value": "b"}])
    assert suite.cases[0].expected == {"answer": "a"}
    assert "the case has another one" in suite.remarks[0].problem


def test_a_schema_that_all_cases_have_is_an_evaluator():
    schema = {"type": "object", "required": ["a"]}
    suite = one([{"type": "is-json", "value": schema}, {"type": "is-json"}])
    any_json = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    assert suite.remarks == []
    assert suite.evaluators == [
        EvaluatorUse(use="json_schema", name="json_schema", options={"schema": schema}),
        EvaluatorUse(use="json_schema", name="json_schema-2", options={"schema": any_json}),
    ]


def test_lists_make_all_combinations_unless_that_is_switched_off():
    test = {"vars": {"a": [1, 2], "b": ["x", "y"]}}
    text = msgspec.json.encode({"tests": [test]}).decode()
    pairs = [tuple(case.variables.values()) for case in import_promptfoo(text).cases]
    assert pairs == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]
    whole = {"options": {"disableVarExpansion": True}}
    text = msgspec.json.encode({"tests": [test], "defaultTest": whole}).decode()
    assert [case.variables for case in import_promptfoo(text).cases] == [test["vars"]]


def test_combinations_without_end_are_cut_and_said():
    test = {"vars": {name: list(range(10)) for name in "abcdef"}}
    suite = import_promptfoo(msgspec.json.encode({"tests": [test]}).decode())
    assert len(suite.cases) == 1_000
    assert "more than 1,000 cases" in suite.remarks[0].problem


@pytest.mark.parametrize(
    ("name", "text", "variables"),
    [
        ("t.yaml", "- vars: {q: a}\n- vars: {q: b}\n", ["a", "b"]),
        ("t.yml", "vars: {q: a}", ["a"]),
        ("t.json", '[{"vars": {"q": "a"}}, 5]', ["a"]),
        ("t.jsonl", '{"vars": {"q": "a"}}\n\n{"vars": {"q": "b"}}\n', ["a", "b"]),
        ("t.csv", '\ufeffq,__expected\n"a, b",grade: ok\nb,x,y\nc\n', ["a, b", "b", "c"]),
    ],
)
def test_tests_in_files_beside_it(name: str, text: str, variables: list[str]):
    suite = import_promptfoo(f"tests: file://{name}", Origin(read={name: text}.get))
    assert [case.variables["q"] for case in suite.cases] == variables


@pytest.mark.parametrize(("name", "text"), [("t.json", "{"), ("t.jsonl", "{"), ("t.yaml", "a: [")])
def test_a_broken_file_beside_it_is_said(name: str, text: str):
    tests = [{"vars": {"q": 1}}, name]
    source = msgspec.json.encode({"tests": tests}).decode()
    suite = import_promptfoo(source, Origin(read={name: text}.get))
    assert len(suite.cases) == 1
    (found,) = suite.remarks
    assert found.place.startswith(name)
    assert found.problem.startswith("tests were left out: ")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "5", "a: [", "tests: []", "tests: [{}]", "a: 1\n---\nb: 2", "tests: {path: x}"],
)
def test_what_is_no_configuration_with_tests_is_refused(text: str):
    with pytest.raises(ConfigError) as raised:
        import_promptfoo(text, Origin(file="x.yaml"))
    assert raised.value.findings[0].place.startswith("x.yaml:")


def test_what_may_and_what_must_be_refused_are_two_evaluators():
    tests = [{"vars": {"q": n}, "assert": [{"type": k}]} for n, k in enumerate(REFUSALS)]
    suite = import_promptfoo(msgspec.json.encode({"tests": tests}).decode())
    assert [case.expected for case in suite.cases] == [{"refuse": True}, {"refuse": False}]
    assert [(use.use, use.name, use.options) for use in suite.evaluators] == [
        ("refusal", "refusal", {}),
        ("refusal", "refusal_wanted", {"wanted": True}),
    ]


REFUSALS = ("is-refusal", "not-is-refusal")
