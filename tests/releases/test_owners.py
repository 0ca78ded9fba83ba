"""Lines of CODEOWNERS from the owners that prompts name."""

from pathlib import Path

import pytest

from harness import trimtab
from releases.project import write
from trimtab.errors import UsageError
from trimtab.prompts.library import load_library
from trimtab.releases.owners import BEGIN, END, owner_lines, with_owners

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
