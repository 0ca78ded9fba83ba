"""`trimtab eval` as people and programs use it: each command used rightly, and wrongly."""

import json
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from harness import TRIMTAB, running_gateway, wait_until
from trimtab.config.environment import environment
from trimtab.testing import Behaviour, RunningFaultProvider, running_fault_provider
from whole.eval_project import SCRIPT, SUITE, lay_out, write_suite
from whole.test_cli import Done, assert_told
from whole.typed import typed


@pytest.fixture
def provider() -> Generator[RunningFaultProvider]:
    with running_fault_provider(SCRIPT) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, provider: RunningFaultProvider) -> Path:
    lay_out(tmp_path, provider.base_url)
    return tmp_path


def told_json(done: Done, code: int = 0) -> Any:
    assert done.code == code, done.out + done.err
    return json.loads(done.out)


COMMANDS = (
    "list", "init", "import", "check", "add", "run", "gate", "experiments", "report", "power", "aa",
    "cases", "coverage", "calibrate",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(tmp_path: Path, command: str) -> None:
    told = typed(tmp_path, "eval", command, "--help")
    assert told.code == 0, told.err
    assert f"trimtab eval {command}" in told.out
    assert "--json" in told.out
    assert "--project" in told.out


# ------------------------------------------------------------------ suites


def test_list(project: Path) -> None:
    write_suite(project, "promt = 1", name="broken")
    told = typed(project, "eval", "list").out
    assert "80  triage    contains" in told
    assert "1 error" in told
    broken, triage = typed(project, "eval", "list", "--json").json
    assert (broken["name"], broken["errors"], broken["cases"]) == ("broken", 1, None)
    assert (triage["cases"], triage["evaluators"], triage["last"]) == (80, ["contains"], None)


def test_list_of_nothing(tmp_path: Path) -> None:
    assert_told(typed(tmp_path, "eval", "list"), 2, "trimtab init")
    (tmp_path / "trimtab.toml").write_text("[providers.one]\nkind = 'openai'\n")
    assert "trimtab eval init NAME" in typed(tmp_path, "eval", "list").out


def test_init(project: Path) -> None:
    told = typed(project, "eval", "init", "other", "--prompt", "triage")
    assert told.code == 0
    assert "Wrote evals/other/suite.toml\nWrote evals/other/cases.jsonl\n" in told.out
    assert "suite: other" in told.out
    assert typed(project, "eval", "check", "other").code == 0
    made = typed(project, "eval", "init", "free", "--json").json
    assert made == {
        "suite": "free",
        "files": ["evals/free/suite.toml", "evals/free/cases.jsonl"],
        "problems": {},
    }


def test_init_never_overwrites_and_knows_the_prompts(project: Path) -> None:
    before = (project / "evals" / "triage" / "suite.toml").read_bytes()
    assert_told(typed(project, "eval", "init", "triage"), 2, "is there already")
    assert (project / "evals" / "triage" / "suite.toml").read_bytes() == before
    assert_told(typed(project, "eval", "init", "x", "--prompt", "traige"), 2, "Did you mean triage")
    assert_told(typed(project, "eval", "init", "../x"), 2, "no name of a suite")


def test_check(project: Path) -> None:
    told = typed(project, "eval", "check")
    assert told.code == 0
    assert "triage: 80 cases, 0 findings." in told.out
    assert "note: evals/triage: format is not measured" in told.out
    (found,) = typed(project, "eval", "check", "--json").json
    assert (found["suite"], found["findings"], found["near"]) == ("triage", [], [])


def test_check_tells_what_is_wrong_and_what_tells_too_little(project: Path) -> None:
    write_suite(project, SUITE.replace("primary", "primry"), name="typo")
    write_suite(project, name="alike", cases=20, variables={"tickett": "the same in all of them"})
    told = typed(project, "eval", "check")
    assert told.code == 1
    assert "error: evals/typo/suite.toml:7 (gate.primry): unknown key" in told.out
    assert "warning: evals/alike/cases.jsonl:1: does not fit prompt triage" in told.out
    assert "note: evals/alike: these cases ask nearly the same (similarity 1.00): c000" in told.out
    assert "no candidate can pass accuracy: its margin of 0.05 takes 52" in told.out
    found = {one["suite"]: one for one in told_json(typed(project, "eval", "check", "--json"), 1)}
    assert found["alike"]["near"][0]["similarity"] == 1.0
    assert found["typo"]["findings"][0]["severity"] == "error"
    assert_told(typed(project, "eval", "check", "traige"), 2, "Did you mean triage")


def test_import(project: Path) -> None:
    (project / "promptfooconfig.yaml").write_text(
        "tests:\n"
        "- vars: {ticket: Where is it}\n"
        "  assert:\n  - {type: icontains, value: billing}\n"
        "  - {type: llm-rubric, value: is kind}\n"
    )
    command = ("eval", "import", "promptfooconfig.yaml", "--format", "promptfoo")
    told = typed(project, *command, "--as", "foreign", "--prompt", "triage")
    assert told.code == 0, told.err
    assert "Wrote evals/foreign/cases.jsonl" in told.out
    assert "remark: promptfooconfig.yaml" in told.out
    assert typed(project, "eval", "check", "foreign").code == 0
    (project / "samples.jsonl").write_text('{"input": "2 + 2", "ideal": "4"}\n')
    samples = ("eval", "import", "samples.jsonl", "--format", "openai-evals", "--as", "sums")
    assert typed(project, *samples, "--json").json["cases"] == 1


def test_import_of_what_cannot_be(project: Path) -> None:
    command = ("eval", "import", "no.yaml", "--format", "promptfoo", "--as", "x")
    assert_told(typed(project, *command), 2, "no.yaml cannot be read")
    (project / "bad.yaml").write_text("tests: [")
    assert_told(typed(project, *(*command[:2], "bad.yaml", *command[3:])), 2, "bad.yaml")
    (project / "ok.jsonl").write_text('{"input": "a", "ideal": "b"}\n')
    taken = ("eval", "import", "ok.jsonl", "--format", "openai-evals", "--as", "triage")
    assert_told(typed(project, *taken), 2, "is there already")
    assert_told(typed(project, "eval", "import", "ok.jsonl", "--as", "x"), 2, "--format")


# ------------------------------------------------------------------ run


def test_run(project: Path, provider: RunningFaultProvider) -> None:
    told = typed(project, "eval", "run", "triage", "--report", "r.xml", "--report", "r.md")
    assert told.code == 0, told.err
    assert "triage: 80 cases x 1 repeat x 1 setup = 80 answers, 80 to ask for" in told.out
    assert "MEASURED" in told.out
    assert (project / "r.xml").read_text().startswith("<?xml")
    assert "accuracy" in (project / "r.md").read_text()
    again = typed(project, "eval", "run", "triage", "--json").json
    assert len(provider.calls) == 80, "answers that are there are not asked for again"
    assert (again["verdict"], again["counts"]["reused"], again["spent_nanousd"]) == ("", 80, 0)
    (row,) = typed(project, "eval", "list", "--json").json
    assert (row["last"]["kind"], row["last"]["state"]) == ("run", "measured")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["traige"], 2, ("Did you mean triage",)),
        (["triage", "--prompt", "nope"], 2, ("no prompt 'nope'",)),
        (["triage", "--prompt", "triage@v9"], 2, ("has no version 'v9'",)),
        (["triage", "--model", "nope"], 2, ("nope",)),
        (["triage", "--model", "fake:other"], 2, ('ref = "fake:other"',)),
        (["triage", "--set", "temperature"], 2, ("--set temperature=0.7",)),
        (["triage", "--set", "a=1", "--set", "a=2"], 2, ("twice",)),
        (["triage", "--set", "temperature=hot"], 2, ("cannot be 'hot'", "a number from 0 to 2")),
        (["triage", "--report", "r.pdf"], 2, (".html",)),
        (["triage", "--report", "no/r.md"], 2, ("no folder",)),
        (["triage", "--repeats", "0"], 2, ("--repeats",)),
        ([], 2, ("Missing argument",)),
    ],
)
def test_run_used_wrongly(
    project: Path,
    provider: RunningFaultProvider,
    arguments: list[str],
    code: int,
    words: tuple[str, ...],
) -> None:
    assert_told(typed(project, "eval", "run", *arguments), code, *words)
    assert not provider.calls, "and nothing was spent"


