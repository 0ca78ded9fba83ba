"""Whatever stands in the files: a suite, or findings with file and line, and no other error."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.suites import describe
from trimtab.datasets.cases_file import read_cases
from trimtab.datasets.findings import Findings
from trimtab.datasets.formats.border import ImportedSuite, Origin
from trimtab.datasets.formats.openai_evals import CLASSES, import_registry, import_samples
from trimtab.datasets.formats.promptfoo import import_promptfoo
from trimtab.datasets.formats.promptfoo_checks import ASSERTIONS
from trimtab.datasets.suite_file import parse_suite_file
from trimtab.datasets.toml_text import suite_text
from trimtab.errors import ConfigError, UsageError

TEXT = st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "id", "variables", "messages", "expected", "sources", "cluster", "tags", "critical", "note",
    "from_inference", "idd",
)  # fmt: skip
CASES = st.dictionaries(st.sampled_from(FIELDS) | TEXT, JSON, max_size=5).map(msgspec.json.encode)
LINES = CASES | st.binary(max_size=30) | st.sampled_from([b"", b" ", b'{"id":"a"}', b"[", b"\xff"])
TOMLISH = st.lists(
    st.sampled_from([
        "[gate]", "[[evaluators]]", "[gate.margins]", "[gate.floors]", "use = 'contains'",
        "name = 'contains'", "metric = 'x'", "accuracy = 0.05", "latency = 1.1", "primary = ['x']",
        "repeats = 2", "prompt = 'p'", "a.b = 1", "alpha = 1e999", "x = [", "x = {a = 1}",
        "inconclusive = 'warn'", "'' = 1", '"\\u0000" = 1', "evaluators = []", "gate = 2",
        "when = 1979-05-27T07:32:00Z", "# comment", "x = '''", "margins = {cost = inf}",
    ])
    | st.text(alphabet="ab01.=[]{}'\"#\n\\,-", max_size=12),
    max_size=8,
).map("\n".join)  # fmt: skip


@given(lines=st.lists(LINES, max_size=6), most=st.integers(1, 5))
def test_cases_are_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], most: int
):
    file = tmp_path_factory.getbasetemp() / "cases.jsonl"
    file.write_bytes(b"\n".join(lines))
    found = Findings("evals/s", most)
    cases = read_cases(file, "evals/s/cases.jsonl", found)
    count = b"\n".join(lines).count(b"\n") + 1
    for finding in found.all():
        _, _, at = finding.place.rpartition("cases.jsonl:")
        assert not at.isdigit() or 1 <= int(at) <= count
        assert finding.problem
    told = {finding.place for finding in found.all()}
    assert told or cases.cases or cases.blank
    assert len(cases.cases) == len(cases.lines)
    assert not told & {f"evals/s/cases.jsonl:{at}" for at in cases.lines.values()}


@given(TOMLISH | st.text(max_size=60), st.booleans())
def test_a_suite_file_is_read_or_told(text: str, known: bool):
    def nobody(_evaluator: object) -> None:
        return None

    content = text.encode("utf-8", "replace")
    try:
        table = parse_suite_file(
            content, shown="s.toml", describe_evaluator=describe if known else nobody
        )
    except ConfigError as error:
        told = error.findings
        table = None
    else:
        told = table.findings
    assert told or table is not None
    for finding in told:
        at = finding.place.removeprefix("s.toml:").partition(" ")[0].partition(":")[0]
        assert 1 <= int(at) <= text.count("\n") + text.count("\r") + 1
    if table is not None and not told:
        assert len({one.name for one in table.evaluators}) == len(table.evaluators)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_suite_file_or_told(content: bytes):
    try:
        parse_suite_file(content, shown="s.toml", describe_evaluator=describe)
    except ConfigError as error:
        told = str(error)
    else:
        told = "nothing"
    assert told


# ---------------------------------------------------------------- other tools

KINDS = st.sampled_from(
    [*sorted(ASSERTIONS), "not-contains", "not-equals", "not-is-json", "made-up"]
)
ASSERTION = st.fixed_dictionaries(
    {},
    optional={"type": KINDS | JSON, "value": JSON, "threshold": JSON, "$ref": TEXT, "assert": JSON},
)
TEST = (
    st.fixed_dictionaries(
        {},
        optional={
            "vars": st.dictionaries(TEXT, JSON, max_size=3) | JSON,
            "assert": st.lists(ASSERTION, max_size=4) | JSON,
            "description": JSON,
            "metadata": JSON,
            "options": JSON,
        },
    )
    | JSON
)
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "tests": st.lists(TEST, max_size=3)
        | st.sampled_from(["file://a.csv", "b.yaml", "c.jsonl"]),
        "defaultTest": TEST,
        "scenarios": JSON | st.lists(st.fixed_dictionaries({"config": JSON, "tests": JSON})),
        "assertionTemplates": JSON,
        "evaluateOptions": JSON,
        "description": JSON,
        "prompts": JSON,
    },
)


def check_import(run: Callable[[], ImportedSuite]) -> None:
    """It is a suite that loads, or an error of ours."""
    try:
        suite = run()
    except (ConfigError, UsageError):
        return
    for remark in suite.remarks:
        assert remark.place
        assert remark.problem
        assert remark.remedy
    assert suite.cases
    ids = [case.id for case in suite.cases]
    assert len(set(ids)) == len(ids)
    text = suite_text(
        description=suite.description, repeats=suite.repeats, evaluators=suite.evaluators
    )
    table = parse_suite_file(text.encode(), shown="s", describe_evaluator=describe)
    assert table.findings == []
    assert table.description == suite.description
    assert [(one.use, one.name, one.options) for one in table.evaluators] == [
        (one.use, one.name, one.options) for one in suite.evaluators
    ]


@given(CONFIG, st.text(max_size=60))
@settings(max_examples=200)
def test_a_configuration_of_promptfoo_is_imported_or_told(config: dict[str, object], beside: str):
    text = msgspec.json.encode(config).decode()
    check_import(lambda: import_promptfoo(text, Origin(file="x.yaml", read=lambda _name: beside)))


@given(st.text(max_size=60))
def test_any_text_is_imported_or_told(text: str):
    check_import(lambda: import_promptfoo(text))
    check_import(lambda: import_samples(text, eval_class="Match"))
    check_import(lambda: import_registry(text))


SAMPLE = st.fixed_dictionaries(
    {},
    optional={
        "input": JSON
        | st.lists(st.fixed_dictionaries({"role": JSON, "content": JSON}), max_size=2),
        "ideal": JSON,
        "extra": JSON,
    },
).map(lambda sample: msgspec.json.encode(sample).decode())


@given(st.lists(SAMPLE | TEXT, max_size=4), st.sampled_from([*CLASSES, "x.y:Own"]))
def test_samples_are_imported_or_told(lines: list[str], eval_class: str):
    check_import(lambda: import_samples("\n".join(lines), eval_class=eval_class))


@given(
    st.dictionaries(
        st.sampled_from(["a", "b"]),
        st.fixed_dictionaries(
            {}, optional={"id": JSON, "class": JSON, "args": JSON, "description": JSON}
        )
        | JSON,
    ),
    st.sampled_from(["", "a", "b", "c"]),
)
def test_a_registry_is_imported_or_told(registry: dict[str, object], name: str):
    text = msgspec.json.encode(registry).decode()
    origin = Origin(read=lambda _name: '{"input": "a", "ideal": "b"}')
    check_import(lambda: import_registry(text, origin, name=name))
