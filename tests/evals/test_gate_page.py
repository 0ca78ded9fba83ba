"""docs/gate.md and what docs/evals.md says of commands: all of it is so."""

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import typer

from trimtab.cli.eval import evals
from trimtab.cli.eval.session import exit_code
from trimtab.datasets.suite import HEADLINE_METRICS, GatePolicy
from trimtab.datasets.traffic import MOST
from trimtab.evals.compare import MARGIN_ELSE
from trimtab.evals.identical import SPLITS
from trimtab.evals.looks import looks_of, planned_of
from trimtab.evals.outlook import cases_needed
from trimtab.evals.result import Result, Stopped
from trimtab.evals.standing import APART_S
from trimtab.releases.evidence import Evidence
from trimtab.stats.margins import MARGINS
from trimtab.stats.two_rates import BASELINE_AT_LEAST, CANDIDATE_AT_MOST, repeats_to_break
from trimtab.types.experiments import Experiment, Setup

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = (DOCS / "gate.md").read_text(encoding="utf-8")
EVALS: Final = (DOCS / "evals.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    (text,) = [part for part in PAGE.split("\n## ") if part.startswith(f"{heading}\n")]
    return text


def rows_of(heading: str, first: str) -> list[list[str]]:
    """The cells of a table, by the first cell of its head."""
    _, _, rest = section(heading).partition(f"| {first} |")
    lines = rest.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


# ------------------------------------------------------------------ commands and options


def options_of(command: str) -> set[str]:
    group: Any = typer.main.get_command(evals)
    found = group.commands[command]
    names = {name for parameter in found.params for name in parameter.opts}
    return {name for name in names if name.startswith("-")}


@pytest.mark.parametrize("page", ["gate.md", "evals.md", "judges.md", "reports.md", "ci.md"])
def test_every_command_and_option_of_a_page_exists(page: str):
    text = (DOCS / page).read_text(encoding="utf-8")
    typed = re.findall(r"trimtab eval (\w+)([^`\n|]*)", text)
    group: Any = typer.main.get_command(evals)
    for command, rest in typed:
        assert command in group.commands, command
        for option in re.findall(r"(--[a-z-]+)", rest):
            assert option in options_of(command), (command, option)


def test_every_option_of_the_gate_has_its_row():
    rows = [row[0] for row in rows_of("What a verdict says", "option")]
    named = set(re.findall(r"`(--[a-z-]+)", " ".join(rows)))
    elsewhere = {"--dry-run", "--report", "--project", "--json", "-p", "-k", "-e", "--help"}
    assert named == options_of("gate") - elsewhere
    assert "--dry-run" in PAGE


def test_every_command_has_its_row():
    _, _, rest = EVALS.partition("| command | what it does |")
    named = re.findall(r"^\| `trimtab eval (\w+)", rest.split("\n\n")[0], re.MULTILINE)
    group: Any = typer.main.get_command(evals)
    assert sorted(named) == sorted(group.commands)


# ------------------------------------------------------------------ policy


def test_every_key_of_the_policy_has_its_row_and_default():
    rows = {row[0].strip("`"): row[1].strip("`") for row in rows_of("The policy of a suite", "key")}
    fields = {field.name: field for field in msgspec.structs.fields(GatePolicy)}
    assert rows.keys() == fields.keys()
    for key, shown in rows.items():
        if shown and shown != "see below":
            assert shown.strip('"') == str(fields[key].default), key


def test_the_default_margins_are_those_of_the_code():
    rows = {row[0]: float(row[1]) for row in rows_of("The policy of a suite", "metric")}
    assert {name: rows[name] for name in MARGINS} == MARGINS
    assert rows["other rates and scores"] == MARGIN_ELSE["rate"] == MARGIN_ELSE["score"]
    assert rows["other amounts"] == MARGIN_ELSE["amount"]
    assert rows["preferences, of wins - losses"] == MARGIN_ELSE["preference"]
    assert f"headline metrics ({', '.join(HEADLINE_METRICS)})" in PAGE


def policy_of(repeats: int, **policy: Any) -> GatePolicy:
    """At the look at all planned answers."""
    return planned_of(looks_of(GatePolicy(**policy), repeats)).policy


def test_the_levels_of_looks():
    rows = rows_of("Looks on the way, and once more", "a gate that is")
    for (_, *shown), then in zip(rows, ("block", "extend"), strict=True):
        levels = [look.policy.alpha for look in looks_of(GatePolicy(inconclusive=then), 3)]
        assert [cell for cell in shown if cell] == [f"{level:.4f}" for level in levels]
    once = policy_of(3, inconclusive="block", looks=1)
    assert (once.alpha, once.critical_alpha) == (0.05, 0.05)


def test_the_cases_that_a_margin_takes():
    for cells in rows_of("How many cases it takes", "margin"):
        margin, *shown = cells
        found = [
            cases_needed(float(margin), "rate", repeats=repeats, alpha=policy.alpha)
            for repeats, policy in (
                (3, policy_of(3)),
                (3, policy_of(3, inconclusive="block")),
                (3, policy_of(3, inconclusive="block", looks=1)),
                (1, policy_of(1, inconclusive="block")),
            )
        ]
        assert shown == [str(number) for number in found]


def test_critical_cases():
    said = section("Critical cases, and safety")
    assert "at most half of its repeats while the baseline passed four fifths or more" in said
    assert (CANDIDATE_AT_MOST, BASELINE_AT_LEAST) == (0.5, 0.8)
    assert "4 with up to 3 critical cases, 5 with up to 12, 6 with up to 46;" in said
    assert [repeats_to_break(count) for count in (3, 4, 12, 13, 46, 47)] == [4, 5, 5, 6, 6, 7]


def test_other_numbers():
    assert f"{APART_S / 60:.0f} minutes apart" in section("Latency")
    assert f"into two, {SPLITS} times" in PAGE
    assert f"newest {MOST:,} inferences" in EVALS


# ------------------------------------------------------------------ exit codes, evidence


def result(verdict: Any, stopped: Stopped = "", answered: int = 1) -> Result:
    setup = Setup(prompt="p", prompt_hash="h", label="v1", model="a:b", hash="0" * 64)
    experiment = Experiment(
        id="exp_1",
        suite="s",
        suite_hash="0" * 64,
        kind="gate" if verdict else "run",
        candidate=setup,
        repeats=1,
        started_ns=1,
    )
    return Result(
        experiment=experiment,
        verdict=verdict,
        why=[],
        figures=[],
        cases=[],
        cases_total=1,
        planned=1,
        answered=answered,
        failed=1 - answered,
        reused=0,
        dropped_share=0.0,
        spent_nanousd=0,
        judge_nanousd=0,
        took_s=0.0,
        stopped=stopped,
    )


def test_exit_codes():
    assert [row[0] for row in rows_of("Exit codes", "code")] == ["0", "1", "2", "3", "4", "130"]
    assert exit_code(result("pass")) == 0
    assert exit_code(result("inconclusive"), warns=True) == 0
    assert exit_code(result("fail"), warns=True) == 1
    assert exit_code(result("inconclusive")) == 3
    assert exit_code(result("inconclusive", "down"), warns=True) == 3
    assert exit_code(result("inconclusive", "budget"), warns=True) == 4
    assert exit_code(result("inconclusive", "told"), warns=True) == 130
    assert exit_code(result("")) == 0
    assert exit_code(result("", answered=0)) == 1
    assert exit_code(result("", "down")) == 1


def test_every_key_of_evidence_has_its_row():
    rows = rows_of("Evidence", "key")
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row[0])]
    assert named == [field.name for field in msgspec.structs.fields(Evidence)]
