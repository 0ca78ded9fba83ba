"""The history of a prompt, of real repositories."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from prompts.commits import TONE, TRIAGE, Commits, commits_in
from trimtab.errors import ConfigError, UsageError
from trimtab.prompts import git_program
from trimtab.prompts.git import at_revision, blame, history
from trimtab.prompts.library import load_library
from trimtab.prompts.versions import record_text

OtherGit = Callable[[str, str], None]
TOOL = '{"name": "look", "parameters": {"type": "object"}}'


@pytest.fixture(params=["", "services/support"])
def commits(tmp_path: Path, request: pytest.FixtureRequest) -> Commits:
    """A repository whose project is its root, and one whose project is below it."""
    made = commits_in(tmp_path, below=request.param)
    made.commit("Triage", {"triage.prompt.md": TRIAGE, "_partials/tone.md": TONE})
    return made


def subjects(commits: Commits, prompt_id: str = "triage") -> list[tuple[str, bool]]:
    found = history(commits.library, prompt_id)
    return [(revision.subject, revision.is_change) for revision in found.revisions]


def record(commits: Commits, number: int) -> str:
    """Put the working version on record; its hash."""
    library = commits.library
    prompt = library.prompt("triage")
    text = record_text(prompt, library.read, number=number, today=date(2026, 1, 2))
    commits.write({f"_versions/triage/v{number}.json": text})
    return prompt.version_hash


def test_commits_of_the_file_its_partials_and_its_tools_are_there_newest_first(commits: Commits):
    commits.commit("Another prompt", {"other.prompt.md": "---\nmodel: m\n---\nHello"})
    commits.commit("A partial of nobody", {"_partials/other.md": "x"})
    commits.commit("The tone", {"_partials/tone.md": "Be brief.\n"})
    with_tool = TRIAGE.replace("input:", "tools: [look]\ninput:")
    commits.commit("A tool", {"triage.prompt.md": with_tool, "_tools/look.json": TOOL})
    commits.commit("The tool says more", {"_tools/look.json": TOOL.replace("look", "look_up")})
    assert subjects(commits) == [
        ("The tool says more", True),
        ("A tool", True),
        ("The tone", True),
        ("Triage", True),
    ]


def test_commits_that_change_no_behaviour_are_marked(commits: Commits):
    described = TRIAGE.replace("model:", "description: Sorts\nmodel:")
    commits.commit("Describe", {"triage.prompt.md": described})
    commits.commit("An empty line", {"_partials/tone.md": TONE.strip()})
    assert subjects(commits) == [("An empty line", False), ("Describe", False), ("Triage", True)]
    hashes = {revision.version_hash for revision in history(commits.library, "triage").revisions}
    assert hashes == {commits.library.prompt("triage").version_hash}


def test_a_revision_says_who_when_and_which_version_on_record(commits: Commits):
    first = record(commits, 1)
    longer = TRIAGE.replace("tickets.", "tickets of users.")
    made = commits.commit("Users\n\nMore.", {"triage.prompt.md": longer}, author="Zoë")
    newest, oldest = history(commits.library, "triage").revisions
    assert (newest.commit, newest.author, newest.subject) == (made, "Zoë", "Users")
    assert newest.date == datetime(2026, 1, 1, 0, tzinfo=UTC)
    assert newest.version == ""
    assert (oldest.version, oldest.version_hash) == ("v1", first)
    assert msgspec.json.decode(msgspec.json.encode(newest))["author"] == "Zoë"


def test_a_file_that_was_wrong_for_a_while_is_the_version_that_it_was(commits: Commits):
    commits.commit("Break", {"triage.prompt.md": TRIAGE.replace("{{ ticket }}", "{{ ticket")})
    commits.commit("Mend", {"triage.prompt.md": TRIAGE})
    commits.commit("Remove", {"triage.prompt.md": None})
    remove, mend, broken, _ = history(commits.library, "triage").revisions
    assert (mend.is_change, mend.problem) == (False, "")
    assert broken.version_hash == ""
    assert broken.problem.startswith(f"{broken.commit[:8]}:prompts/triage.prompt.md:8: ")
    assert "no such file" in remove.problem


def test_a_branch_that_was_merged_is_in_the_history(commits: Commits):
    commits.git("checkout", "--quiet", "-b", "side")
    commits.commit("On the side", {"triage.prompt.md": TRIAGE.replace("You", "You always")})
    commits.git("checkout", "--quiet", "main")
    commits.commit("On main", {"_partials/tone.md": "Be short.\n"})
    commits.git("merge", "--quiet", "--no-edit", "side")
    found = subjects(commits)
    assert sorted(found[1:3]) == [("On main", True), ("On the side", True)]
    assert (found[0], found[3]) == (("Merge branch 'side'", True), ("Triage", True))


def test_only_so_many_commits_are_shown(commits: Commits):
    for number in range(4):
        commits.commit(f"Tone {number}", {"_partials/tone.md": f"Tone {number}"})
    found = history(commits.library, "triage", most=2)
    assert [revision.subject for revision in found.revisions] == ["Tone 3", "Tone 2"]
    assert not found.is_complete
    assert history(commits.library, "triage").is_complete


def test_a_shallow_clone_says_that_there_is_more(tmp_path: Path):
    made = commits_in(tmp_path)
    made.commit("Triage", {"triage.prompt.md": TRIAGE, "_partials/tone.md": TONE})
    made.commit("The tone", {"_partials/tone.md": "Be brief.\n"})
    clone = tmp_path / "clone"
    made.git("clone", "--quiet", "--depth=1", f"file://{made.root}", str(clone))
    found = history(load_library(clone), "triage")
    assert len(found.revisions) == 1
    assert not found.is_complete


def test_blame_names_the_version_in_which_a_line_came_in(commits: Commits):
    record(commits, 1)
    longer = TRIAGE.replace("{{ ticket }}", "The ticket:\n{{ ticket }}")
    made = commits.commit("Users", {"triage.prompt.md": longer}, author="Zoë")
    hash_then = commits.library.prompt("triage").version_hash
    commits.write({"triage.prompt.md": longer + "Thanks.\n"})
    lines = blame(commits.library, "triage").lines
    assert "\n".join(line.text for line in lines) == (longer + "Thanks.")
    assert [line.number for line in lines] == list(range(1, 11))
    assert {line.version for line in lines[:7]} == {"v1"}
    added, own = lines[7], lines[9]
    assert (added.commit, added.author, added.version) == (made, "Zoë", hash_then[:8])
    assert added.date == datetime(2026, 1, 1, 0, tzinfo=UTC)
    assert (own.text, own.commit, own.date, own.version) == ("Thanks.", "", None, "")


def test_blame_goes_on_before_a_new_name(commits: Commits):
    commits.commit(
        "Move", {"triage.prompt.md": None, "support/triage.prompt.md": TRIAGE}, author="Zoë"
    )
    lines = blame(commits.library, "support/triage").lines
    assert {line.author for line in lines} == {"Ada"}
    assert {len(line.version) for line in lines} == {8}


def test_what_was_never_committed_is_told(commits: Commits):
    commits.write({"new.prompt.md": "---\nmodel: m\n---\nHello"})
    for found in (history(commits.library, "new"), blame(commits.library, "new")):
        assert found.problem == (
            "Git has no commit with prompts/new.prompt.md. Commit the file first."
        )


def test_a_revision_of_any_kind_gives_the_prompt(commits: Commits):
    old = commits.library.prompt("triage").version_hash
    commits.git("tag", "good")
    commits.commit("The tone", {"_partials/tone.md": "Be brief.\n"})
    commits.git("branch", "next")
    new = commits.library.prompt("triage").version_hash
    assert old != new
    for revision in ("good", "HEAD~1", "main^"):
        assert at_revision(commits.library, "triage", revision).version_hash == old
    for revision in ("next", "HEAD", "@", commits.git("rev-parse", "HEAD")):
        prompt = at_revision(commits.library, "triage", revision)
        assert prompt.version_hash == new
    assert prompt.render({"ticket": "Help"}).messages[0]["content"] == (
        "You triage tickets.\nBe brief."
    )


@pytest.mark.parametrize(
    "revision", ["", "--all", "-h", "^HEAD", "nothing", "HEAD\n", "HEAD..HEAD~1", "HEAD:prompts"]
)
def test_what_is_no_revision_is_refused(commits: Commits, revision: str):
    commits.commit("Another", {"_partials/tone.md": "x"})
    with pytest.raises(UsageError, match=r"Give a commit, a branch or a tag"):
        at_revision(commits.library, "triage", revision)


def test_a_prompt_that_a_revision_has_not_or_has_wrong_is_told(commits: Commits):
    commits.commit("New", {"new.prompt.md": "---\nmodel: m\n---\nHello"})
    with pytest.raises(UsageError, match=r"Revision 'HEAD~1' has no prompt 'new'\. Look for one"):
        at_revision(commits.library, "new", "HEAD~1")
    commits.commit("Latin", {"new.prompt.md": "---\nmodel: m\n---\nGrüße".encode("latin-1")})
    with pytest.raises(ConfigError, match=r"new\.prompt\.md: cannot be read as UTF-8"):
        at_revision(commits.library, "new", "HEAD")


@pytest.mark.parametrize("name", ["", "../triage", "/etc/x", "a//b", "a/./b", "a\nb"])
def test_a_name_that_leads_elsewhere_is_refused(commits: Commits, name: str):
    for ask in (history, blame):
        with pytest.raises(UsageError, match="is no name of a prompt"):
            ask(commits.library, name)


def test_names_with_marks_of_git_are_only_names(commits: Commits):
    plain = "---\nmodel: m\n---\nHello"
    names = ["odd/[a]*", "-x", "größe", "two words", ":(top)b"]
    commits.commit("Odd", {f"{name}.prompt.md": plain for name in names})
    for name in names:
        assert subjects(commits, name) == [("Odd", True)], name
        assert blame(commits.library, name).lines[0].text == "---"
    assert subjects(commits, "odd/*") == []


def test_without_a_repository_the_results_say_so(tmp_path: Path):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "triage.prompt.md").write_text("---\nmodel: m\n---\nHello")
    library = load_library(tmp_path)
    for found in (history(library, "triage"), blame(library, "triage")):
        assert found.problem == (
            "This folder is in no git repository, so there is no history. Run `git init`."
        )
    with pytest.raises(UsageError, match="no git repository"):
        at_revision(library, "triage", "HEAD")
    none = load_library(tmp_path / "nowhere")
    assert history(none, "triage").problem.startswith("There is no folder prompts")


def test_without_git_the_results_say_so(
    commits: Commits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    library = commits.library
    monkeypatch.setenv("PATH", str(tmp_path))
    for found in (history(library, "triage"), blame(library, "triage")):
        assert found.problem == "Git is not installed, so there is no history. Install git."


def test_a_repository_without_a_commit_says_so(tmp_path: Path):
    made = commits_in(tmp_path)
    made.write({"triage.prompt.md": TRIAGE, "_partials/tone.md": TONE})
    assert "has no commit yet" in history(made.library, "triage").problem
    assert "Commit the file first" in blame(made.library, "triage").problem


def test_settings_of_a_hook_or_a_user_do_not_lead_elsewhere(
    commits: Commits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    commits.git("config", "log.showSignature", "true")
    made = commits.commit("You", {"triage.prompt.md": TRIAGE.replace("You triage", "Triage")})
    ignored = tmp_path / "ignored"
    ignored.write_text(made)
    commits.git("config", "blame.ignoreRevsFile", str(ignored))
    commits.git("config", "color.ui", "always")
    commits.git("config", "blame.coloring", "repeatedLines")
    assert subjects(commits) == [("You", True), ("Triage", True)]
    assert blame(commits.library, "triage").lines[4].commit == made


@pytest.fixture
def other_git(commits: Commits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a `git` in front of the real one that does something else for a command."""
    real = commits.git("--exec-path") + "/git"
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(command: str, does: str) -> None:
        (folder / "git").write_text(
            f'#!/bin/sh\nfor word in "$@"; do [ "$word" = {command} ] && {does}; done\n'
            f'exec {real} "$@"\n'
        )
        (folder / "git").chmod(0o755)

    return put


