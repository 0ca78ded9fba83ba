"""The file of an environment: what is written is read again, and what is wrong is named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.errors import ConfigError, UsageError
from trimtab.releases.file import (
    Canary,
    LogEntry,
    Release,
    Releases,
    environments,
    load_releases,
    parse_releases,
    release_path,
    releases_text,
    write_releases,
)

HASH = "ab" * 32
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
canaries = st.builds(
    Canary,
    version=st.from_regex(r"v[1-9]\d{0,5}", fullmatch=True),
    hash=st.just(HASH),
    model=words,
    share=st.floats(0, 1),
    paused=words,
)
releases_ = st.builds(
    Release,
    version=st.from_regex(r"v[1-9]\d{0,5}", fullmatch=True),
    hash=st.just(HASH),
    model=words,
    evidence=words,
    forced=words,
    canary=st.none() | canaries,
)
entries = st.builds(LogEntry, at=words, who=words, prompt=words, reason=words, act=st.just("pause"))


@given(
    st.builds(
        Releases,
        prompts=st.dictionaries(words, releases_, max_size=3),
        log=st.lists(entries, max_size=3).map(tuple),
    )
)
def test_what_is_written_is_read(releases: Releases):
    text = releases_text(releases, "production")
    assert parse_releases(Path("production.toml"), text.encode()) == releases


def test_the_file_is_replaced_whole(project_folder: Path):
    release = Release(version="v1", hash=HASH, model="one:main")
    file = write_releases(project_folder, "production", Releases(prompts={"a": release}))
    assert load_releases(project_folder, "production").prompts == {"a": release}
    assert [path.name for path in file.parent.iterdir()] == ["production.toml"]
    assert environments(project_folder) == ["production"]
    assert load_releases(project_folder, "staging") == Releases()


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('version = "12"', "version"),
        ('hash = "abc"', "hash"),
        ('versoin = "v1"', "Did you mean version"),
        ("model = 3", "model"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(project_folder: Path, line: str, says: str):
    key = line.partition(" ")[0]
    good = {"version": 'version = "v1"', "hash": f'hash = "{HASH}"', "model": 'model = "a:b"'}
    good.pop(key, None)
    text = "\n".join(["", '[prompts."support/triage"]', line, *good.values()])
    with pytest.raises(ConfigError) as caught:
        parse_releases(Path("production.toml"), text.encode())
    told = [finding for finding in caught.value.findings if says in str(finding)]
    assert told
    assert "production.toml:3" in told[0].place


def test_a_shadow_needs_a_cost_cap():
    text = f"""
[prompts.a]
version = "v1"
hash = "{HASH}"
model = "a:b"
[prompts.a.canary]
version = "v2"
hash = "{HASH}"
model = "a:b"
share = 0.1
shadow = true
"""
    with pytest.raises(ConfigError, match="most_usd"):
        parse_releases(Path("production.toml"), text.encode())


def test_a_folder_that_is_a_file_is_told(project_folder: Path):
    (project_folder / "releases").write_text("no folder")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_releases(project_folder, "production", Releases())


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "1st", "x" * 80, ".hidden"])
def test_names_of_environments_are_names(project_folder: Path, name: str):
    with pytest.raises(UsageError, match="no name of an environment"):
        release_path(project_folder, name)