def test_run_of_a_suite_that_is_wrong(project: Path, provider: RunningFaultProvider) -> None:
    (project / "evals" / "triage" / "cases.jsonl").write_text(
        2 * '{"id": "a", "variables": {"ticket": "x"}}\n'
    )
    assert_told(typed(project, "eval", "run", "triage"), 2, "cases.jsonl:2", "stands on line 1")
    assert not provider.calls


def test_a_budget_ends_a_run_with_4_and_the_next_goes_on(project: Path) -> None:
    told = typed(project, "eval", "run", "triage", "--budget", "0.0015")
    assert told.code == 4, told.out
    assert "The budget ended the run" in told.out
    rest = typed(project, "eval", "run", "triage", "--json").json
    assert rest["counts"]["answered"] == 80
    assert 0 < rest["counts"]["reused"] < 80


def test_a_provider_that_answers_nothing(project: Path, provider: RunningFaultProvider) -> None:
    for model in ("gpt-test", "gpt-worse"):
        provider.play(model, Behaviour(status=400))
    told = typed(project, "eval", "run", "triage")
    assert told.code == 1, told.out
    assert "The run gave up" in told.out
    assert len(provider.calls) < 80
    gate = typed(project, "eval", "gate", "triage", "--baseline", "draft", "--model", "worse")
    assert gate.code == 3, gate.out
    assert not list((project / "evals" / "triage").glob("evidence/*"))


