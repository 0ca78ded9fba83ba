"""Answers to cases and marks of them: what takes whose place, pages, two processes, damage."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from store.processes import child, lines, tell
from trimtab.errors import StoreError
from trimtab.store.sqlite import SqliteExperiments, open_experiments
from trimtab.types.clock import SystemClock
from trimtab.types.experiments import Experiment, Mark, Row, RowHead, Setup, ToolCall

SETUP = Setup(prompt="p", prompt_hash="ab", label="v1", model="one:m", hash="s1")


def row(case: str = "c1", repeat: int = 0, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "setup_hash": "s1",
        "case_id": case,
        "case_hash": case,
        "repeat": repeat,
        "status": "ok",
        "text": "an answer",
        "served_model": "m-1",
        "at_ns": 10,
    }
    return Row(**(values | changes))


def error(case: str = "c1", repeat: int = 0, **changes: Any) -> Row:
    values = {"status": "error", "text": "", "served_model": "", "error_code": "provider_timeout"}
    return row(case, repeat, **(values | changes))


def mark(of: Row, evaluator: str = "exact", **changes: Any) -> Mark:
    values: dict[str, Any] = {
        "setup_hash": of.setup_hash,
        "case_hash": of.case_hash,
        "repeat": of.repeat,
        "served_model": of.served_model,
        "evaluator": evaluator,
        "evaluator_hash": f"e/{evaluator}",
        "metric": "accuracy",
        "status": "measured",
        "value": 1.0,
    }
    return Mark(**(values | changes))


def opened(folder: Path) -> SqliteExperiments:
    return open_experiments(folder, SystemClock())


def rows_of(store: SqliteExperiments, setup_hash: str = "s1") -> list[Row]:
    return list(store.rows(setup_hash))


def marks_of(store: SqliteExperiments, *evaluators: str) -> list[Mark]:
    return list(store.marks("s1", {f"e/{one}" for one in evaluators or ("exact",)}))


def test_everything_of_a_row_and_a_mark_comes_back(tmp_path: Path):
    full = row(
        text="Zoë \u202e 👋",
        tool_calls=(ToolCall(name="look", arguments='{"a":'),),
        finish_reason="tool_calls",
        inference_id="inf_1",
        latency_us=1_234,
        input_tokens=5,
        output_tokens=6,
        cost_nanousd=7,
    )
    said = mark(full, label="full", reason="because", cost_nanousd=3, judge_model="j-1", value=0.25)
    with closing(opened(tmp_path)) as store:
        assert store.keep([full], [said]) == [full]
    with closing(opened(tmp_path)) as store:
        assert rows_of(store) == [full]
        assert marks_of(store) == [said]
        assert store.row_heads("s1") == [RowHead("c1", 0, "m-1", ok=True, at_ns=10)]
        assert rows_of(store, "s2") == []
        assert store.row_heads("s2") == []


def test_an_answer_takes_the_place_of_an_error(tmp_path: Path):
    with closing(opened(tmp_path)) as store:
        store.keep([error(), error("c1", 1), error("c2")], [])
        store.keep([error(error_code="unreachable")], [])
        assert rows_of(store)[0].error_code == "unreachable"
        store.keep([row()], [])
        assert rows_of(store) == [row(), error("c1", 1), error("c2")]
        store.keep([error("c1", 1), row("c1", 1, served_model="m-2")], [])
        assert rows_of(store) == [row(), row("c1", 1, served_model="m-2"), error("c2")]


def test_an_answer_of_a_model_that_has_no_name_is_not_lost_to_an_error(tmp_path: Path):
    nameless = row(served_model="")
    with closing(opened(tmp_path)) as store:
        store.keep([nameless], [mark(nameless)])
        assert store.keep([error()], []) == [nameless]
        assert rows_of(store) == [nameless]
        assert marks_of(store) == [mark(nameless)]


def test_an_error_beside_an_answer_of_another_model(tmp_path: Path):
    with closing(opened(tmp_path)) as store:
        store.keep([row()], [])
        store.keep([error()], [])
        assert rows_of(store) == [error(), row()]


def test_a_second_answer_is_kept_out_and_the_first_one_keeps_its_marks(tmp_path: Path):
    first, second = row(text="first", at_ns=10), row(text="second", at_ns=20)
    with closing(opened(tmp_path)) as store:
        store.keep([first], [mark(first)])
        assert store.keep([second, row("c2")], []) == [first, row("c2")]
        assert rows_of(store) == [first, row("c2")]
        assert marks_of(store) == [mark(first)]
        (head, _) = store.row_heads("s1")
        assert head.at_ns == 20, "its model was seen again"
        store.keep([row(at_ns=15)], [])
        assert store.row_heads("s1")[0].at_ns == 20, "and that is not forgotten"


def test_an_old_answer_gives_way_with_its_marks_where_a_new_one_is_wanted(tmp_path: Path):
    old, new, newer = row(text="old", at_ns=10), row(text="new", at_ns=20), row(at_ns=30)
    with closing(opened(tmp_path)) as store:
        store.keep([old, row("c2")], [mark(old), mark(old, "length"), mark(row("c2"))])
        assert store.keep([new], [], since_ns=15) == [new]
        assert rows_of(store) == [new, row("c2")]
        assert marks_of(store, "exact", "length") == [mark(row("c2"))]
        assert store.keep([newer], [], since_ns=15) == [new], "it is new enough"


def test_each_served_model_has_rows_and_marks_of_its_own(tmp_path: Path):
    old, new = row(text="old"), row(text="new", served_model="m-2", at_ns=20)
    with closing(opened(tmp_path)) as store:
        store.keep([old], [mark(old)])
        store.keep([new], [mark(new, value=0.0)])
        assert rows_of(store) == [old, new]
        assert [(one.served_model, one.value) for one in marks_of(store)] == [
            ("m-1", 1.0),
            ("m-2", 0.0),
        ]


def test_a_mark_is_made_anew_and_only_those_asked_for_come(tmp_path: Path):
    one = row()
    with closing(opened(tmp_path)) as store:
        store.keep([one], [mark(one), mark(one, "length", value=5.0)])
        store.keep([], [mark(one, value=0.0)])
        assert [(said.evaluator, said.value) for said in marks_of(store)] == [("exact", 0.0)]
        found = marks_of(store, "exact", "length", "unknown")
        assert [said.evaluator for said in found] == ["exact", "length"]
        assert marks_of(store, "unknown") == []


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1_000, 1_203])
def test_pages_lose_nothing_and_repeat_nothing(tmp_path: Path, count: int):
    made = [row(f"c{at // 3:04}", at % 3, text=f"{at}") for at in range(count)]
    also = [one for one in made for one in (one, msgspec.structs.replace(one, served_model="m-2"))]
    with closing(opened(tmp_path)) as store:
        store.keep(list(reversed(also)), [mark(one) for one in also])
        store.keep([row(setup_hash="s0"), row(setup_hash="s2")], [])
        assert rows_of(store) == also
        assert marks_of(store) == [mark(one) for one in also]
        assert len(store.row_heads("s1")) == len(also)


def test_rows_come_while_others_are_kept(tmp_path: Path):
    made = [row(f"c{at:04}") for at in range(600)]
    with closing(opened(tmp_path)) as store:
        store.keep(made, [])
        coming = store.rows("s1")
        seen = [next(coming)]
        store.keep([row("c0000", 1), row("c0599", 1)], [mark(made[0])])
        seen += coming
        assert [one for one in seen if one.repeat == 0] == made
        assert seen[-1] == row("c0599", 1), "and what comes later in their order is seen"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path):
    broken = row("c2", text="half a \ud800 character")
    with closing(opened(tmp_path)) as store:
        with pytest.raises(UnicodeEncodeError):
            store.keep([row("c1"), broken], [])
        assert rows_of(store) == []
        store.keep([row("c1")], [])
        assert rows_of(store) == [row("c1")]


def experiment(name: str, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "suite": "s",
        "suite_hash": "h",
        "kind": "run",
        "candidate": SETUP,
        "repeats": 3,
        "started_ns": 5,
    }
    return Experiment(id=name, **(values | changes))


def test_experiments(tmp_path: Path):
    first = experiment("exp_1")
    with closing(opened(tmp_path)) as store:
        store.keep_experiment(first)
        assert store.experiment("exp_1") == first
        ended = experiment("exp_1", ended_ns=9, verdict="pass", baseline=SETUP, summary=b"{}")
        store.keep_experiment(ended)
        assert store.experiment("exp_1") == ended
        others = [
            experiment("exp_3", started_ns=7, suite="t"),
            experiment("exp_2", started_ns=7),
            experiment("exp_0", started_ns=4),
        ]
        for one in others:
            store.keep_experiment(one)
        assert store.experiment("exp_9") is None
        names = [one.id for one in store.experiments(10)]
        assert names == ["exp_3", "exp_2", "exp_1", "exp_0"]
        assert [one.id for one in store.experiments(2)] == ["exp_3", "exp_2"]
        assert [one.id for one in store.experiments(9, suite="t")] == ["exp_3"]
        assert all(one.summary == b"" for one in store.experiments(9)), "without summaries"


def test_two_processes_at_once(tmp_path: Path):
    """Both write the same keys: each row is there once, with the marks of whoever was first."""
    with child("experiments", tmp_path, "a") as one, child("experiments", tmp_path, "b") as two:
        ready = [next(lines(process)) for process in (one, two)]
        assert ready == ["ready", "ready"]
        for process in (one, two):
            tell(process, "go")
        told = [list(lines(process)) for process in (one, two)]
        assert [process.wait() for process in (one, two)] == [0, 0]
    with closing(opened(tmp_path)) as store:
        found = rows_of(store)
        said = {(one.case_hash, one.repeat): one.reason for one in marks_of(store)}
    assert len(found) == len({(one.case_hash, one.repeat) for one in found}) == 400
    assert {(one.case_hash, one.repeat): one.text for one in found} == said
    assert sorted(len(kept) for kept in told) == sorted(
        sum(one.text == name for one in found) for name in ("a", "b")
    )


def test_a_file_that_is_none(tmp_path: Path):
    (tmp_path / "experiments.sqlite").write_bytes(b"not a database" * 1_000)
    with pytest.raises(StoreError, match=r"experiments\.sqlite .*restore it from a backup"):
        opened(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreError, match="must be a folder"):
        opened(tmp_path / "data")


@pytest.mark.parametrize("table", ["rows", "marks", "experiments"])
def test_a_body_that_is_damaged(tmp_path: Path, table: str):
    with closing(opened(tmp_path)) as store:
        store.keep([row()], [mark(row())])
        store.keep_experiment(experiment("exp_1"))
        with closing(sqlite3.connect(tmp_path / "experiments.sqlite")) as other:
            other.execute(f"UPDATE {table} SET body = x'c1'")
            other.commit()
        ask = {
            "rows": lambda: rows_of(store),
            "marks": lambda: marks_of(store),
            "experiments": lambda: store.experiment("exp_1"),
        }
        with pytest.raises(StoreError, match="damaged: restore it from a backup"):
            ask[table]()


def test_damaged_pages(tmp_path: Path):
    with closing(opened(tmp_path)) as store:
        made = [row(f"c{at:04}", text="x" * 2_000) for at in range(300)]
        store.keep(made, [])
    path = tmp_path / "experiments.sqlite"
    content = bytearray(path.read_bytes())
    size = len(content)
    content[size // 4 : size // 2] = b"\xff" * (size // 2 - size // 4)
    path.write_bytes(content)
    with (
        closing(opened(tmp_path)) as store,
        pytest.raises(StoreError, match=r"experiments\.sqlite"),
    ):
        rows_of(store)


def test_a_locked_file_is_waited_for(tmp_path: Path):
    with closing(opened(tmp_path)) as store:
        with child("experiments", tmp_path, "hold") as process:
            assert next(lines(process)) == "ready"
            tell(process, "go")
            assert next(lines(process)) == "held"
            keeping = threading.Thread(target=store.keep, args=([row()], []))
            keeping.start()
            tell(process, "let go")
            keeping.join()
        assert rows_of(store) == [row()]
