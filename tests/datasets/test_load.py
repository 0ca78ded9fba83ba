"""Loading a suite: what it says, and every finding with file and line."""

import time
import tracemalloc
from pathlib import Path

import pytest

from datasets.suites import describe, findings, line, write
from trimtab.datasets.case import Case
from trimtab.datasets.cases_file import MOST_LINE_BYTES, read_cases
from trimtab.datasets.findings import Findings
from trimtab.datasets.folder import suite_names
from trimtab.datasets.load import load_suite
from trimtab.datasets.suite import EvaluatorUse, GatePolicy
from trimtab.errors import ConfigError, UsageError
from trimtab.releases.evidence import suite_hash

WHOLE = """\
description = "Tickets"
prompt = "support/triage"
model = "fast"
repeats = 3
concurrency = 4

[[evaluators]]
use = "contains"
whole_words = true
most = 1.5
nested = {list = [1, 2.5]}

[[evaluators]]
use = "contains"
name = "polite"
metric = "politeness"

[gate]
primary = ["accuracy", "politeness", "latency"]
alpha = 0.025
inconclusive = "block"
extend_repeats = 5
most_unmeasured = 0.1
critical_alpha = 0.01

[gate.margins]
accuracy = 0.05
latency = 1.10

[gate.floors]
politeness = 1
cost = 2_500_000
"""


def test_all_that_a_suite_can_say(tmp_path: Path):
    full = line(
        id="refund-1",
        variables={"ticket": "Where is it?", "n": [1, {"a": None}]},
        messages=[{"role": "user", "content": "Hello"}],
        expected={"contains": ["refund"]},
        sources=["Refunds take 5 days."],
        cluster="refunds",
        tags=["billing", "german"],
        critical=True,
        note="from a complaint",
        from_inference="inf_1",
    )
    folder = write(tmp_path, WHOLE, ["", full, "   ", line(id="b")])
    suite = load_suite(tmp_path, "s", describe_evaluator=describe)
    assert (suite.name, suite.folder) == ("s", folder)
    assert suite.hash == suite_hash(tmp_path, "s")
    assert (suite.description, suite.prompt, suite.model) == ("Tickets", "support/triage", "fast")
    assert (suite.repeats, suite.concurrency) == (3, 4)
    assert suite.evaluators == [
        EvaluatorUse(
            use="contains",
            name="contains",
            options={"whole_words": True, "most": 1.5, "nested": {"list": [1, 2.5]}},
            line=7,
        ),
        EvaluatorUse(use="contains", name="polite", metric="politeness", line=13),
    ]
    assert suite.gate == GatePolicy(
        primary=["accuracy", "politeness", "latency"],
        margins={"accuracy": 0.05, "latency": 1.1},
        floors={"politeness": 1.0, "cost": 2_500_000.0},
        alpha=0.025,
        inconclusive="block",
        extend_repeats=5,
        most_unmeasured=0.1,
        critical_alpha=0.01,
    )
    assert all(type(value) is float for value in suite.gate.floors.values())
    first, second = suite.cases
    assert first == Case(
        id="refund-1",
        variables={"ticket": "Where is it?", "n": [1, {"a": None}]},
        messages=[{"role": "user", "content": "Hello"}],
        expected={"contains": ["refund"]},
        sources=["Refunds take 5 days."],
        cluster="refunds",
        tags=["billing", "german"],
        critical=True,
        note="from a complaint",
        from_inference="inf_1",
    )
    assert second.id == "b"
    assert suite.lines == {"refund-1": 2, "b": 4}


def test_an_empty_suite_file_is_all_defaults(tmp_path: Path):
    write(tmp_path, "", [line()])
    suite = load_suite(tmp_path, "s")
    assert (suite.prompt, suite.repeats, suite.concurrency) == ("", 1, 8)
    assert suite.evaluators == []
    assert suite.gate == GatePolicy()


