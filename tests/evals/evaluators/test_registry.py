"""The evaluators of a suite: found, checked, and complete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from evals.evaluators.entries import built_in_entries, install
from trimtab.datasets.case import Case
from trimtab.datasets.suite import EvaluatorUse, GatePolicy, Suite
from trimtab.errors import ConfigError
from trimtab.evals.evaluator import Evaluator
from trimtab.evals.evaluators import contains
from trimtab.evals.registry import SuiteEvaluators, load_evaluators

OURS = (
    "contains", "cost", "exact", "json_equal", "json_schema", "latency", "length", "regex",
    "python_function",
)  # fmt: skip
WRONG_TEXT = (
    "option `all[0]` of contains: expected `str`, got `int`. "
    "It is: texts that the answer must all have"
)
NOBODY = "which no evaluator of the suite looks at"
HERE = "evals.evaluators.test_registry"


class Kind:
    """A kind from outside, which says nothing of what it reads."""

    version = 1
    kind = "rate"
    higher_is_better = True
    summary = "from outside"

    def __init__(self, name: str, metric: str, *, asks: bool = False) -> None:
        self.name = name
        self.metric = metric
        self.asks = asks

    def build(self, options: Mapping[str, Any], folder: Path) -> Evaluator:
        return contains.EVALUATOR.build({}, folder)


class PickyKind(Kind):
    @override
    def build(self, options: Mapping[str, Any], folder: Path) -> Evaluator:
        return contains.EVALUATOR.build({"judge": "missing"}, folder)


REFUSAL = Kind("refusal", "refusal")
GROUNDEDNESS = Kind("groundedness", "hallucination", asks=True)
PICKY = PickyKind("groundedness", "hallucination", asks=True)
NO_KIND = "text"


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of the evaluators that come with trimtab, and none of a model."""
    packages = tmp_path / "packages"
    packages.mkdir()
    install(packages, monkeypatch, {name: built_in_entries()[name] for name in OURS})


def use(name: str, *, line: int = 1, metric: str = "", called: str = "", **options: Any):
    return EvaluatorUse(use=name, name=called or name, metric=metric, options=options, line=line)


def suite(folder: Path, *uses: EvaluatorUse, cases: list[Case] | None = None) -> Suite:
    cases = [Case(id="one")] if cases is None else cases
    return Suite(
        name="triage",
        folder=folder,
        hash="",
        evaluators=list(uses),
        gate=GatePolicy(),
        cases=cases,
        lines={case.id: number for number, case in enumerate(cases, 10)},
    )


def load(suite: Suite, *, schema_declared: bool = False) -> SuiteEvaluators:
    return load_evaluators(suite, schema_declared=schema_declared)


def findings(suite: Suite) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(suite)
    return [str(finding) for finding in caught.value.findings]


def named(evaluators: SuiteEvaluators) -> dict[str, str]:
    return {one.name: one.metric for one in evaluators.evaluators if not one.automatic}


def added(evaluators: SuiteEvaluators) -> dict[str, str]:
    return {one.name: one.metric for one in evaluators.evaluators if one.automatic}


def test_they_come_through_the_entry_points_in_the_order_of_the_file(tmp_path: Path) -> None:
    polite = use("regex", called="polite", metric="tone", pattern="please")
    known = load(suite(tmp_path, polite, use("contains", all=["refund"])))
    assert list(named(known).items()) == [("polite", "tone"), ("contains", "accuracy")]
    first = known.evaluators[0]
    assert (first.use, first.kind, first.higher_is_better, first.asks) == (
        "regex",
        "rate",
        True,
        False,
    )


def test_all_findings_come_at_once_with_file_and_line(tmp_path: Path) -> None:
    uses = [
        use("regexp", line=4),
        use("regex", line=8, pattrn="x"),
        use("contains", line=12, all=[1]),
        use("python_function", line=16, function="f"),
    ]
    first, *others = findings(suite(tmp_path, *uses))
    assert first.startswith("evals/triage/suite.toml:4: 'regexp' is not in trimtab.evaluators. On")
    assert others == [
        "evals/triage/suite.toml:8: regex has no option `pattrn`. Did you mean `pattern`?",
        f"evals/triage/suite.toml:12: {WRONG_TEXT}",
        "evals/triage/suite.toml:16: There is no evaluators.py beside suite.toml. Write one",
    ]


def test_what_does_not_load_or_is_of_another_kind_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "others"
    packages.mkdir()
    (packages / "needs_more.py").write_text("import nothing_of_this_name\n")
    entries = {"needs_more": "needs_more:EVALUATOR", "text": f"{HERE}:NO_KIND"}
    install(packages, monkeypatch, entries)
    needs_more, text = findings(suite(tmp_path, use("needs_more"), use("text", line=2)))
    assert "'needs_more' cannot be loaded, because nothing_of_this_name cannot" in needs_more
    assert "registered as 'text' in trimtab.evaluators but is not of its kind" in text


def hashes(folder: Path, *uses: EvaluatorUse) -> list[str]:
    return [one.hash for one in load(suite(folder, *uses)).evaluators if not one.automatic]


