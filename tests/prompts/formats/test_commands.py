"""Importing and exporting as commands."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from trimtab.cli.prompts.formats import export_prompt, import_prompts
from trimtab.errors import UsageError

FOREIGN = Path(__file__).parent / "foreign"

program = typer.Typer()
program.command("import")(import_prompts)
program.command("export")(export_prompt)


@pytest.fixture(name="project")
def project_(tmp_path: Path) -> Path:
    (tmp_path / "trimtab.toml").write_text("")
    return tmp_path


def run(project: Path, *words: str) -> Result:
    return CliRunner().invoke(program, [*words, "--project", str(project)])


def told(result: Result) -> str:
    assert isinstance(result.exception, UsageError), result.output
    return str(result.exception)


def test_a_prompt_is_imported_with_what_it_includes(project: Path):
    file = str(FOREIGN / "dotprompt" / "chat.prompt")
    result = run(
        project, "import", file, "--out", "their/own", "--model", "googleai/gemini-2.5-flash=fast"
    )
    assert result.exit_code == 0, result.output
    written = sorted(str(p.relative_to(project)) for p in project.rglob("*") if p.is_file())
    assert written == [
        "prompts/_partials/persona.md",
        "prompts/_partials/tone.md",
        "prompts/_tools/refund.json",
        "prompts/_tools/searchOrders.json",
        "prompts/their/own/chat.prompt.md",
        "trimtab.toml",
    ]
    assert "model: fast" in (project / "prompts/their/own/chat.prompt.md").read_text()
    assert "Wrote prompts/their/own/chat.prompt.md" in result.output
    assert "remark: " in result.output


def test_nothing_is_written_over(project: Path):
    file = str(FOREIGN / "dotprompt" / "bare.prompt")
    made = project / "prompts" / "bare.prompt.md"
    assert run(project, "import", file, "--dry-run").exit_code == 0
    assert not made.exists()
    assert run(project, "import", file).exit_code == 0
    assert run(project, "import", file).exit_code == 0  # the same text
    made.write_text("mine")
    assert "--force" in told(run(project, "import", file))
    assert "--force" in told(run(project, "import", file, "--dry-run"))
    assert made.read_text() == "mine"
    assert run(project, "import", file, "--force").exit_code == 0
    assert "joke" in made.read_text()


def test_all_or_nothing(project: Path):
    (project / "prompts").mkdir()
    (project / "prompts" / "photo.prompt.md").write_text("mine")
    files = [str(FOREIGN / "dotprompt" / name) for name in ("bare.prompt", "photo.prompt")]
    told(run(project, "import", *files))
    assert not (project / "prompts" / "bare.prompt.md").exists()


def test_a_file_goes_there_and_back(project: Path, tmp_path: Path):
    assert (
        run(
            project, "import", str(FOREIGN / "prompty" / "tools.prompty"), "--model", "gpt-4o=m"
        ).exit_code
        == 0
    )
    out = tmp_path / "out" / "x.json"
    result = run(project, "export", "tools", "--format", "openai", "--out", str(out), "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["files"] == [str(out)]
    assert json.loads(out.read_text())["tools"][0]["name"] == "get_weather"
    assert "--force" not in run(project, "export", "tools", "--format", "openai").output
    out.write_text("mine")
    assert "--force" in told(
        run(project, "export", "tools", "--format", "openai", "--out", str(out))
    )


def test_standard_output_holds_the_text_alone(project: Path):
    run(project, "import", str(FOREIGN / "dotprompt" / "chat.prompt"))
    result = run(project, "export", "chat", "--format", "dotprompt")
    assert result.stdout.startswith("---\nname: chat\n")
    assert "remark" not in result.stdout
    assert "_persona.prompt belongs beside it" in result.stderr
    shown = json.loads(run(project, "export", "chat", "--format", "langfuse", "--json").stdout)
    assert json.loads(shown["text"])["name"] == "chat"


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("import", str(FOREIGN / "langfuse" / "text.json")), "dotprompt or langfuse"),
        (("import", str(FOREIGN / "none.prompt")), "Check its name"),
        (("import", str(FOREIGN / "dotprompt" / "bare.prompt"), "--format", "docx"), "Use one of"),
        (("import", str(FOREIGN / "dotprompt" / "bare.prompt"), "--model", "x"), "THEIRS=OURS"),
        (("export", "x", "--format", "docx"), "Use one of"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(project: Path, words: tuple[str, ...], remedy: str):
    assert remedy in told(run(project, *words))


def test_files_outside_of_the_folder_are_not_read(project: Path, tmp_path: Path):
    (tmp_path / "secret.txt").write_text("very secret")
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "c.yaml").write_text("prompts: [file://../secret.txt]\nproviders: [m]\n")
    result = run(project, "import", str(folder / "c.yaml"))
    assert result.exit_code == 0
    assert "cannot be read" in result.output
    assert not any("very secret" in p.read_text() for p in (project / "prompts").rglob("*.md"))