TOML = [
    ("promt = 'x'", 1, "unknown key promt", "Did you mean prompt?"),
    ("evaluator = 1", 1, "unknown key evaluator", "Did you mean evaluators?"),
    ("[gate]\nmargin = {}", 2, "unknown key margin", "Did you mean margins?"),
    ("repeats = 0", 1, "0 is not valid", "a whole number from 1 to 1000"),
    ("repeats = 'two'", 1, "'two' is not valid", "a whole number"),
    ("concurrency = 1.5", 1, "1.5 is not valid", "a whole number"),
    ("description = 1", 1, "1 is not valid", "text in quotes"),
    ("gate = 1", 1, "expected a table", "[gate]"),
    ("evaluators = 'contains'", 1, "is not valid", "tables, each begun by [[evaluators]]"),
    ("evaluators = [1]", 1, "is not valid", "tables, each begun by [[evaluators]]"),
    ("[[evaluators]]\nname = 'x'", 1, "use is missing", "use = "),
    ("[[evaluators]]\nuse = ''", 2, "use is missing", "use = "),
    ("[[evaluators]]\nuse = 7", 2, "use is no text", "text in quotes"),
    ("[[evaluators]]\nuse = 'contains'\nname = 'a b'", 3, "'a b' is no name", "letters, digits"),
    ("[[evaluators]]\nuse = 'contains'\nmetric = '-'", 3, "'-' is no metric", "letters, digits"),
    ("[[evaluators]]\nuse = 'contains'\nwhen = 2026-01-01", 3, "a date or a time", "in quotes"),
    ("[[evaluators]]\nuse = 'contains'\na = {b = [inf]}", 3, "not a number that JSON", "finite"),
    ("[[evaluators]]\nuse = 'x'\n[[evaluators]]\nuse = 'x'", 4, "a second 'x'", "name = ..."),
    (
        "[[evaluators]]\nuse = 'x'\n[[evaluators]]\nuse = 'y'\nname = 'x'",
        5,
        "a second 'x'",
        "name = ...",
    ),
    ("[gate]\ninconclusive = 'extent'", 2, "'extent' is not valid", '"block" or "extend" or "wa'),
    ("[gate]\nalpha = 0", 2, "0 is not valid", "above 0"),
    ("[gate]\nalpha = nan", 2, "is not valid", "above 0"),
    ("[gate]\nmost_unmeasured = 2", 2, "2 is not valid", "from 0"),
    ("[gate]\nprimary = 'accuracy'", 2, "is not valid", "a list of names"),
    ("[gate]\nprimary = ['acuracy']", 2, "no evaluator measures 'acuracy'", "accuracy?"),
    ("[gate]\nprimary = ['cost', 'cost']", 2, "cost is there twice", "Keep one"),
    ("[gate.margins]\nlatenci = 1.1", 2, "no evaluator measures 'latenci'", "latency?"),
    ("[gate.margins]\nzzz = 1.1", 2, "no evaluator measures 'zzz'", "Measured here: accuracy, "),
    ("[gate.margins]\naccuracy = '5 %'", 2, "'5 %' is not valid", "a share, as in 0.05"),
    ("[gate.margins]\naccuracy = true", 2, "True is not valid", "a share, as in 0.05"),
    ("[gate.margins]\naccuracy = 0", 2, "0 is no share", "between 0 and 1"),
    ("[gate.margins]\naccuracy = 1", 2, "1 is no share", "between 0 and 1"),
    ("[gate.margins]\naccuracy = 5", 2, "5 is no share", "between 0 and 1"),
    ("[gate.margins]\nformat = nan", 2, "nan is no share", "between 0 and 1"),
    ("[gate.margins]\nrefusal = -0.02", 2, "-0.02 is no share", "between 0 and 1"),
    ("[gate.margins]\nlatency = 0.1", 2, "0.1 is no ratio", "1.10 lets it grow by 10 %"),
    ("[gate.margins]\ncost = 1", 2, "1 is no ratio", "above 1"),
    ("[gate.margins]\ncost = 11", 2, "11 is no ratio", "up to 2.7"),
    ("[gate.floors]\naccuracy = 85", 2, "85 is out of range", "from 0 to 1"),
    ("[gate.floors]\nlatency = 0", 2, "0 is no amount", "above 0"),
    ("[gate.floors]\ncost = 0.002", 2, "0.002 nano-dollars", "0.002 US dollars are 2000000"),
    ("[gate.floors]\nlatency = 'fast'", 2, "'fast' is not valid", "a number"),
    ("x = [", 1, "not TOML", "toml.io"),
    ("a = 1\na = 2", 2, "not TOML", "toml.io"),
    (f"x = {'[' * 5000}", 1, "nested too deeply", "more simply"),
    (f"x = {'9' * 5000}", 1, "a number is too long", "more simply"),
]