def test_a_program_that_ends_early_is_a_problem_and_no_crash(commits: Commits, other_git: OtherGit):
    other_git("cat-file", "exit 1")
    assert history(commits.library, "triage").problem.startswith("Git ended early")
    assert blame(commits.library, "triage").problem.startswith("Git ended early")
    with pytest.raises(UsageError, match="Git ended early"):
        at_revision(commits.library, "triage", "HEAD")


@pytest.mark.parametrize("command", ["log", "cat-file"])
def test_a_program_that_hangs_is_ended(
    commits: Commits, other_git: OtherGit, monkeypatch: pytest.MonkeyPatch, command: str
):
    other_git(command, "exec sleep 600")
    monkeypatch.setattr(git_program, "_LIMIT_S", 0.5)
    assert "needed more than 0.5 s" in history(commits.library, "triage").problem


def test_what_git_complains_of_is_told(commits: Commits, other_git: OtherGit):
    says = '{ echo "fatal: dubious ownership" >&2; exit 128; }'
    other_git("rev-parse", says)
    assert history(commits.library, "triage").problem == (
        "Git does not read this folder: fatal: dubious ownership. Do what it says, and try again."
    )
    other_git("blame", says)
    assert (
        "who wrote prompts/triage.prompt.md: fatal: dub" in blame(commits.library, "triage").problem
    )
    other_git("log", says)
    assert history(commits.library, "triage").problem.startswith("Git has no log: fatal: dubious")