def test_experiments_and_report(project: Path) -> None:
    assert "No experiment yet" in typed(project, "eval", "experiments").out
    typed(project, "eval", "run", "triage")
    told = typed(project, "eval", "experiments", "triage")
    assert "v1-draft at fake:gpt-test" in told.out
    (row,) = typed(project, "eval", "experiments", "--json").json
    assert (row["kind"], row["state"], row["repeats"]) == ("run", "measured", 1)
    shown = typed(project, "eval", "report", row["id"], "--report", "r.html")
    assert shown.code == 0
    assert f"{row['id']}, run" in shown.out
    assert "<!doctype html>" in (project / "r.html").read_text().lower()
    assert typed(project, "eval", "report", "last", "--json").json["experiment"] == row["id"]


def test_experiments_and_report_used_wrongly(project: Path) -> None:
    assert_told(typed(project, "eval", "experiments", "traige"), 2, "Did you mean triage")
    assert_told(typed(project, "eval", "report", "exp_1"), 2, "no experiment 'exp_1'")
    assert_told(typed(project, "eval", "report", "last", "--report", "x.doc"), 2, ".html")


# ------------------------------------------------------------------ gate


def test_a_first_release_against_floors(project: Path) -> None:
    told = typed(project, "eval", "gate", "triage", "--env", "production")
    assert told.code == 0, told.out + told.err
    assert "baseline  none: it is held against [gate.floors]" in told.out
    assert "PASS" in told.out
    (file,) = (project / "evals" / "triage" / "evidence").iterdir()
    assert f"evidence evals/triage/evidence/{file.name}; commit it" in told.out
    evidence = json.loads(file.read_text())
    assert (evidence["prompt"], evidence["verdict"]) == ("triage", "pass")
    assert (evidence["model"], evidence["suite"]) == ("fake:gpt-test", "triage")
    status = typed(project, "release", "promote", "triage", "--env", "production")
    assert status.code == 0, status.out + status.err
    later = typed(project, "eval", "gate", "triage", "--model", "worse")
    assert later.code == 1, later.out
    assert "baseline  v1 at fake:gpt-test" in later.out


def test_the_verdict_is_the_exit_code(project: Path) -> None:
    same = typed(project, "eval", "gate", "triage", "--baseline", "draft", "--json")
    assert told_json(same)["verdict"] == "pass"
    worse = typed(project, "eval", "gate", "triage", "--model", "worse", "--baseline", "draft")
    assert worse.code == 1
    assert "FAIL" in worse.out
    write_suite(project, cases=20)
    few = typed(project, "eval", "gate", "triage", "--baseline", "draft", "--json")
    told = told_json(few, 3)
    assert (told["verdict"], told["evidence"].startswith("evals/triage/")) == ("inconclusive", True)
    write_suite(project, SUITE.replace("block", "warn"), cases=20)
    warned = typed(project, "eval", "gate", "triage", "--baseline", "draft")
    assert (warned.code, "INCONCLUSIVE" in warned.out) == (0, True)