@pytest.mark.parametrize(("toml", "at", "problem", "remedy"), TOML)
def test_a_wrong_key_has_its_line(tmp_path: Path, toml: str, at: int, problem: str, remedy: str):
    write(tmp_path, toml, [line()])
    (found,) = findings(tmp_path)
    assert found.place.partition(" (")[0].removesuffix(":1").startswith("evals/s/suite.toml")
    assert found.place.startswith(f"evals/s/suite.toml:{at}")
    assert problem in found.problem
    assert remedy in found.remedy


def test_a_metric_has_the_kind_that_its_evaluator_gives_it(tmp_path: Path):
    uses = "".join(
        f"[[evaluators]]\nuse = '{use}'\n" for use in ("length", "preference", "politeness")
    )
    right = "[gate.margins]\nwords = 1.2\npreference = 0.1\npoliteness = 0.1\n"
    floors = "[gate.floors]\nwords = 80\npreference = -0.5\npoliteness = 0.5\n"
    write(tmp_path, uses + right + floors, [line()])
    assert findings(tmp_path) == []
    wrong = "[gate.margins]\nwords = 0.2\npreference = 1.1\npoliteness = 1.1\n"
    floors = "[gate.floors]\nwords = -1\npreference = -1.5\npoliteness = -0.5\n"
    write(tmp_path, uses + wrong + floors, [line()])
    assert [found.problem for found in findings(tmp_path)] == [
        "0.2 is no ratio",
        "1.1 is no share",
        "1.1 is no share",
        "-1 is no amount",
        "-1.5 is out of range",
        "-0.5 is out of range",
    ]


def test_where_an_evaluator_is_not_known_any_metric_may_be_its(tmp_path: Path):
    gate = "[gate]\nprimary = ['tone']\n[gate.margins]\ntone = 0.1\n[gate.floors]\ntone = 70\n"
    write(tmp_path, f"[[evaluators]]\nuse = 'mine'\n{gate}", [line()])
    assert findings(tmp_path) == []
    write(tmp_path, f"[[evaluators]]\nuse = 'mine'\nmetric = 'tone'\n{gate}", [line()])
    assert findings(tmp_path) == []
    other = gate.replace("tone = 0.1", "tone = 1")
    write(tmp_path, f"[[evaluators]]\nuse = 'mine'\nmetric = 'tone'\n{other}", [line()])
    (found,) = findings(tmp_path)
    assert found.problem == "1 is neither a share nor a ratio"
    write(tmp_path, f"[[evaluators]]\nuse = 'mine'\nmetric = 'voice'\n{gate}", [line()])
    assert len(findings(tmp_path)) == 3


def test_an_evaluator_that_is_not_installed_is_not_known(tmp_path: Path):
    write(tmp_path, "[[evaluators]]\nuse = 'no-such'\n[gate.margins]\ntone = 0.1\n", [line()])
    assert load_suite(tmp_path, "s").gate.margins == {"tone": 0.1}


