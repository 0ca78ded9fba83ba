"""Lines of CODEOWNERS from the owners that prompts name."""

import subprocess
from pathlib import Path

import pytest

from harness import trimtab
from releases.project import write
from trimtab.errors import UsageError
from trimtab.prompts.library import load_library
from trimtab.releases.owners import END, begin_line, owner_lines, owners_file, with_owners

BEGIN = begin_line("")
LINES = [
    "/releases/ @ml @support",
    "/prompts/_partials/ @ml @support",
    "/prompts/support/triage.prompt.md @support @ml",
    "/prompts/_versions/support/triage/ @support @ml",
]


def test_the_owners_of_a_prompt_own_its_file_and_its_versions(project_folder: Path):
    library = write(project_folder, "well")
    assert list(owner_lines(library)) == LINES
    block = "\n".join((BEGIN, *LINES, END))
    assert with_owners("", library) == f"{block}\n"
    once = with_owners("* @all\n", library)
    assert once == f"* @all\n\n{block}\n"
    assert with_owners(f"{once}/src/ @dev\n", library) == f"{once}/src/ @dev\n"


def test_an_owner_is_no_line_of_its_own(project_folder: Path):
    write(project_folder, "well")
    file = project_folder / "prompts/other.prompt.md"
    file.write_text('---\nmodel: main\nowners: ["@a\\n* @b", " "]\n---\nHi\n')
    lines = list(owner_lines(load_library(project_folder)))
    assert "/prompts/other.prompt.md @a * @b" in lines
    assert all(line.startswith("/") for line in lines)


def test_lines_of_others_are_kept_where_the_end_of_ours_is_gone(project_folder: Path):
    library = write(project_folder, "well")
    with pytest.raises(UsageError, match="Put it back"):
        with_owners(f"{BEGIN}\n/src/ @dev\n", library)


def test_nothing_is_written_while_a_prompt_is_wrong(project_folder: Path):
    text = '[providers.one]\nkind = "openai"\n[models.main]\nref = "one:gpt"\n'
    (project_folder / "trimtab.toml").write_text(text)
    write(project_folder, "well")
    done = trimtab("release", "owners", "--write", folder=project_folder)
    assert done.returncode == 0, done.stderr
    written = (project_folder / ".github/CODEOWNERS").read_text()
    file = project_folder / "prompts/support/triage.prompt.md"
    file.write_text(file.read_text().replace("model: main", "modle: main"))
    done = trimtab("release", "owners", "--write", folder=project_folder)
    assert done.returncode != 0
    assert "support/triage.prompt.md" in done.stderr
    assert (project_folder / ".github/CODEOWNERS").read_text() == written


def test_a_project_below_the_top_of_its_repository(project_folder: Path):
    """Paths count from the top, and the file that is there is the one."""
    inside = project_folder / "apps" / "help desk"
    inside.mkdir(parents=True)
    text = '[providers.one]\nkind = "openai"\n[models.main]\nref = "one:gpt"\n'
    (inside / "trimtab.toml").write_text(text)
    write(inside, "well")
    subprocess.run(["git", "init", "-q", project_folder], check=True)
    (project_folder / "docs").mkdir()
    file = project_folder / "docs/CODEOWNERS"
    file.write_text("* @all\n")
    done = trimtab("release", "owners", "--write", folder=inside)
    assert done.returncode == 0, done.stderr
    lines = [line.replace("/", r"/apps/help\ desk/", 1) for line in LINES]
    block = "\n".join((begin_line("apps/help desk/"), *lines, END))
    assert file.read_text() == f"* @all\n\n{block}\n"
    assert trimtab("release", "owners", folder=inside).stdout.splitlines() == lines


def test_the_file_of_a_repository(project_folder: Path):
    assert owners_file(project_folder) == project_folder / ".github/CODEOWNERS"
    (project_folder / "CODEOWNERS").write_text("")
    assert owners_file(project_folder) == project_folder / "CODEOWNERS"