def test_a_dry_run_asks_nothing(project: Path, provider: RunningFaultProvider) -> None:
    command = ("eval", "gate", "triage", "--baseline", "draft", "--model", "worse", "--dry-run")
    told = typed(project, *command)
    assert told.code == 0
    assert "80 cases x 1 repeat x 2 setups = 160 answers, 160 to ask for" in told.out
    assert "at most $" in told.out
    quote = typed(project, *command, "--json").json
    assert (quote["planned"], quote["missing"]) == (160, 160)
    assert quote["outlooks"][0]["metric"] == "accuracy"
    assert not provider.calls


def test_a_parameter_is_part_of_what_is_tried(project: Path) -> None:
    told = typed(
        project,
        "eval",
        "gate",
        "triage",
        "--set",
        "temperature=0.9",
        "--baseline",
        "draft",
        "--json",
    )
    found = told_json(told)
    assert found["candidate"]["overrides"] == {"temperature": 0.9}
    assert found["candidate"]["prompt_hash"] != found["baseline"]["prompt_hash"]


def test_gate_used_wrongly(project: Path) -> None:
    gate = ("eval", "gate", "triage")
    assert_told(typed(project, *gate, "--candidate", "v7"), 2, "has no version 'v7'")
    assert_told(typed(project, *gate, "--baseline-model", "worse"), 2, "--baseline draft")
    assert_told(
        typed(project, *gate, "--baseline", "none", "--baseline-model", "worse"), 2, "leave out"
    )
    assert_told(typed(project, *gate, "--set", "messages=[]"), 2, "not for a prompt to say")
    free = write_suite(project, 'model = "fast"\n[[evaluators]]\nuse = "contains"\n', name="free")
    case = {
        "id": "a",
        "messages": [{"role": "user", "content": "hi"}],
        "expected": {"contains": "x"},
    }
    (free / "cases.jsonl").write_text(json.dumps(case))
    assert_told(typed(project, "eval", "gate", "free", "--baseline", "v1"), 2, "about no prompt")
    compared = typed(project, "eval", "gate", "free", "--baseline-model", "worse", "--dry-run")
    assert "baseline  worse at fake:gpt-worse" in compared.out, compared.err


# ------------------------------------------------------------------ what a suite can tell


def test_power(project: Path, provider: RunningFaultProvider) -> None:
    told = typed(project, "eval", "power", "triage")
    assert "triage: accuracy" in told.out
    assert "80 (now)" in told.out
    assert "supposed: never run" in told.out
    typed(project, "eval", "run", "triage")
    cells = typed(project, "eval", "power", "triage", "--json").json
    assert {cell["known"] for cell in cells} == {True}
    assert {cell["repeats"] for cell in cells} == {1, 3, 5, 10}
    assert_told(typed(project, "eval", "power", "traige"), 2, "Did you mean triage")


def test_aa(project: Path, provider: RunningFaultProvider) -> None:
    found = typed(project, "eval", "aa", "triage", "--json").json
    assert found == {"splits": 500, "repeats": 1, "verdicts": {"pass": 500}}
    assert len(provider.calls) == 160
    assert "blocked (fail)  0.0%" in typed(project, "eval", "aa", "triage").out
    provider.play("gpt-worse", Behaviour(status=400))
    failed = typed(project, "eval", "aa", "triage", "--model", "worse")
    assert_told(failed, 1, "Not all answers are there")


def test_cases(project: Path, provider: RunningFaultProvider) -> None:
    assert "was never run" in typed(project, "eval", "cases", "triage").out
    typed(project, "eval", "run", "triage", "--repeats", "2")
    assert "With one setup nobody can say" in typed(project, "eval", "cases", "triage").out
    good, bad = Behaviour(text="billing", tokens=1), Behaviour(text="No idea.", tokens=2)
    provider.play("gpt-worse", *(one for _ in range(40) for one in (good, bad)), good)
    typed(project, "eval", "run", "triage", "--model", "worse")
    told = typed(project, "eval", "cases", "triage", "--top", "3")
    assert "80 cases, 2 setups tried" in told.out
    assert "Every setup passes them" in told.out
    found = typed(project, "eval", "cases", "triage", "--json").json
    assert [one["label"] for one in found["setups"]] == ["v1-draft", "v1-draft"]
    says = [case["says"] for case in found["cases"]]
    assert (says.count("all good"), says.count("")) == (40, 40)
    assert_told(typed(project, "eval", "cases", "nope"), 2, "no suite 'nope'")