LINES = [
    ("{", "not JSON", "Write one JSON object a line"),
    ("{} {}", "not JSON: trailing characters (byte 4)", "Write one JSON object a line"),
    ("[1]", "not an object", "Write one JSON object a line"),
    ('{"id": "a", "variables": {"x": NaN}}', "not JSON", "Write one JSON object a line"),
    ('{"id": "a", "variables": {"x": 1e999}}', "not JSON", "Write one JSON object a line"),
    ("[" * 5000, "nested too deeply", "at most 60 levels"),
    (line(expected={"json": 1}).replace("1}", "[" * 61 + "]" * 61 + "}"), "nested too d", "60"),
    (line(expected={}).replace('"expected"', '"note":"","note"'), "`note` is of the wrong", "text"),
    (
        line(note="c", tags=["b"]).replace('"note"', '"note":"","note"'),
        "`note` stands there twice",
        "Keep one",
    ),
    ('{"variables": {"x": 1}}', "id is missing", "refund-01"),
    (line(id="a b"), "'a b' is no id", "letters, digits"),
    (line(id=""), "'' is no id", "letters, digits"),
    (line(id="-a"), "'-a' is no id", "begin with"),
    (line(id="caf\u00e9"), "is no id", "letters, digits"),
    (line(id="x" * 121), "...' is no id", "at most 120"),
    (line(id="a\n"), "is no id", "letters, digits"),
    (line(id=7), "`id` is of the wrong type", "Give text"),
    (line(variables=[]), "`variables` is of the wrong type", "Give an object"),
    (line(messages={}), "`messages` is of the wrong type", "Give a list of messages"),
    (line(messages=["hi"]), "`messages` is of the wrong type", "Give a list of messages"),
    (line(expected="refund"), "`expected` is of the wrong type", '{"contains": ["refund"]}'),
    (line(sources="text"), "`sources` is of the wrong type", "a list of texts"),
    (line(tags="billing"), "`tags` is of the wrong type", "a list of words"),
    (line(critical="yes"), "`critical` is of the wrong type", "true or false"),
    (line(cluster=None), "`cluster` is of the wrong type", "Give text"),
    (line(expect={}), "unknown key 'expect'", "Did you mean expected?"),
    (line(zzz=1), "unknown key 'zzz'", "Valid here: id, variables, messages"),
    ('{"id": "a"}', "neither variables nor messages", "Add `variables`"),
    (line(variables={}), "neither variables nor messages", "Add `variables`"),
    (line(messages=[{"content": "x"}]), "message 1 has no role", '"role": "user"'),
    (line(messages=[{"role": "human", "content": "x"}]), "message 1 has no role", "role"),
    (line(messages=[{"role": "user"}]), "message 1 has no content", "content"),
    (line(messages=[{"role": "user", "content": None}]), "message 1 has no content", "content"),
    (line(tags=["a", "", "b"]), "a tag is empty", "Remove it"),
    (line(tags=["a", "b", "a"]), "a tag stands there twice", "Keep one"),
]


@pytest.mark.parametrize(("text", "problem", "remedy"), LINES)
def test_a_wrong_line_is_told_by_its_number(tmp_path: Path, text: str, problem: str, remedy: str):
    write(tmp_path, "", [line(id="ok"), "", text, line(id="good")])
    (found,) = findings(tmp_path)
    assert found.place == "evals/s/cases.jsonl:3"
    assert problem in found.problem
    assert remedy in found.remedy


def test_names_of_keys_may_stand_in_values(tmp_path: Path):
    text = line(id="a", variables={"id": 1, "note": {"id": 2}, "deep": [[]] * 70}, note='"id"')
    write(tmp_path, "", [text])
    assert findings(tmp_path) == []


def test_a_call_of_a_tool_needs_no_content(tmp_path: Path):
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hello"}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
        {"role": "assistant", "refusal": "No."},
        {"role": "tool", "tool_call_id": "1", "content": "42"},
    ]
    write(tmp_path, "", [line(messages=messages)])
    assert findings(tmp_path) == []


def test_everything_wrong_with_a_line_is_told(tmp_path: Path):
    write(tmp_path, "", ['{"tag": [], "variables": 1, "critical": 1, "zzz": 2}'])
    assert [found.problem for found in findings(tmp_path)] == [
        "unknown key 'tag'",
        "unknown key 'zzz'",
        "id is missing",
        "`variables` is of the wrong type",
        "`critical` is of the wrong type",
    ]


def test_an_id_stands_once(tmp_path: Path):
    write(tmp_path, "", [line(id="a"), line(id="b"), line(id="a"), line(id="a")])
    assert [tuple(found) for found in findings(tmp_path)] == [
        (
            f"evals/s/cases.jsonl:{at}",
            "the id 'a' stands on line 1 already",
            "Give each case an id of its own",
        )
        for at in (3, 4)
    ]


