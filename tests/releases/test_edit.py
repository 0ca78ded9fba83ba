"""Promote, try, pause, go back: what the file says afterwards, and what is refused."""

import threading
from itertools import pairwise
from pathlib import Path

import pytest

from releases.project import ADA, NAME, PIN, prompt_of, write, write_evidence, write_suite
from trimtab.errors import ConfigError, UsageError
from trimtab.prompts.versions import load_record
from trimtab.releases.edit import Trying, pause, promote, resume, rollback, try_out, withdraw
from trimtab.releases.file import load_releases
from trimtab.releases.guarded import pause_worse


def force(folder: Path, words: str) -> str:
    library = write(folder, words)
    prompt = prompt_of(library)
    done = promote(library, "production", prompt, model=PIN, author=ADA, force=True)
    return done.entry.after


def test_a_release_with_evidence(project_folder: Path):
    library = write(project_folder, "well")
    write_suite(project_folder)
    proof = write_evidence(project_folder, library)
    done = promote(library, "production", prompt_of(library), model=PIN, author=ADA)
    assert done.recorded == project_folder / f"prompts/_versions/{NAME}/v1.json"
    release = load_releases(project_folder, "production").prompts[NAME]
    assert (release.version, release.model, release.forced) == ("v1", PIN, "")
    assert project_folder / release.evidence == proof
    (record,) = library.records(NAME)
    assert load_record(record).version_hash == release.hash == prompt_of(library).version_hash


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("words", "another version of the prompt"),
        ("temperature", "another version of the prompt"),
        ("suite", "another state of the suite"),
        ("model", "model one:older instead of"),
        ("verdict", "said inconclusive of exactly this version"),
        ("nothing", "No gate has passed"),
    ],
)
def test_evidence_on_anything_else_is_none(project_folder: Path, change: str, says: str):
    library = write(project_folder, "well")
    write_suite(project_folder)
    if change == "model":
        write_evidence(project_folder, library, model="one:older")
    elif change == "verdict":
        write_evidence(project_folder, library, verdict="inconclusive")
    elif change != "nothing":
        write_evidence(project_folder, library)
    if change == "words":
        library = write(project_folder, "badly")
    elif change == "temperature":
        library = write(project_folder, "well", temperature=0.3)
    elif change == "suite":
        write_suite(project_folder, '{"more": 1}\n')
    with pytest.raises(UsageError, match=says):
        promote(library, "production", prompt_of(library), model=PIN, author=ADA)
    assert not load_releases(project_folder, "production").prompts
    assert not library.records(NAME), "nothing is put on record by what is refused"


def test_the_newest_verdict_on_the_same_counts(project_folder: Path):
    library = write(project_folder, "well")
    write_suite(project_folder)
    write_evidence(project_folder, library, file="z", hour=8)
    write_evidence(project_folder, library, file="a", hour=9, verdict="fail")
    with pytest.raises(UsageError, match="said fail of exactly this"):
        promote(library, "production", prompt_of(library), model=PIN, author=ADA)
    newest = write_evidence(project_folder, library, file="m", hour=10)
    promote(library, "production", prompt_of(library), model=PIN, author=ADA)
    release = load_releases(project_folder, "production").prompts[NAME]
    assert project_folder / release.evidence == newest


def test_force_needs_a_reason_and_keeps_it(project_folder: Path):
    library = write(project_folder, "well")
    prompt = prompt_of(library)
    silent = ADA._replace(reason="")
    with pytest.raises(UsageError, match="--reason"):
        promote(library, "production", prompt, model=PIN, author=silent, force=True)
    force(project_folder, "well")
    releases = load_releases(project_folder, "production")
    assert releases.prompts[NAME].forced == "because"
    assert [(e.act, e.who, e.reason, e.after) for e in releases.log] == [
        ("promote", "ada", "because", "v1")
    ]


def test_a_release_of_what_is_released_changes_nothing(project_folder: Path):
    force(project_folder, "well")
    with pytest.raises(UsageError, match="serves v1 of 'support/triage' already"):
        force(project_folder, "well")
    assert len(load_releases(project_folder, "production").log) == 1


def test_back_and_forth(project_folder: Path):
    assert [force(project_folder, words) for words in ("a", "b", "c")] == ["v1", "v2", "v3"]
    library = write(project_folder, "d")
    back = rollback(library, "production", NAME, author=ADA)
    assert (back.entry.before, back.entry.after) == ("v3", "v2")
    back = rollback(library, "production", NAME, author=ADA)
    assert (back.entry.before, back.entry.after) == ("v2", "v1"), "not to what was rolled back"
    with pytest.raises(UsageError, match="before v1"):
        rollback(library, "production", NAME, author=ADA)
    assert rollback(library, "production", NAME, author=ADA, to="v3").entry.after == "v3"
    with pytest.raises(UsageError, match="v9 of 'support/triage' is not on record"):
        rollback(library, "production", NAME, author=ADA, to="v9")


