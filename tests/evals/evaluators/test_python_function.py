"""python_function: functions of a suite, whatever they do."""

from pathlib import Path
from typing import Any

import pytest

from evals.evaluators.samples import sample, score
from trimtab.errors import UsageError
from trimtab.evals.evaluator import Particular, Score
from trimtab.evals.evaluators.python_function import EVALUATOR

FUNCTIONS = """
import asyncio, os, sys, time
from dataclasses import dataclass

calls = 0

def polite(sample):
    return "please" in sample.text

def share(sample):
    return 0.25

def worded(sample):
    return {"value": 0.5, "label": "half", "reason": sample.case.id}

def not_asked(sample):
    return None

def not_asked_because(sample):
    return {"value": None, "reason": "no ticket"}

async def awaited(sample):
    await asyncio.sleep(0)
    return sample.case.variables["ticket"] == "My bill is wrong"

def length(sample):
    return len(sample.text)

def count(sample):
    global calls
    calls += 1
    return calls

def talks(sample):
    print("noise")
    sys.stderr.write("noise")
    return 1

def asks(sample):
    return input()

def fails(sample):
    return 1 / len(sample.text)

def refuses(sample):
    raise RuntimeError(sample.text)

def leaves(sample):
    sys.exit(3)

def dies(sample):
    os._exit(3)

def hangs(sample):
    while True:
        pass

async def waits(sample):
    await asyncio.sleep(3600)

def nothing_finite(sample):
    return float("nan")

def text(sample):
    return "1"

def huge(sample):
    return 10 ** 400

def half_a_pair(sample):
    return {"value": 1, "label": "\\ud800"}

def misspelt(sample):
    return {"valeu": 1}

def empty(sample):
    return {}

@dataclass
class Verdict:
    value: float

def of_a_class(sample):
    return Verdict(1.0).value
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suite")
    (folder / "evaluators.py").write_text(FUNCTIONS)
    return folder


def said(suite: Path, function: str, text: str = "please", **options: Any) -> Score:
    return score(EVALUATOR, sample(text), {"function": function, **options}, folder=suite)


@pytest.mark.parametrize(
    ("function", "options", "value"),
    [
        ("polite", {}, 1),
        ("polite", {"kind": "rate"}, 1),
        ("share", {}, 0.25),
        ("awaited", {}, 1),
        ("talks", {"kind": "rate"}, 1),
        ("length", {"kind": "amount", "higher_is_better": False}, 6),
        ("of_a_class", {}, 1),
    ],
)
def test_what_it_returns_is_the_value(
    suite: Path, function: str, options: dict[str, Any], value: float
) -> None:
    score = said(suite, function, **options)
    assert (score.status, score.value) == ("measured", value)


def test_a_dictionary_has_words_too(suite: Path) -> None:
    score = said(suite, "worded")
    assert (score.value, score.label, score.reason) == (0.5, "half", "c")


def test_none_says_that_the_case_does_not_ask_for_it(suite: Path) -> None:
    assert said(suite, "not_asked").status == "not_applicable"
    assert said(suite, "not_asked_because").reason == "no ticket"


@pytest.mark.parametrize(
    ("function", "options", "reason"),
    [
        ("fails", {}, "fails: ZeroDivisionError at evaluators.py:LINE"),
        ("refuses", {}, "refuses: RuntimeError at evaluators.py:LINE"),
        ("leaves", {}, "leaves: SystemExit at evaluators.py:LINE"),
        ("asks", {}, "asks: EOFError at evaluators.py:LINE"),
        ("dies", {}, "dies ended the process in which it ran"),
        ("hangs", {"limit_s": 0.2}, "hangs took longer than 0.2 s"),
        ("waits", {"limit_s": 0.2}, "waits took longer than 0.2 s"),
        ("huge", {}, "huge: OverflowError"),
        ("half_a_pair", {}, "half_a_pair: UnicodeEncodeError"),
        (
            "nothing_finite",
            {},
            "nothing_finite: it returned a number that is infinite or none",
        ),
        ("text", {}, "text: it returned str, and not a number or a flag"),
        (
            "misspelt",
            {},
            "misspelt: it returned the key 'valeu', and not only value, label and reason",
        ),
        ("empty", {}, "empty: it returned a dictionary without value"),
        ("length", {}, "length returned 6, and a score is from 0 to 1: set kind"),
        ("share", {"kind": "rate"}, "share returned 0.25, and a rate is of 0 and 1: set kind"),
    ],
)
def test_what_goes_wrong_makes_the_sample_unmeasured(
    suite: Path, function: str, options: dict[str, Any], reason: str
) -> None:
    text = "" if function == "fails" else "secret"
    score = said(suite, function, text, **options)
    line = FUNCTIONS[: FUNCTIONS.index(f"def {function}(")].count("\n") + 2  # that of its body
    told = reason.replace("LINE", str(line))
    assert (score.status, score.value, score.reason) == ("unmeasured", None, told)


def test_the_next_sample_is_measured_after_one_that_hung(suite: Path) -> None:
    assert said(suite, "hangs", limit_s=0.2).status == "unmeasured"
    assert said(suite, "polite").value == 1


def test_an_amount_of_nothing_is_unmeasured(suite: Path) -> None:
    score = said(suite, "length", "", kind="amount")
    assert score.reason == "length returned 0, and an amount is above 0"


def test_it_measures_a_metric_of_its_own_name(suite: Path) -> None:
    options = {"function": "length", "kind": "amount", "higher_is_better": False}
    evaluator = EVALUATOR.build(options, suite)
    assert isinstance(evaluator, Particular)
    assert (evaluator.metric, evaluator.kind, evaluator.higher_is_better) == (
        "length",
        "amount",
        False,
    )


def test_the_bytes_of_the_file_are_its_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "evaluators.py"
    fingerprints: list[str] = []
    for source in ("def f(sample): return 1\n", "def f(sample): return 0\n"):
        file.write_text(source)
        evaluator = EVALUATOR.build({"function": "f"}, tmp_path)
        assert isinstance(evaluator, Particular)
        fingerprints.append(evaluator.fingerprint)
        assert score(EVALUATOR, "", {"function": "f"}, folder=tmp_path).value == int(
            source.rstrip()[-1]
        )
    assert len(set(fingerprints)) == 2


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (None, r"There is no evaluators\.py beside suite\.toml\. Write one"),
        ("def g(sample): return 1\nx = 1\n", r"has no function `f`\. It has: g\."),
        ("", r"has no function `f`\. It has: none\."),
        ("import of_nothing_that_is_there\n", "ModuleNotFoundError at evaluators.py:1"),
        ("def f(sample):\n  return (\n", "cannot be loaded: SyntaxError at evaluators.py:2"),
        ("f = 1\n", r"has no function `f`"),
        ("class f: pass\n", r"has no function `f`"),
    ],
)
def test_what_is_not_there_is_told_before_anything_is_spent(
    tmp_path: Path, source: str | None, problem: str
) -> None:
    if source is not None:
        (tmp_path / "evaluators.py").write_text(source)
    with pytest.raises(UsageError, match=problem):
        EVALUATOR.build({"function": "f"}, tmp_path)


def test_a_file_that_changes_under_way_is_told(tmp_path: Path) -> None:
    file = tmp_path / "evaluators.py"
    file.write_text("import os\ndef f(sample): os._exit(1)\n")
    assert score(EVALUATOR, "", {"function": "f"}, folder=tmp_path).status == "unmeasured"
