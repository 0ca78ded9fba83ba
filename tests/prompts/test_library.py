"""All prompts of a project folder."""

from pathlib import Path

import pytest

from prompts.files import TRIAGE, file, library
from trimtab.errors import UnknownPrompt
from trimtab.prompts.library import load_library


def test_a_project_without_prompts(tmp_path: Path) -> None:
    made = load_library(tmp_path)
    assert (made.prompts, made.findings) == ({}, ())
    with pytest.raises(UnknownPrompt, match=r"Write prompts/x\.prompt\.md"):
        made.prompt("x")


def test_names_are_paths_and_folders_of_the_house_are_none(tmp_path: Path) -> None:
    text = file("x")
    made = library(
        tmp_path,
        {
            "b.prompt.md": text,
            "support/triage.prompt.md": text,
            "support/deep/a.prompt.md": text,
            "_partials/p.prompt.md": text,
            "_versions/b/v.prompt.md": text,
            ".git/x.prompt.md": text,
            "_draft.prompt.md": text,
            ".hidden.prompt.md": text,
            "README.md": text,
        },
    )
    assert list(made.prompts) == ["b", "support/triage", "support/deep/a"]


def test_a_file_that_is_wrong_keeps_no_other_out(tmp_path: Path) -> None:
    made = library(tmp_path, {"a.prompt.md": file("{{ x"), "b.prompt.md": TRIAGE})
    assert list(made.prompts) == ["b"]
    (finding,) = made.findings
    assert finding.place == "prompts/a.prompt.md:4"
    with pytest.raises(UnknownPrompt, match="trimtab prompts lint"):
        made.prompt("a")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"---\nmodel: m\n---\n" + b"x" * 2_000_001])
def test_files_that_are_no_text_or_too_long(tmp_path: Path, content: bytes) -> None:
    library(tmp_path, {"b.prompt.md": TRIAGE})
    (tmp_path / "prompts" / "a.prompt.md").write_bytes(content)
    made = load_library(tmp_path)
    assert list(made.prompts) == ["b"]
    assert len(made.findings) == 1


def test_links(tmp_path: Path) -> None:
    folder = library(tmp_path, {"b.prompt.md": TRIAGE}).folder
    (tmp_path / "outside.md").write_text(TRIAGE)
    (folder / "out.prompt.md").symlink_to(tmp_path / "outside.md")
    (folder / "ring.prompt.md").symlink_to(folder / "ring.prompt.md")
    (folder / "in.prompt.md").symlink_to(folder / "b.prompt.md")
    (folder / "folder").symlink_to(tmp_path)
    made = load_library(tmp_path)
    assert sorted(made.prompts) == ["b", "in"]
    assert {finding.place for finding in made.findings} == {
        "prompts/out.prompt.md",
        "prompts/ring.prompt.md",
    }


def test_a_partial_that_is_wrong_is_told_with_its_own_place(tmp_path: Path) -> None:
    made = library(
        tmp_path,
        {
            "a.prompt.md": file('{% include "_partials/one.md" %}'),
            "b.prompt.md": file('\n{% include "_partials/no.md" %}'),
            "c.prompt.md": file('{% include "_partials/two.md" %}'),
            "_partials/one.md": "\n{% if x %}",
            "_partials/two.md": "\n\n{{ x | nope }}",
        },
    )
    assert [finding.place for finding in made.findings] == [
        "prompts/_partials/one.md:2",
        "prompts/b.prompt.md:5",
        "prompts/_partials/two.md:3",
    ]


def test_near_names_are_offered(tmp_path: Path) -> None:
    made = library(tmp_path, {"support/triage.prompt.md": TRIAGE})
    with pytest.raises(UnknownPrompt, match="Did you mean support/triage") as caught:
        made.prompt("support/traige")
    assert caught.value.param == "prompt.id"
    with pytest.raises(UnknownPrompt):
        made.prompt("x" * 100_000)


def test_versions_by_name(tmp_path: Path) -> None:
    made = library(tmp_path, {"a.prompt.md": TRIAGE})
    now = made.prompt("a")
    for version in ("draft", now.version_hash, now.version_hash[:8]):
        assert made.version("a", version) is now
    for version in ("v1", now.version_hash[:7], "", "0" * 8):
        with pytest.raises(UnknownPrompt, match="has no version") as caught:
            made.version("a", version)
        assert caught.value.param == "prompt.version"
    with pytest.raises(UnknownPrompt, match="no prompt 'b'"):
        made.version("b", "v1")
