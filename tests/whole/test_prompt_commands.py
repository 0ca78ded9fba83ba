"""`trimtab prompts` as people and programs use it, and what `trimtab check` says about prompts."""

import json
import subprocess
from pathlib import Path

import pytest

from harness import TRIMTAB, project_text
from prompts.files import TRIAGE, file, library
from whole.test_cli import assert_told, run
from whole.typed import Done


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a prompt without fault and one with faults."""
    (tmp_path / "trimtab.toml").write_text(project_text("http://127.0.0.1:9/v1"))
    (tmp_path / "evals" / "triage").mkdir(parents=True)
    library(
        tmp_path,
        {
            "support/triage.prompt.md": TRIAGE,
            "bad.prompt.md": file("{{ nope }}").replace("fast", "fsat"),
        },
    )
    return tmp_path


def test_the_list(project: Path) -> None:
    told = run(project, "prompts", "list")
    assert told.code == 0
    for word in ("support/triage", "v1-draft", "fast", "never recorded", "2 errors, 1 warning"):
        assert word in told.out
    bad, good = run(project, "prompts", "list", "--json").json
    assert (bad["id"], bad["errors"], bad["warnings"]) == ("bad", 2, 1)
    assert (good["version"], good["suite"], good["errors"]) == ("v1-draft", "triage", 0)
    assert (good["recorded"], good["changed"]) == (None, True)


def test_a_prompt_that_cannot_be_parsed_is_in_the_list(project: Path) -> None:
    library(project, {"bad.prompt.md": file("{{ x"), "worse.prompt.md": "{% include name %}"})
    bad, worse, _ = run(project, "prompts", "list", "--json").json
    assert (bad["version"], bad["hash"], bad["errors"]) == (None, None, 1)
    assert worse["errors"] >= 1
    assert "?" in run(project, "prompts", "list").out


def test_the_life_of_a_version(project: Path) -> None:
    recorded = run(project, "prompts", "record", "support/triage")
    assert "is on record as v1. Commit" in recorded.out
    path = project / "prompts" / "_versions" / "support" / "triage" / "v1.json"
    before = path.read_bytes()
    again = run(project, "prompts", "record", "support/triage")
    assert (again.code, again.out) == (0, "support/triage is already v1.\n")
    library(project, {"support/triage.prompt.md": TRIAGE.replace("Sort", "Read and sort")})
    (row,) = [one for one in run(project, "prompts", "list", "--json").json if one["id"] != "bad"]
    assert (row["version"], row["recorded"], row["changed"]) == ("v2-draft", "v1", True)
    made = run(project, "prompts", "record", "support/triage", "--json").json
    assert (made["version"], made["new"]) == ("v2", True)
    assert Path(made["file"]).name == "v2.json"
    assert path.read_bytes() == before
    old = run(project, "prompts", "show", "support/triage@v1", "--json").json
    new = run(project, "prompts", "show", "support/triage", "--json").json
    assert (old["version"], new["version"]) == ("v1", "v2")
    assert "Read and sort" not in old["body"]
    assert "Read and sort" in new["body"]
    path.write_bytes(before.replace(b"Sort", b"Lose"))
    assert_told(run(project, "prompts", "show", "support/triage@v1"), 2, "v1.json", "changed")
    assert_told(run(project, "prompts", "show", "support/triage@v7"), 2, "v7", "draft, v2, v1")
    path.write_text("{")
    assert run(project, "prompts", "list").code == 0
    assert_told(run(project, "prompts", "record", "support/triage"), 2, "v1.json")


def test_what_is_shown(project: Path) -> None:
    library(
        project,
        {"p.prompt.md": file('{% include "_partials/a.md" %}'), "_partials/a.md": "a partial"},
    )
    shown = run(project, "prompts", "show", "p").out
    for word in ("p v1-draft", "model: fast", "# prompts/_partials/a.md\na partial", "none"):
        assert word in shown
    shown = run(project, "prompts", "show", "support/triage").out
    assert "ticket: string, untrusted\nlocale: string, optional\n" in shown


# ------------------------------------------------------------------ render


def rendered(project: Path, *arguments: str, said: str = "") -> Done:
    done = subprocess.run(
        [*TRIMTAB, "prompts", "render", *arguments],
        cwd=project, capture_output=True, text=True, check=False, timeout=30, input=said,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-800:]
    return Done(done.returncode, done.stdout, done.stderr)


def test_variables_are_json_unless_the_schema_wants_text(project: Path) -> None:
    schema = "input: {schema: {text?: string, n?: integer, any?: any, list?(array): string}}"
    body = "{{ text is string }} {{ n }} {{ any | tojson }} {{ list }}"
    library(project, {"p.prompt.md": file(body, schema)})
    pairs = ("text=12", "n=3", 'any={"a": [1]}', 'list=["x=y"]')
    told = rendered(project, "p", *(part for pair in pairs for part in ("--var", pair)))
    assert told.out == '[user]\ntrue 3 {"a": [1]} ["x=y"]\n'
    plain = rendered(project, "p", "--var", "any=not json", "--var", "n=1", "--var", "list=[]")
    assert plain.out == '[user]\nfalse 1 "not json" []\n'


def test_variables_of_a_file(project: Path) -> None:
    (project / "vars.json").write_text('{"ticket": "of the file", "locale": "fr"}')
    told = rendered(project, "support/triage", "--vars", "vars.json", "--var", "locale=de")
    assert "Answer in de." in told.out
    assert "<untrusted>\nof the file\n</untrusted>" in told.out
    piped = rendered(project, "support/triage", "--vars", "-", "--json", said='{"ticket": "piped"}')
    answer = piped.json
    assert [message["role"] for message in answer["messages"]] == ["system", "user"]
    assert (answer["prompt"], answer["version"], answer["model"]) == (
        "support/triage",
        "v1-draft",
        "fast",
    )


def test_the_callers_messages_and_images(project: Path) -> None:
    body = "rules\n<<history>>\n<<user>>\nlook\n<<image photo>>"
    library(project, {"p.prompt.md": file(body, "input: {schema: {photo: string}}")})
    address = "https://a.example/" + "x" * 200
    shown = rendered(project, "p", "--var", f"photo={address}").out
    assert (
        "[history]\n(the messages that the caller sends)\n\n[user]\nlook\n(image https://" in shown
    )
    assert address not in shown
    answer = rendered(project, "p", "--var", f"photo={address}", "--json").json
    assert answer["history_at"] == 1
    assert answer["messages"][1]["content"][1]["image_url"]["url"] == address


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["support/triage"], 2, ("`ticket` is missing", "locale (optional)")),
        (
            ["support/triage", "--var", "ticket=hunter2", "--var", "n=1"],
            2,
            ("`n` is not expected",),
        ),
        (["support/triage", "--var", "ticket"], 2, ("NAME=VALUE",)),
        (["support/triage", "--var", "=x"], 2, ("NAME=VALUE",)),
        (["support/triage", "--vars", "no.json"], 2, ("no.json cannot be read",)),
        (["support/triage", "--vars", "trimtab.toml"], 2, ("no JSON object",)),
        (["support/triage", "--vars", "-"], 2, ("Standard input is no JSON object",)),
        (["support/traige"], 2, ("Did you mean support/triage",)),
        (["support/triage@v1"], 2, ("has no version 'v1'",)),
        ([], 2, ("Missing argument",)),
    ],
)
def test_rendering_that_fails(
    project: Path, arguments: list[str], code: int, words: tuple[str, ...]
) -> None:
    told = rendered(project, *arguments)
    assert_told(told, code, *words)
    assert "hunter2" not in told.err


# ------------------------------------------------------------------ lint and check


def test_lint_fails_on_errors_only(project: Path) -> None:
    told = run(project, "prompts", "lint")
    assert told.code == 1
    assert "error: prompts/bad.prompt.md:2: the project has no model or route 'fsat'" in told.out
    assert "[undeclared-name]" in told.out
    assert "2 prompts: 2 errors, 1 warning." in told.out
    good = run(project, "prompts", "lint", "support/triage")
    assert (good.code, good.out) == (0, "1 prompt: 0 errors, 0 warnings.\n")
    library(project, {"bad.prompt.md": file("a prompt")})
    warned = run(project, "prompts", "lint")
    assert (warned.code, "[no-suite]" in warned.out) == (0, True)
    assert_told(run(project, "prompts", "lint", "nope"), 2, "no prompt 'nope'")


def test_lint_as_json(project: Path) -> None:
    told = run(project, "prompts", "lint", "--json")
    assert told.code == 1
    answer = json.loads(told.out)
    assert (answer["ok"], answer["errors"]) == (False, 2)
    assert {one["rule"] for one in answer["lints"]} == {
        "unknown-model",
        "undeclared-name",
        "no-suite",
    }


def test_models_of_others_float_and_ones_own_do_not(project: Path) -> None:
    text = (project / "trimtab.toml").read_text()
    assert "[floating-model]" not in run(project, "prompts", "lint").out
    others = text.replace("http://127.0.0.1:9/v1", "https://api.provider.example/v1")
    (project / "trimtab.toml").write_text(others)
    told = run(project, "prompts", "lint", "support/triage")
    assert (told.code, "[floating-model]" in told.out) == (0, True)
    (project / "trimtab.toml").write_text(others.replace("gpt-test", "gpt-test-2026-10-01"))
    assert "[floating-model]" not in run(project, "prompts", "lint").out


def test_check_tells_of_prompts(project: Path) -> None:
    told = run(project, "check")
    assert told.code == 1
    assert "error: prompts/bad.prompt.md:4: `nope` is not declared [undeclared-name]" in told.out
    assert "warning: prompts/bad.prompt.md:2: no suite" in told.out
    answer = json.loads(run(project, "check", "--json").out)
    assert len(answer["errors"]) == 2
    (project / "prompts" / "bad.prompt.md").unlink()
    fine = run(project, "check")
    assert (fine.code, "is valid" in fine.out) == (0, True)


def test_without_prompts(project: Path) -> None:
    for path in sorted((project / "prompts").rglob("*"), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    assert "is empty" in run(project, "prompts", "list").out
    (project / "prompts").rmdir()
    assert run(project, "check").code == 0
    for command in (["list"], ["lint"], ["show", "a"], ["render", "a"], ["record", "a"]):
        assert_told(run(project, "prompts", *command), 2, "no folder", "NAME.prompt.md")
    (project / "trimtab.toml").unlink()
    assert_told(run(project, "prompts", "list"), 2, "trimtab init")


def test_elsewhere_than_in_the_project(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    told = run(elsewhere, "prompts", "lint", "support/triage", "--project", str(project))
    assert told.code == 0
    assert run(project / "prompts" / "support", "prompts", "list").code == 0