def test_a_rollback_of_a_pin_is_followed_by_one_of_the_version(project_folder: Path):
    force(project_folder, "a")
    force(project_folder, "b")
    library = write(project_folder, "b")
    prompt = prompt_of(library)
    promote(library, "production", prompt, model="one:newer", author=ADA, force=True)
    back = rollback(library, "production", NAME, author=ADA).entry
    assert (back.before, back.model_before, back.after, back.model) == (
        "v2",
        "one:newer",
        "v2",
        PIN,
    )
    back = rollback(library, "production", NAME, author=ADA).entry
    assert (back.before, back.after) == ("v2", "v1")


def test_a_rollback_has_the_evidence_and_the_pin_of_then(project_folder: Path):
    library = write(project_folder, "well")
    write_suite(project_folder)
    write_evidence(project_folder, library)
    promote(library, "production", prompt_of(library), model=PIN, author=ADA)
    library = write(project_folder, "badly")
    prompt = prompt_of(library)
    promote(library, "production", prompt, model="one:other", author=ADA, force=True)
    rollback(library, "production", NAME, author=ADA)
    release = load_releases(project_folder, "production").prompts[NAME]
    assert (release.version, release.model, release.forced) == ("v1", PIN, "")
    assert release.evidence == "evals/triage/evidence/a.json"


def test_a_canary_is_tried_paused_and_withdrawn(project_folder: Path):
    library = write(project_folder, "new")
    trying = Trying(0.1)
    with pytest.raises(UsageError, match="serves no version"):
        try_out(library, "production", prompt_of(library), model=PIN, author=ADA, trying=trying)
    force(project_folder, "old")
    library = write(project_folder, "new")
    try_out(library, "production", prompt_of(library), model=PIN, author=ADA, trying=trying)
    release = load_releases(project_folder, "production").prompts[NAME]
    assert release.version == "v1"
    assert release.canary is not None
    assert (release.canary.version, release.canary.share) == ("v2", 0.1)
    pause(project_folder, "production", NAME, author=ADA)
    release = load_releases(project_folder, "production").prompts[NAME]
    assert release.canary is not None
    assert release.canary.paused == "because"
    with pytest.raises(UsageError, match="needs a reason"):
        resume(project_folder, "production", NAME, author=ADA._replace(reason=""))
    resume(project_folder, "production", NAME, author=ADA)
    release = load_releases(project_folder, "production").prompts[NAME]
    assert release.canary is not None
    assert (release.canary.paused, release.canary.share) == ("", 0.1)
    with pytest.raises(UsageError, match=r"v2 of prompt .* is not paused"):
        resume(project_folder, "production", NAME, author=ADA)
    withdraw(project_folder, "production", NAME, author=ADA)
    releases = load_releases(project_folder, "production")
    assert releases.prompts[NAME].canary is None
    acts = [(entry.act, entry.before, entry.after) for entry in releases.log]
    assert acts == [
        ("promote", "", "v1"),
        ("canary", "v1", "v2"),
        ("pause", "v2", ""),
        ("resume", "v2", ""),
        ("withdraw", "v2", ""),
    ]


def test_a_guard_pauses_only_what_it_has_looked_at(project_folder: Path):
    force(project_folder, "old")
    for words in ("worse", "better"):
        library = write(project_folder, words)
        prompt, trying = prompt_of(library), Trying(0.1)
        try_out(library, "production", prompt, model=PIN, author=ADA, trying=trying)
    worse, better = (record.hash for record in library.records(NAME)[1:])

    def guard(version_hash: str) -> str:
        pause_worse(
            project_folder,
            "production",
            NAME,
            version_hash=version_hash,
            reason="errors",
            now_ns=0,
        )
        canary = load_releases(project_folder, "production").prompts[NAME].canary
        assert canary is not None
        return canary.paused

    with pytest.raises(UsageError, match="tries v3 of 'support/triage' by now"):
        guard(worse)
    assert guard(better) == "errors"


def test_a_promoted_canary_is_none_any_more(project_folder: Path):
    force(project_folder, "old")
    library = write(project_folder, "new")
    trying = Trying(0.1)
    try_out(library, "production", prompt_of(library), model=PIN, author=ADA, trying=trying)
    assert force(project_folder, "new") == "v2"
    assert load_releases(project_folder, "production").prompts[NAME].canary is None


def test_nothing_is_lost_when_several_write_at_once(project_folder: Path):
    versions = [force(project_folder, words) for words in ("a", "b", "c", "d", "e")]
    library = write(project_folder, "a")
    problems: list[BaseException] = []

    def go_to(version: str) -> None:
        try:
            rollback(library, "production", NAME, author=ADA, to=version)
        except BaseException as error:  # noqa: BLE001 - told below
            problems.append(error)

    threads = [threading.Thread(target=go_to, args=(version,)) for version in versions * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    log = load_releases(project_folder, "production").log
    assert len(log) == 25
    assert all(later.before == earlier.after for earlier, later in pairwise(log))


def test_a_changed_record_is_never_released(project_folder: Path):
    force(project_folder, "a")
    force(project_folder, "b")
    record = project_folder / f"prompts/_versions/{NAME}/v1.json"
    record.write_text(record.read_text().replace("tickets a", "tickets z"))
    library = write(project_folder, "c")
    with pytest.raises(ConfigError, match="somebody changed them"):
        library.version(NAME, "v1")
