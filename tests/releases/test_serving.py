"""Who gets which version."""

from pathlib import Path

import pytest

from releases.project import ADA, NAME, PIN, prompt_of, write
from trimtab.errors import ConfigError, PromptNotReleased, UnknownPrompt
from trimtab.releases.edit import Trying, pause, promote, try_out
from trimtab.releases.serving import open_desk, share_of


def released(folder: Path, *words: str) -> None:
    for one in words:
        library = write(folder, one)
        promote(library, "production", prompt_of(library), model=PIN, author=ADA, force=True)


def trying(folder: Path, words: str, share: float, *, shadow: bool = False) -> None:
    library = write(folder, words)
    how = Trying(share, shadow=shadow, most_usd=1.0 if shadow else 0.0)
    try_out(library, "production", prompt_of(library), model=PIN, author=ADA, trying=how)


def test_without_an_environment_the_file_is_served(project_folder: Path):
    write(project_folder, "a")
    served = open_desk(project_folder, "").serve(NAME, "", "ana")
    assert (served.label, served.arm, served.pin) == ("v1-draft", "draft", "")


def test_an_environment_serves_what_is_released(project_folder: Path):
    released(project_folder, "a", "b")
    write(project_folder, "c")
    desk = open_desk(project_folder, "production")
    served = desk.serve(NAME, "", "ana")
    assert (served.label, served.arm, served.pin) == ("v2", "released", PIN)
    assert "tickets b" in served.prompt.behaviour.body
    assert desk.serve(NAME, "v1", "ana").arm == "asked"
    with pytest.raises(PromptNotReleased, match="staging serves no version"):
        open_desk(project_folder, "staging").serve(NAME, "", "ana")
    with pytest.raises(UnknownPrompt, match="no prompt 'support/other'"):
        desk.serve("support/other", "", "ana")
    with pytest.raises(UnknownPrompt, match="It has draft, v2, v1"):
        desk.serve(NAME, "v3", "ana")


def test_shares_are_kept_when_they_grow(project_folder: Path):
    released(project_folder, "a")
    users = [f"user-{number}" for number in range(2_000)]
    before: set[str] = set()
    for share in (0.05, 0.2, 0.6, 1.0):
        trying(project_folder, "b", share)
        desk = open_desk(project_folder, "production")
        now = {user for user in users if desk.serve(NAME, "", user).arm == "canary"}
        assert before <= now, "who has it keeps it"
        assert abs(len(now) / len(users) - share) < 0.04
        before = now


def test_other_versions_are_tried_on_others():
    users = [f"user-{number}" for number in range(4_000)]
    one = {user for user in users if share_of(NAME, "aa" * 32, user) < 0.1}
    other = {user for user in users if share_of(NAME, "bb" * 32, user) < 0.1}
    assert len(one & other) < 80, "as many as by chance: 40"


def test_who_gets_a_paused_canary(project_folder: Path):
    released(project_folder, "a")
    trying(project_folder, "b", 1.0)
    assert open_desk(project_folder, "production").serve(NAME, "", "ana").label == "v2"
    pause(project_folder, "production", NAME, author=ADA)
    assert open_desk(project_folder, "production").serve(NAME, "", "ana").label == "v1"


def test_a_shadow_is_shown_to_nobody(project_folder: Path):
    released(project_folder, "a")
    trying(project_folder, "b", 1.0, shadow=True)
    desk = open_desk(project_folder, "production")
    assert desk.serve(NAME, "", "ana").label == "v1"
    trial = desk.shadow(NAME, "inf_1")
    assert trial is not None
    assert (trial.served.label, trial.served.arm) == ("v2", "shadow")


@pytest.mark.parametrize("damage", ["gone", "changed", "another number"])
def test_what_is_not_on_record_is_not_served(project_folder: Path, damage: str):
    released(project_folder, "a")
    record = project_folder / f"prompts/_versions/{NAME}/v1.json"
    if damage == "gone":
        record.unlink()
    elif damage == "changed":
        record.write_text(record.read_text().replace("tickets a", "tickets z"))
    else:
        record.write_text(record.read_text().replace('"number": 1', '"number": 2'))
    with pytest.raises(ConfigError):
        open_desk(project_folder, "production")
