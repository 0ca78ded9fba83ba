"""The file of acts: each on disk at once, torn lines, several processes."""

import multiprocessing
from pathlib import Path

import pytest

from trimtab.errors import ConfigError
from trimtab.evals.judges.acts import Act, ActFile, acts_path


def act(number: int) -> Act:
    return Act(act="label", key=f"k{number}", value=1.0, by="ada", text="Line one.\nLine two. ü")


def append(file: ActFile, one: Act) -> None:
    with file.alone():
        file.read_new()
        file.append(one)


def path_in(folder: Path) -> Path:
    return acts_path(folder / "calibration" / "tone.json")


def test_the_file_stands_beside_the_calibration(tmp_path: Path):
    assert path_in(tmp_path).name == "tone.labels.jsonl"


def test_what_was_kept_is_read_once(tmp_path: Path):
    file = ActFile(path_in(tmp_path))
    assert file.read_new() == []
    append(file, act(1))
    append(file, act(2))
    assert file.read_new() == [], "what it wrote itself it knows"
    other = ActFile(path_in(tmp_path))
    assert other.read_new() == [act(1), act(2)]
    append(file, act(3))
    assert other.read_new() == [act(3)]
    assert len(path_in(tmp_path).read_text().splitlines()) == 3


def test_a_line_that_a_kill_has_cut_off_was_never_kept(tmp_path: Path):
    file = ActFile(path_in(tmp_path))
    append(file, act(1))
    with path_in(tmp_path).open("ab") as out:
        out.write(b'{"act":"label","key":"k2","va')
    again = ActFile(path_in(tmp_path))
    assert again.read_new() == [act(1)]
    append(again, act(3))
    assert ActFile(path_in(tmp_path)).read_new() == [act(1), act(3)]


def test_a_line_that_is_no_act_is_named(tmp_path: Path):
    file = ActFile(path_in(tmp_path))
    append(file, act(1))
    with path_in(tmp_path).open("ab") as out:
        out.write(b'{"act":"guess","key":"k2"}\n')
    with pytest.raises(ConfigError, match=r"tone\.labels\.jsonl:2: is no act"):
        ActFile(path_in(tmp_path)).read_new()
    with pytest.raises(ConfigError, match=r"tone\.labels\.jsonl:2"):
        file.read_new()


def test_another_file_in_its_place_is_found(tmp_path: Path):
    file = ActFile(path_in(tmp_path))
    append(file, act(1))
    path_in(tmp_path).write_bytes(b"")
    with pytest.raises(ConfigError, match="shorter than it was"):
        file.read_new()


def test_a_folder_in_its_place_is_told(tmp_path: Path):
    path_in(tmp_path).mkdir(parents=True)
    file = ActFile(path_in(tmp_path))
    with pytest.raises(ConfigError, match="cannot be used"):
        file.read_new()
    with pytest.raises(ConfigError, match="cannot be used"), file.alone():
        pass


def test_what_cannot_be_kept_is_told(tmp_path: Path):
    file = ActFile(path_in(tmp_path))
    with file.alone():
        path_in(tmp_path).unlink()
        with pytest.raises(ConfigError, match="cannot be used"):
            file.append(act(1))


def test_a_suite_that_is_not_there_is_told(tmp_path: Path):
    with (
        pytest.raises(ConfigError, match="cannot be used"),
        ActFile(path_in(tmp_path / "no")).alone(),
    ):
        pass


def _append_many(path: Path, name: str) -> None:
    file = ActFile(path)
    for number in range(30):
        append(file, Act(act="label", key=f"{name}{number}", value=1.0))


def test_several_processes_lose_nothing(tmp_path: Path):
    path = path_in(tmp_path)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_append_many, args=(path, name)) for name in "abc"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    keys = [one.key for one in ActFile(path).read_new()]
    assert sorted(keys) == sorted(f"{name}{number}" for name in "abc" for number in range(30))
    for name in "abc":
        ours = [key for key in keys if key.startswith(name)]
        assert ours == [f"{name}{number}" for number in range(30)]