@pytest.mark.parametrize("cases", ["", "\n\n  \n", b"\xef\xbb\xbf"])
def test_a_suite_without_cases_is_wrong(tmp_path: Path, cases: str | bytes):
    write(tmp_path, "repeats = 0", cases)
    first, second = findings(tmp_path)
    assert first.place.startswith("evals/s/suite.toml:1")
    assert (second.place, second.problem) == ("evals/s/cases.jsonl", "there is no case in it")


def test_what_other_systems_write_can_be_read(tmp_path: Path):
    first, second = line(id="a").encode(), line(id="b").encode()
    write(tmp_path, "", b"\xef\xbb\xbf" + first + b"\r\n\r\n" + second)
    suite = load_suite(tmp_path, "s")
    assert suite.lines == {"a": 1, "b": 3}


def test_what_is_not_utf_8_has_its_line(tmp_path: Path):
    write(tmp_path, "", line(id="a").encode() + b'\n{"id": "b", "note": "\xff"}\n')
    (found,) = findings(tmp_path)
    assert found == ("evals/s/cases.jsonl:2", "not UTF-8", "Save the file as UTF-8")


@pytest.mark.parametrize("file", ["suite.toml", "cases.jsonl"])
def test_a_missing_file_is_a_finding_beside_the_others(tmp_path: Path, file: str):
    folder = write(tmp_path, "repeats = 0", [line(id="a b")])
    (folder / file).unlink()
    places = {found.place.partition(":")[0]: found.problem for found in findings(tmp_path)}
    assert places[f"evals/s/{file}"] == "no such file"
    assert len(places) == 2


def test_twenty_findings_are_shown_and_none_is_lost(tmp_path: Path):
    broken = [line(id="a b", tags=["", "x"]) for _ in range(40)]
    write(tmp_path, "repeats = 0\nconcurrency = 0", [*broken, line(id="ok")])
    found = findings(tmp_path)
    assert len(found) == 21
    assert found[1].place.startswith("evals/s/suite.toml:2")
    assert found[19].place == "evals/s/cases.jsonl:9"
    assert found[20].place == "evals/s"
    assert found[20].problem == "and 62 more findings"
    assert len(findings(tmp_path, most_findings=1000)) == 82
    assert findings(tmp_path, most_findings=81)[-1].problem == "and 1 more finding"


def test_a_line_of_any_length_takes_bounded_memory(tmp_path: Path):
    folder = write(tmp_path, "", [line(id="a")])
    with (folder / "cases.jsonl").open("ab") as out:
        for _ in range(40):
            out.write(b'{"x": "' + b"y" * 1_000_000)
        out.write(b"\n" + line(id="b").encode())
    tracemalloc.start()
    found = Findings("evals/s")
    cases = read_cases(folder / "cases.jsonl", "evals/s/cases.jsonl", found)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert cases.lines == {"a": 1, "b": 3}
    assert [one.place for one in found.all()] == ["evals/s/cases.jsonl:2"]
    assert peak < 3 * MOST_LINE_BYTES


def test_a_line_may_be_just_so_long(tmp_path: Path):
    short = line(id="a", note="")
    fits = short.replace('"note":""', f'"note":"{"x" * (MOST_LINE_BYTES - len(short))}"')
    write(tmp_path, "", fits)
    assert len(fits) == MOST_LINE_BYTES
    assert findings(tmp_path) == []
    write(tmp_path, "", [fits])
    assert [found.problem for found in findings(tmp_path)] == ["longer than 4 MB"]


def test_twenty_thousand_cases_load_in_a_second(tmp_path: Path):
    text = "Where is my refund? I have waited for three weeks now and heard nothing. " * 10
    write(
        tmp_path,
        WHOLE,
        (
            line(id=f"case-{n}", variables={"ticket": f"{n} {text}"}, tags=["billing", f"t{n % 9}"])
            for n in range(20_000)
        ),
    )
    begun = time.process_time()
    suite = load_suite(tmp_path, "s", describe_evaluator=describe)
    took_s = time.process_time() - begun
    assert len(suite.cases) == len(suite.lines) == 20_000
    assert suite.lines["case-19999"] == 20_000
    assert took_s < 1.0


