"""Cases below those that are there: whole lines, once each, durable, whatever else happens."""

import multiprocessing
import os
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.suites import line, write
from trimtab.datasets.case import Case
from trimtab.datasets.cases_file import MOST_LINE_BYTES
from trimtab.datasets.load import load_suite
from trimtab.datasets.write import append_cases, case_line, write_new_suite
from trimtab.errors import ConfigError, UsageError


def case(name: str, note: str = "") -> Case:
    return Case(id=name, variables={"x": 1}, note=note)


@pytest.mark.parametrize(
    ("before", "at"), [("", 1), (line(id="a"), 2), (line(id="a") + "\n", 2), ("\n\n", 3)]
)
def test_a_case_becomes_a_line_of_its_own(tmp_path: Path, before: str, at: int):
    folder = write(tmp_path, "", before)
    assert append_cases(tmp_path, "s", [case("b"), case("c")]) == at
    suite = load_suite(tmp_path, "s")
    assert suite.lines["b"] == at
    assert suite.lines["c"] == at + 1
    text = (folder / "cases.jsonl").read_text()
    assert text.startswith(before)
    assert text.endswith("}\n")


def test_a_suite_may_have_no_cases_yet(tmp_path: Path):
    folder = write(tmp_path, "", "")
    (folder / "cases.jsonl").unlink()
    assert append_cases(tmp_path, "s", [case("a")]) == 1
    assert load_suite(tmp_path, "s").lines == {"a": 1}


def test_what_is_written_is_what_is_read(tmp_path: Path):
    write(tmp_path, "", "")
    full = Case(
        id="a",
        variables={"t": "two\nlines \u2028 and \x00"},
        expected={"json": None},
        tags=["x"],
        critical=True,
        note="n",
        from_inference="inf_1",
    )
    append_cases(tmp_path, "s", [full])
    assert load_suite(tmp_path, "s").cases == [full]


def unchanged(folder: Path, before: bytes) -> bool:
    return (folder / "cases.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("cases", "problem"),
    [
        ([case("b"), case("a")], "has a case 'a' on line 2. Choose another id"),
        ([case("b"), case("b")], "Two cases have the id 'b'"),
        ([case("b"), case("c d")], "'c d' is no id"),
        ([Case(id="b")], "neither variables nor messages"),
        ([case("b", note="x" * MOST_LINE_BYTES)], "longer than 4 MB"),
    ],
)
def test_a_wrong_case_changes_nothing(tmp_path: Path, cases: list[Case], problem: str):
    folder = write(tmp_path, "", "\n" + line(id="a"))
    before = (folder / "cases.jsonl").read_bytes()
    with pytest.raises(UsageError) as raised:
        append_cases(tmp_path, "s", cases)
    assert problem in str(raised.value)
    assert unchanged(folder, before)


def test_a_file_with_a_broken_line_is_left_as_it_is(tmp_path: Path):
    folder = write(tmp_path, "", [line(id="a"), "{"])
    before = (folder / "cases.jsonl").read_bytes()
    with pytest.raises(ConfigError, match=r"evals/s/cases\.jsonl:2: not JSON"):
        append_cases(tmp_path, "s", [case("b")])
    assert unchanged(folder, before)


def test_a_suite_that_is_not_there_is_not_made(tmp_path: Path):
    with pytest.raises(UsageError, match="There is no suite 's'"):
        append_cases(tmp_path, "s", [case("a")])
    assert not (tmp_path / "evals").exists()


def _append_twenty(project: str, first: int) -> None:
    for n in range(first, first + 20):
        append_cases(Path(project), "s", [case(f"c{n}")])


def test_several_who_write_at_once_lose_nothing(tmp_path: Path):
    write(tmp_path, "", line(id="a"))
    spawn = multiprocessing.get_context("spawn")
    writers = [
        spawn.Process(target=_append_twenty, args=(str(tmp_path), 100 * n)) for n in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    suite = load_suite(tmp_path, "s")
    assert len(suite.cases) == 61
    assert sorted(suite.lines.values()) == list(range(1, 62))


def _append_in_little_room(project: str, bytes_left: int) -> None:
    size = (Path(project) / "evals" / "s" / "cases.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + bytes_left, resource.RLIM_INFINITY))
    try:
        append_cases(Path(project), "s", [case("b", note="x" * 5_000)])
    except UsageError as error:
        os._exit(7 if "cannot be written: File too large" in str(error) else 8)
    os._exit(9)


def test_where_there_is_no_room_the_file_stays_as_it_was(tmp_path: Path):
    folder = write(tmp_path, "", line(id="a"))
    before = (folder / "cases.jsonl").read_bytes()
    spawn = multiprocessing.get_context("spawn")
    writer = spawn.Process(target=_append_in_little_room, args=(str(tmp_path), 2_000))
    writer.start()
    writer.join()
    assert writer.exitcode == 7
    assert unchanged(folder, before)


def test_a_new_suite_that_cannot_be_whole_leaves_nothing(tmp_path: Path):
    with pytest.raises(UsageError, match="'b c' is no id"):
        write_new_suite(tmp_path, "s", suite_text="", cases=[case("b c")])
    assert not (tmp_path / "evals").exists()


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), min_size=1))
def test_a_case_is_one_line(variables: dict[str, object]):
    written = case_line(Case(id="a", variables=variables))
    assert written.count(b"\n") == 1
    assert written.endswith(b"\n")