def test_a_file_that_was_too_large_is_told_and_not_read(commits: Commits):
    commits.commit("Large", {"triage.prompt.md": TRIAGE + "x" * 2_000_000})
    newest = history(commits.library, "triage").revisions[0]
    assert newest.problem.endswith("prompts/triage.prompt.md: larger than 2 MB")
    assert not newest.is_change


def test_a_commit_of_an_impossible_date_is_shown(commits: Commits):
    tree = commits.git("rev-parse", "HEAD^{tree}")
    text = f"tree {tree}\nauthor A <a> 99999999999999999 +0000\ncommitter A <a> 1 +0000\n\nOdd\n"
    file = commits.root / "odd"
    file.write_text(text)
    odd = commits.git("hash-object", "-t", "commit", "-w", "--literally", str(file))
    commits.git("reset", "--quiet", "--soft", odd)
    (revision,) = history(commits.library, "triage").revisions
    assert (revision.subject, revision.date.year) == ("Odd", 1970)


def test_text_of_a_commit_cannot_drive_a_terminal(commits: Commits):
    commits.commit("Red \x1b[31malert", {"_partials/tone.md": "x"}, author="A\x1b[2Jda")
    newest = history(commits.library, "triage").revisions[0]
    assert newest.subject == "Red  [31malert"
    assert newest.author == "A [2Jda"