def test_twenty_thousand_broken_cases_are_counted_in_a_second_or_two(tmp_path: Path):
    write(tmp_path, "", (line(id="a b", **{f"key{n}": 1}) for n in range(20_000)))
    begun = time.process_time()
    found = findings(tmp_path)
    assert found[-1].problem == "and 19980 more findings"
    assert time.process_time() - begun < 2.0


# ---------------------------------------------------------------- names and places


def test_the_suites_of_a_project(tmp_path: Path):
    assert suite_names(tmp_path) == []
    for name in ("b", "a", "support-triage"):
        write(tmp_path, "", [line()], name)
    (tmp_path / "evals" / "no-file").mkdir()
    (tmp_path / "evals" / "loose.toml").write_text("")
    (tmp_path / "evals" / ".hidden").mkdir()
    (tmp_path / "evals" / ".hidden" / "suite.toml").write_text("")
    assert suite_names(tmp_path) == ["a", "b", "support-triage"]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../s", "s/../s", "/etc", "a/b", "s\n", "s\x00", "-s", "x" * 200, "\u00e9"],
)
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str):
    write(tmp_path, "", [line()])
    with pytest.raises(UsageError, match="is no name of a suite"):
        load_suite(tmp_path, name)


@pytest.mark.parametrize("link", ["evals/s", "evals/s/suite.toml", "evals/s/cases.jsonl", "evals"])
def test_a_link_cannot_leave_the_project(tmp_path: Path, link: str):
    outside, project = tmp_path / "outside", tmp_path / "project"
    write(outside, "", [line()])
    write(project, "", [line()])
    assert load_suite(project, "s").lines == {"a": 1}
    at = project / link
    at.rename(tmp_path / "away")
    at.symlink_to(outside / link)
    with pytest.raises(UsageError, match="leads out of the project"):
        load_suite(project, "s")
    assert suite_names(project) == [] or link.endswith("cases.jsonl")


def test_a_link_inside_the_project_is_fine(tmp_path: Path):
    write(tmp_path, "", [line(id="shared")], "one")
    two = write(tmp_path, "", [line()], "two")
    (two / "cases.jsonl").unlink()
    (two / "cases.jsonl").symlink_to("../one/cases.jsonl")
    assert load_suite(tmp_path, "two").lines == {"shared": 1}


def test_an_unknown_suite_is_told_its_neighbours(tmp_path: Path):
    with pytest.raises(UsageError, match="trimtab eval init triage"):
        load_suite(tmp_path, "triage")
    write(tmp_path, "", [line()], "support-triage")
    with pytest.raises(UsageError, match="There are support-triage"):
        load_suite(tmp_path, "zzz")
    with pytest.raises(UsageError, match="Did you mean support-triage"):
        load_suite(tmp_path, "support-triag")


def test_a_folder_in_the_place_of_a_file_is_a_finding(tmp_path: Path):
    folder = write(tmp_path, "", [line()])
    (folder / "cases.jsonl").unlink()
    (folder / "cases.jsonl").mkdir()
    with pytest.raises(ConfigError, match=r"cases\.jsonl: no such file"):
        load_suite(tmp_path, "s")


def test_a_suite_file_of_megabytes_is_refused(tmp_path: Path):
    write(tmp_path, "#" * 1_000_001, [line()])
    (found,) = findings(tmp_path)
    assert found.problem == "larger than 1 MB"


def test_an_error_shows_no_text_of_a_case(tmp_path: Path):
    secret = "geheim"
    write(
        tmp_path,
        "",
        [
            line(id="a", note=[secret]),
            line(id="b", messages=[{"role": secret, "content": secret}]),
            '{"id": "c", "variables": {"x": "geheim"}',
        ],
    )
    assert secret not in "".join(map(str, findings(tmp_path)))