# ------------------------------------------------------------------ production


def test_coverage_and_cases_from_production(tmp_path: Path, provider: RunningFaultProvider) -> None:
    extra = '[recording]\nbodies = "full"\n[classes.pro]\nusers = ["pro-*"]\n'
    lay_out(tmp_path, provider.base_url, extra=extra)
    write_suite(tmp_path, cases=10)
    assert "Production has not asked triage" in typed(tmp_path, "eval", "coverage", "triage").out
    asked = [("money, late", "pro-1"), ("legal", "pro-2"), ("", "free-1")]
    ids: list[str] = []
    with running_gateway(tmp_path, (tmp_path / "trimtab.toml").read_text()) as gateway:
        for number, (tags, user) in enumerate(asked):
            ticket = f"Mail ann{number}@example.org about it"
            reply = gateway.chat(
                model="",
                messages=[],
                prompt={"id": "triage", "variables": {"ticket": ticket}},
                user=user,
                metadata={"tags": tags} if tags else {},
            )
            assert reply.status == 200, reply.body
            ids.append(reply.headers["x-request-id"])
        wait_until(lambda: all(gateway.reader().body(one) for one in ids))
    typed(tmp_path, "eval", "run", "triage")
    found = typed(tmp_path, "eval", "coverage", "triage", "--json").json
    assert (found["inferences"], found["read"], found["tagged"]) == (3, 3, 2)
    assert found["missing"] == ["late", "legal"]
    assert found["unseen"] == ["other", "rare"]
    money = next(one for one in found["tags"] if one["tag"] == "money")
    assert (money["inferences"], money["cases"]) == (1, 5)
    classes = {one["tag"]: one["inferences"] for one in found["kinds"]["class"]}
    assert classes == {"class:pro": 2, "class:(none)": 1}
    told = typed(tmp_path, "eval", "coverage", "triage", "--since", "1h").out
    assert "Production has them, and no case: late, legal" in told
    assert_told(typed(tmp_path, "eval", "coverage", "triage", "--since", "soon"), 2, "30m, 24h")
    add_a_case(tmp_path, ids)


def add_a_case(project: Path, ids: list[str]) -> None:
    add = ("eval", "add", "triage", "--from-inference")
    told = typed(project, *add, ids[0], "--id", "from-ann", "--tag", "late", "--tag", "class:pro")
    assert told.code == 0, told.err
    assert "Wrote case from-ann to evals/triage/cases.jsonl:11" in told.out
    line = json.loads((project / "evals/triage/cases.jsonl").read_text().splitlines()[10])
    assert line["variables"] == {"ticket": "Mail [email] about it"}
    assert (line["tags"], line["from_inference"]) == (["late", "class:pro"], ids[0])
    assert "expected" not in line
    covered = typed(project, "eval", "coverage", "triage", "--json").json
    assert covered["missing"] == ["legal"]
    made = typed(project, *add, ids[1], "--json").json
    assert (made["case"]["id"], made["place"]) == (ids[1], "evals/triage/cases.jsonl:12")
    assert_told(typed(project, *add, ids[2], "--id", "from-ann"), 2, "on line 11")
    assert_told(typed(project, *add, "inf_nope"), 2, "no inference 'inf_nope'")
    assert_told(typed(project, "eval", "add", "triage"), 2, "--from-inference")


# ------------------------------------------------------------------ without scipy


def test_what_needs_scipy_says_so(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("missing")
    (missing / "scipy.py").write_text("raise ModuleNotFoundError('no scipy', name='scipy')\n")
    path = f"{missing}:{environment().get('PYTHONPATH', '')}"

    def without(*arguments: str) -> Done:
        done = subprocess.run(
            [*TRIMTAB, *arguments], cwd=project, capture_output=True, text=True, check=False,
            timeout=30, env={**environment(), "PYTHONPATH": path},
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    assert_told(without("eval", "gate", "triage"), 2, 'pip install "trimtab[evals]"')
    assert without("check").code == 0
    assert without("eval", "--help").code == 0
