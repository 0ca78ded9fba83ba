"""OpenAI's evals as suites: samples, classes, and what has no counterpart."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from datasets.suites import describe
from trimtab.datasets.formats.border import Origin
from trimtab.datasets.formats.openai_evals import CLASSES, import_registry, import_samples
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import EvaluatorUse
from trimtab.datasets.toml_text import suite_text
from trimtab.datasets.write import write_new_suite
from trimtab.errors import ConfigError, UsageError

REGISTRY = """\
capitals:
  id: capitals.dev.v0
  description: Capitals of countries
  metrics: [accuracy]
capitals.dev.v0:
  class: evals.elsuite.basic.match:Match
  args:
    samples_jsonl: capitals/samples.jsonl
    max_tokens: 100
    num_few_shot: 3
jokes:
  id: jokes.dev.v0
jokes.dev.v0:
  class: evals.elsuite.modelgraded.classify:ModelBasedClassify
  args: {samples_jsonl: jokes.jsonl, eval_type: cot_classify, modelgraded_spec: humor}
"""
ASKED = [{"role": "system", "content": "One word."}, {"role": "user", "content": "France?"}]


def lines(*samples: Any) -> str:
    return "\n".join(msgspec.json.encode(sample).decode() for sample in samples)


SAMPLES = lines(
    {"input": ASKED, "ideal": "Paris"},
    {"input": "Bolivia?", "ideal": ["La Paz", "Sucre"], "level": 2},
)
FILES = {"capitals/samples.jsonl": SAMPLES, "jokes.jsonl": '{"input": "A joke", "ideal": "Ha"}'}


def test_an_eval_of_the_registry_becomes_a_suite():
    origin = Origin(file="capitals.yaml", prompt="geo", read=FILES.get)
    suite = import_registry(REGISTRY, origin, name="capitals")
    assert (suite.description, suite.prompt) == ("Capitals of countries", "geo")
    first, second = suite.cases
    assert (first.id, second.id) == ("case-1", "case-2")
    assert first.messages == ASKED
    assert second.messages == [{"role": "user", "content": "Bolivia?"}]
    assert first.expected == {"regex": [r"\A\s*(?:Paris)"]}
    assert re.search(second.expected["regex"][0], " La Paz is it")
    assert not re.search(second.expected["regex"][0], "It is La Paz")
    assert suite.evaluators == [EvaluatorUse(use="regex", name="regex")]
    assert [(found.place, found.problem) for found in suite.remarks] == [
        ("capitals/samples.jsonl", "the argument num_few_shot was left out"),
        ("capitals/samples.jsonl", "max_tokens is not part of a suite"),
        ("capitals/samples.jsonl:2", "the key level was left out"),
    ]


def test_an_eval_with_a_judge_keeps_its_reference():
    suite = import_registry(REGISTRY, Origin(read=FILES.get), name="jokes.dev.v0")
    assert suite.cases[0].expected == {"reference": "Ha"}
    assert suite.evaluators == []
    told = [found.problem for found in suite.remarks]
    assert told == [
        "its class asks a model",
        "the argument eval_type was left out",
        "the argument modelgraded_spec was left out",
    ]


def test_of_several_evals_one_is_named():
    for name in ("", "capital"):
        with pytest.raises(UsageError, match=r"capitals, jokes, capitals\.dev\.v0, jokes\.dev\.v0"):
            import_registry(REGISTRY, Origin(read=FILES.get), name=name)


def test_samples_that_are_not_there_are_refused():
    with pytest.raises(ConfigError, match="samples_jsonl cannot be read"):
        import_registry(REGISTRY, Origin(file="x.yaml"), name="capitals")
    with pytest.raises(ConfigError, match="not one mapping"):
        import_registry("- a", Origin(file="x.yaml"))


LETTER = {"case_sensitive": True, "normalize": False}
ANY_JSON = {"schema": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}


@pytest.mark.parametrize(
    ("name", "ideal", "expected", "use", "options"),
    [
        ("Match", "a.b", {"regex": [r"\A\s*(?:a\.b)"]}, "regex", {}),
        ("Match", 7, {"regex": [r"\A\s*(?:7)"]}, "regex", {}),
        ("Includes", ["a", "b"], {"contains_any": ["a", "b"]}, "contains", LETTER),
        ("FuzzyMatch", "a", {"contains_any": ["a"]}, "contains", {}),
        ("JsonMatch", '{"a": null}', {"json": {"a": None}}, "json_equal", {}),
        ("JsonMatch", {"a": 1}, {"json": {"a": 1}}, "json_equal", {}),
        ("JsonValidator", "x", {}, "json_schema", ANY_JSON),
    ],
)
def test_a_class(name: str, ideal: Any, expected: Any, use: str, options: Any):
    suite = import_samples(
        lines({"input": "q", "ideal": ideal}), eval_class=f"evals.elsuite.basic.x:{name}"
    )
    assert suite.cases[0].expected == expected
    assert suite.evaluators == [EvaluatorUse(use=use, name=use, options=options)]
    assert bool(suite.remarks) is (name == "FuzzyMatch")


def test_every_class_is_tested():
    assert set(CLASSES) == {
        "FuzzyMatch",
        "Includes",
        "JsonMatch",
        "JsonValidator",
        "Match",
        "ModelBasedClassify",
    }


def test_includes_may_overlook_the_case():
    registry = "e: {class: 'x:Includes', args: {samples_jsonl: s, ignore_case: true}}"
    suite = import_registry(registry, Origin(read={"s": '{"input": "q", "ideal": "a"}'}.get))
    assert suite.evaluators == [EvaluatorUse(use="contains", name="contains")]
    assert suite.remarks == []


def test_what_has_no_counterpart_is_said():
    suite = import_samples(
        lines(
            {"input": "a", "ideal": "x"},
            {"input": "", "ideal": "x"},
            {"input": [{"role": "nobody", "content": "x"}]},
            {"input": "b"},
            {"ideal": "x"},
        ),
        Origin(file="s.jsonl"),
        eval_class="own.package:Own",
    )
    assert [case.id for case in suite.cases] == ["case-1", "case-4"]
    assert suite.evaluators == []
    told = [(found.place, found.problem) for found in suite.remarks]
    assert told[0] == ("s.jsonl", "the class 'Own' has no counterpart")
    assert told[1][0] == "s.jsonl:2"
    assert told[1][1].startswith("a sample was left out: the case has neither")
    assert told[1][1].endswith("(and 1 more time)")
    assert told[2][0] == "s.jsonl:3"
    assert "message 1 has no role" in told[2][1]


def test_what_of_an_ideal_cannot_be_used_is_said():
    suite = import_samples(
        lines({"input": "a", "ideal": ["1", "2"]}, {"input": "b", "ideal": "{"}, {"input": "c"}),
        eval_class="JsonMatch",
    )
    assert [case.expected for case in suite.cases] == [{"json": 1}, {}, {}]
    assert [found.problem for found in suite.remarks] == [
        "of several ideals the first was taken",
        "an `ideal` is not JSON",
        "a sample has no `ideal`",
    ]


def test_a_list_of_samples_is_read_too():
    text = f"[{lines({'input': 'a', 'ideal': 'x'})}]"
    assert len(import_samples(text, eval_class="Match").cases) == 1


@pytest.mark.parametrize(
    ("text", "place"), [("", "s"), ("[]", "s"), ('{"input": "a"}\n{', "s:2"), ("5", "s:1")]
)
def test_what_is_no_file_of_samples_is_refused(text: str, place: str):
    with pytest.raises(ConfigError) as raised:
        import_samples(text, Origin(file="s"), eval_class="Match")
    assert raised.value.findings[0].place == place


def test_what_was_imported_loads(tmp_path: Path):
    suite = import_samples(SAMPLES, eval_class="JsonValidator")
    text = suite_text(evaluators=suite.evaluators)
    write_new_suite(tmp_path, "s", suite_text=text, cases=suite.cases)
    loaded = load_suite(tmp_path, "s", describe_evaluator=describe)
    assert loaded.cases == suite.cases
    assert loaded.evaluators[0].options == ANY_JSON
