"""The suites of `examples/evals`: whole, varied, and consistent with their prompts."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from trimtab.cli.prompts.findings import check_prompts
from trimtab.config.load import load_project
from trimtab.datasets.load import load_suite
from trimtab.datasets.near import find_near
from trimtab.datasets.suite import Suite
from trimtab.evals.registry import load_evaluators
from trimtab.prompts.library import load_library
from trimtab.prompts.parse import parse_prompt
from trimtab.prompts.prompt import Prompt
from trimtab.prompts.values import problems_of

EXAMPLES = Path(__file__).parents[2] / "src/trimtab/examples/evals"
NAMES = ("support-triage", "docs-answer", "review-comments")
LEAST_CASES = 60
LIKE = 0.7
"""From here on two cases are near duplicates, as `find_near` takes it."""


@pytest.fixture(scope="module", params=NAMES)
def suite(request: pytest.FixtureRequest) -> Suite:
    return load_suite(EXAMPLES, request.param)


@pytest.fixture(scope="module")
def triage() -> Suite:
    return load_suite(EXAMPLES, "support-triage")


@pytest.fixture(scope="module")
def docs() -> Suite:
    return load_suite(EXAMPLES, "docs-answer")


@pytest.fixture(scope="module")
def review() -> Suite:
    return load_suite(EXAMPLES, "review-comments")


def prompt_of(suite: Suite) -> Prompt:
    return load_library(EXAMPLES).prompt(suite.prompt)


def shown(messages: list[dict[str, Any]]) -> str:
    """All that the model reads, as one text."""
    return "\n".join(str(message["content"]) for message in messages)


# ---------------------------------------------------------------- all of them


def test_the_project_has_no_finding() -> None:
    assert check_prompts(load_project(EXAMPLES / "trimtab.toml")) == ([], [])


def test_every_suite_is_here() -> None:
    assert sorted(path.name for path in (EXAMPLES / "evals").iterdir()) == sorted(NAMES)


def test_there_are_enough_cases_and_none_twice(suite: Suite) -> None:
    assert len(suite.cases) >= LEAST_CASES
    assert len({case.id for case in suite.cases}) == len(suite.cases)
    assert find_near(suite.cases, least=LIKE) == []


def test_its_evaluators_take_every_case(suite: Suite) -> None:
    declared = prompt_of(suite).behaviour.output is not None
    loaded = load_evaluators(suite, schema_declared=declared)
    assert loaded.notes == []
    assert "accuracy" not in loaded.not_measured
    assert {"accuracy", "refusal", "latency", "cost"} <= {one.metric for one in loaded.evaluators}


def test_every_case_is_rendered_and_has_its_text_in_the_prompt(suite: Suite) -> None:
    prompt = prompt_of(suite)
    assert prompt.about.suite == suite.name
    for case in suite.cases:
        last = str(prompt.render(case.variables).messages[-1]["content"])
        for value in case.variables.values():
            for text in [value] if isinstance(value, str) else value:
                assert text.replace("</untrusted>", "<\\/untrusted>") in last, case.id


def test_no_example_of_the_prompt_is_a_case(suite: Suite) -> None:
    prompt = prompt_of(suite)
    examples = [
        {message["content"] for message in prompt.render(case.variables).messages[:-1]}
        for case in suite.cases
    ]
    assert all(one == examples[0] for one in examples), "the examples do not depend on the case"
    for case in suite.cases:
        assert prompt.render(case.variables).messages[-1]["content"] not in examples[0], case.id


def test_it_is_varied(suite: Suite) -> None:
    tags = Counter(tag for case in suite.cases for tag in case.tags)
    assert len(tags) >= 8
    assert all(case.tags for case in suite.cases)
    critical = sum(case.critical for case in suite.cases)
    assert 4 <= critical <= len(suite.cases) / 4
    clusters = Counter(case.cluster for case in suite.cases if case.cluster)
    assert clusters
    assert min(clusters.values()) >= 2, "a cluster of one says nothing"
    assert "injection" in tags, "texts that speak to the model"


# ---------------------------------------------------------------- each


def test_labels_of_tickets_are_those_of_the_prompt(triage: Suite) -> None:
    schema = prompt_of(triage).behaviour.output
    assert schema is not None
    for case in triage.cases:
        assert problems_of(case.expected["json"], schema) == [], case.id
        assert case.tags[0] == case.expected["json"]["team"], case.id
    for field in ("team", "kind"):
        wanted = Counter(case.expected["json"][field] for case in triage.cases)
        assert set(wanted) == set(schema["properties"][field]["enum"])
        assert min(wanted.values()) >= 10
    danger = {c.id for c in triage.cases if c.expected["json"]["kind"] == "danger"}
    assert {case.id for case in triage.cases if case.critical} == danger


def test_what_an_answer_must_contain_stands_in_its_documents(docs: Suite) -> None:
    for case in docs.cases:
        assert case.sources == case.variables["documents"], case.id
        if case.expected.get("refuse") or case.expected.get("abstain"):
            continue
        assert case.expected["answer"]
        facts = " ".join(case.sources).casefold()
        wanted: list[str] = case.expected["contains_any"]
        inferred = {"yes", "no"} & set(wanted)
        assert inferred or any(text.casefold() in facts for text in wanted), case.id
        assert not set(wanted) & set(case.expected["contains_none"]), case.id


def test_some_questions_have_no_answer_and_some_must_be_refused(docs: Suite) -> None:
    unanswered = [case for case in docs.cases if case.expected.get("abstain")]
    refused = [case for case in docs.cases if case.expected.get("refuse")]
    assert len(unanswered) >= 12
    assert len(refused) >= 4
    assert all("unanswerable" in case.tags for case in unanswered)
    assert all("must-refuse" in case.tags and case.critical for case in refused)


def test_questions_about_one_document_are_one_cluster(docs: Suite) -> None:
    by_document: dict[str, set[str]] = {}
    for case in docs.cases:
        by_document.setdefault(case.sources[0], set()).add(case.cluster)
    assert all(len(clusters) == 1 for clusters in by_document.values())
    assert len(by_document) == len({case.cluster for case in docs.cases}) >= 12


def test_a_comment_must_find_something_or_approve(review: Suite) -> None:
    for case in review.cases:
        expected = case.expected
        assert ("clean" in case.tags) is bool(expected.get("approve")), case.id
        approved = "looks good" in expected.get("contains_any", [])
        assert approved is bool(expected.get("approve")), case.id
        assert any(key in expected for key in ("contains_any", "contains", "regex")), case.id
        assert case.variables["diff"].count("\n") < 8, "a few lines"
    assert sum(bool(case.expected.get("approve")) for case in review.cases) >= 6


def test_the_worse_prompt_takes_and_gives_the_same(triage: Suite) -> None:
    good = prompt_of(triage)
    text = (EXAMPLES / "worse" / "triage.prompt.md").read_text(encoding="utf-8")
    read = load_library(EXAMPLES).read
    worse = parse_prompt(
        good.id, lambda name: text if name == f"{good.id}.prompt.md" else read(name)
    )
    assert worse.version_hash != good.version_hash
    assert worse.behaviour.output == good.behaviour.output
    assert worse.behaviour.config == good.behaviour.config
    assert shown(worse.render({"ticket": "x"}).messages) != shown(
        good.render({"ticket": "x"}).messages
    )