def test_the_hash_is_of_all_that_decides_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "evaluators.py").write_text("def f(sample): return 1\n")
    uses = [
        use("contains"),
        use("contains", called="other"),
        use("contains", called="third", metric="tone"),
        use("contains", called="fourth", all=["x"]),
        use("exact"),
        use("python_function", function="f"),
    ]
    before = hashes(tmp_path, *uses)
    assert len(set(before)) == len(uses)
    (tmp_path / "evaluators.py").write_text("def f(sample): return 0\n")
    after = hashes(tmp_path, *uses)
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * 5 + [False]


def test_the_hash_of_a_mark_is_of_what_the_case_expects_too(tmp_path: Path) -> None:
    (evaluator, *_) = load(suite(tmp_path, use("contains"))).evaluators
    plain = Case(id="a")
    same = Case(id="b", variables={"x": 1}, tags=["t"], critical=True, note="n", cluster="c")
    assert evaluator.hash_for(plain) == evaluator.hash_for(same)
    others = [Case(id="a", expected={"contains": "x"}), Case(id="a", sources=["s"])]
    assert len({evaluator.hash_for(case) for case in (plain, *others)}) == 3


def test_format_latency_and_cost_are_measured_without_being_named(tmp_path: Path) -> None:
    known = load(suite(tmp_path), schema_declared=True)
    assert added(known) == {"json_schema": "format", "latency": "latency", "cost": "cost"}
    assert "format" not in known.not_measured


def test_what_is_not_measured_says_what_the_suite_lacks(tmp_path: Path) -> None:
    known = load(suite(tmp_path))
    assert list(known.not_measured) == ["accuracy", "format", "refusal", "hallucination"]
    assert "expected.answer" in known.not_measured["accuracy"]
    assert "declares no output schema" in known.not_measured["format"]
    assert known.not_measured["refusal"] == "no evaluator 'refusal' is installed"
    assert "no case has sources" in known.not_measured["hallucination"]


def test_what_cases_expect_tells_how_accuracy_can_be_measured(tmp_path: Path) -> None:
    known = load(suite(tmp_path, cases=[Case(id="one", expected={"json": 1})]))
    assert known.not_measured["accuracy"].endswith('add one with use = "json_equal"')


def test_a_metric_that_the_suite_measures_gets_no_other_evaluator(tmp_path: Path) -> None:
    uses = [use("regex", called="shape", metric="format"), use("contains"), use("latency")]
    known = load(suite(tmp_path, *uses), schema_declared=True)
    assert added(known) == {"cost": "cost"}
    assert not {"accuracy", "format"} & set(known.not_measured)


def test_the_name_of_an_added_one_is_free(tmp_path: Path) -> None:
    known = load(suite(tmp_path, use("json_schema", metric="shape")), schema_declared=True)
    assert added(known)["automatic-json_schema"] == "format"


def test_refusal_and_hallucination_are_added_where_they_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "others"
    packages.mkdir()
    entries = {"refusal": f"{HERE}:REFUSAL", "groundedness": f"{HERE}:GROUNDEDNESS"}
    install(packages, monkeypatch, entries)
    known = load(suite(tmp_path, cases=[Case(id="one", sources=["text"])]))
    assert added(known) == {"refusal": "refusal", "groundedness": "hallucination"}
    assert [one.asks for one in known.evaluators] == [False, True]


def test_one_that_cannot_be_added_as_it_is_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "others"
    packages.mkdir()
    install(packages, monkeypatch, {"groundedness": f"{HERE}:PICKY"})
    known = load(suite(tmp_path, cases=[Case(id="one", sources=["text"])]))
    assert known.not_measured["hallucination"].startswith(
        "evaluator 'groundedness' must be set up in suite.toml: contains has no option `judge`"
    )


def test_values_of_one_metric_must_go_together(tmp_path: Path) -> None:
    uses = [use("contains", line=3), use("latency", line=7, metric="accuracy")]
    (finding,) = findings(suite(tmp_path, *uses))
    assert finding.startswith(
        "evals/triage/suite.toml:7: 'latency' and 'contains' both measure 'accuracy', but"
    )
    partial = use("json_equal", partial=True)
    assert named(load(suite(tmp_path, use("contains"), partial))) == {
        "contains": "accuracy",
        "json_equal": "accuracy",
    }


def test_a_case_that_expects_what_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    cases = [
        Case(id="good", expected={"contains": ["x"]}),
        Case(id="bad", expected={"contains": 3}),
        Case(id="others", expected={"json": 3}),
    ]
    (finding,) = findings(suite(tmp_path, use("contains"), cases=cases))
    assert finding.startswith(
        "evals/triage/cases.jsonl:11: contains: `expected.contains` of the case: expected"
    )


def test_an_expectation_that_nobody_looks_at_is_noted(tmp_path: Path) -> None:
    cases = [
        Case(id="a", expected={"contans": ["x"]}),
        Case(id="b", expected={"contans": ["x"], "contains_none": ["y"]}),
        Case(id="c", expected={"zebra": 1}),
    ]
    known = load(suite(tmp_path, use("contains"), cases=cases))
    assert known.notes == [
        f"2 cases expect `contans`, {NOBODY}. Did you mean `contains`?",
        f"1 case expects `zebra`, {NOBODY}.",
    ]


def test_nothing_is_noted_where_an_evaluator_may_read_anything(tmp_path: Path) -> None:
    (tmp_path / "evaluators.py").write_text("def f(sample): return 1\n")
    cases = [Case(id="a", expected={"zebra": 1})]
    assert load(suite(tmp_path, use("python_function", function="f"), cases=cases)).notes == []
