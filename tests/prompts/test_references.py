"""How people say which version they mean."""

from datetime import date
from pathlib import Path

import pytest

from prompts.commits import TONE, TRIAGE, Commits, commits_in
from trimtab.errors import ConfigError, UsageError
from trimtab.prompts.references import resolve_reference
from trimtab.prompts.versions import record_text

HELLO = "---\nmodel: m\n---\nHello"


@pytest.fixture
def commits(tmp_path: Path) -> Commits:
    """v1 of triage in git and on record; another version in the file."""
    made = commits_in(tmp_path)
    made.write({"triage.prompt.md": TRIAGE, "_partials/tone.md": TONE})
    library = made.library
    text = record_text(library.prompt("triage"), library.read, number=1, today=date(2026, 1, 2))
    made.commit("Triage", {"_versions/triage/v1.json": text, "support/hello.prompt.md": HELLO})
    made.write({"_partials/tone.md": "Be brief.\n"})
    return made


def tone_of(
    commits: Commits, text: str, releases: dict[str, dict[str, str]] | None = None
) -> list[tuple[str, str]]:
    """Ids, and the texts of `tone.md`, of what a reference means."""
    found = resolve_reference(commits.library, text, releases or {})
    return [
        (prompt_id, prompt.behaviour.partials.get("_partials/tone.md", ""))
        for prompt_id, prompt in found
    ]


def first_hash(commits: Commits) -> str:
    return commits.library.records("triage")[0].hash


def test_a_version_by_any_of_its_names(commits: Commits):
    whole = first_hash(commits)
    for text in ("triage@v1", f"triage@{whole}", f"triage@{whole[:8]}", "triage@git:HEAD"):
        assert tone_of(commits, text) == [("triage", "Be kind.")], text
    for text in ("triage", "triage@draft"):
        assert tone_of(commits, text) == [("triage", "Be brief.")], text
    assert tone_of(commits, "support/hello") == [("support/hello", "")]


def test_the_path_of_a_file(commits: Commits, monkeypatch: pytest.MonkeyPatch):
    file = commits.project / "prompts" / "triage.prompt.md"
    assert tone_of(commits, str(file)) == [("triage", "Be brief.")]
    assert tone_of(commits, "prompts/triage.prompt.md") == [("triage", "Be brief.")]
    assert tone_of(commits, f"{file}@v1") == [("triage", "Be kind.")]
    monkeypatch.chdir(file.parent / "support")
    assert tone_of(commits, "../triage.prompt.md") == [("triage", "Be brief.")]
    assert tone_of(commits, "hello.prompt.md") == [("support/hello", "")]


def test_the_path_of_a_file_of_another_project(commits: Commits, tmp_path: Path):
    other = tmp_path / "other" / "prompts"
    for name, text in {"a/b.prompt.md": TRIAGE, "_partials/tone.md": "Theirs."}.items():
        (other / name).parent.mkdir(parents=True)
        (other / name).write_text(text)
    (tmp_path / "lone.prompt.md").write_text(HELLO)
    assert tone_of(commits, str(other / "a/b.prompt.md")) == [("a/b", "Theirs.")]
    assert tone_of(commits, str(tmp_path / "lone.prompt.md")) == [("lone", "")]
    with pytest.raises(UsageError, match="is not in prompts of this project"):
        tone_of(commits, f"{other / 'a/b.prompt.md'}@v1")


def test_an_environment_is_all_its_versions(commits: Commits):
    hello = commits.library.prompt("support/hello").version_hash
    releases = {"production": {"triage": first_hash(commits), "support/hello": hello}}
    assert tone_of(commits, "production", releases) == [
        ("support/hello", ""),
        ("triage", "Be kind."),
    ]


def test_an_environment_without_releases_or_with_one_that_is_gone_is_told(commits: Commits):
    with pytest.raises(UsageError, match=r"'staging' has no releases\. Promote a version"):
        tone_of(commits, "staging", {"staging": {}})
    with pytest.raises(UsageError, match=r"'staging' names it: .* no version '0000"):
        tone_of(commits, "staging", {"staging": {"triage": "0" * 64}})


def test_a_name_of_two_things_is_refused(commits: Commits):
    releases = {"triage": {"triage": first_hash(commits)}}
    with pytest.raises(UsageError, match="Write triage@draft for the prompt"):
        tone_of(commits, "triage", releases)
    assert tone_of(commits, "triage@draft", releases) == [("triage", "Be brief.")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("triag", "Did you mean triage?"),
        ("productoin", "Did you mean production?"),
        ("", r"Give ID, ID@v12, .* Prompts: support/hello, triage. Environments: production."),
        ("triage@v7", "It has draft, v1. Write triage@git:REVISION"),
        ("triage@", "It has draft, v1"),
        ("triage@git:nothing", "Give a commit, a branch or a tag"),
        ("triage@git:--all", "Give a commit, a branch or a tag"),
        ("nobody@v1", "The project has no prompt 'nobody'"),
        ("../etc@git:HEAD", "is no name of a prompt"),
        ("no/such.prompt.md", "There is no file no/such.prompt.md"),
    ],
)
def test_what_means_nothing_says_what_would(commits: Commits, text: str, told: str):
    with pytest.raises(UsageError, match=told):
        tone_of(commits, text, {"production": {"triage": first_hash(commits)}})


def test_a_file_that_is_wrong_is_told_with_its_line(commits: Commits):
    commits.write({"triage.prompt.md": TRIAGE.replace("{{ ticket }}", "{{ ticket")})
    with pytest.raises(UsageError, match="Run `trimtab prompts lint`, or name a version"):
        tone_of(commits, "triage")
    with pytest.raises(ConfigError, match=r"prompts/triage\.prompt\.md:8: "):
        tone_of(commits, "prompts/triage.prompt.md")
    assert tone_of(commits, "triage@v1") == [("triage", "Be kind.")]
