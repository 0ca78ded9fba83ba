"""Labelling with files: each label at once, going on, two at a time, another judge."""

import json
from pathlib import Path

import msgspec
import pytest

from evals.judges.labels import BASELINE, CANDIDATE, JUDGE, item_of, judge_of
from trimtab.datasets.case import Case, case_hash
from trimtab.errors import ConfigError, UsageError
from trimtab.evals.judges.acts import acts_path
from trimtab.evals.judges.calibration import Judge, calibration_path, load_calibration
from trimtab.evals.judges.desk import Desk, items_of
from trimtab.evals.judges.eligible import check_judge
from trimtab.evals.judges.labelling import Item
from trimtab.testing.clock import FrozenClock
from trimtab.types.experiments import Mark, Row, ToolCall

ITEMS = [item_of(number, float(number % 3 > 0)) for number in range(90)]


def desk_of(
    suite: Path,
    items: list[Item] | None = None,
    *,
    judge: Judge = JUDGE,
    by: str = "ada",
    wanted: int = 100,
) -> Desk:
    return Desk(
        suite, judge, ITEMS if items is None else items, clock=FrozenClock(), by=by, wanted=wanted
    )


def label_all(desk: Desk, *, most: int = 1_000) -> list[str]:
    """A person who says what the number of the case says; gives the keys."""
    keys: list[str] = []
    while len(keys) < most and (shown := desk.next()) is not None:
        number = int(shown.case_id.removeprefix("c"))
        desk.label(shown.key, "pass" if number % 3 > 0 and number != 1 else "fail")
        keys.append(shown.key)
    return keys


def test_each_label_is_on_disk_when_it_is_said(tmp_path: Path):
    desk = desk_of(tmp_path)
    for done in range(1, 4):
        label_all(desk, most=1)
        lines = acts_path(calibration_path(tmp_path, "tone")).read_text().splitlines()
        assert len(lines) == done
        found = load_calibration(tmp_path, "tone")
        assert found == desk.calibration()
        assert found is not None
        assert len(found.labels) == done
        assert sum(pool.rows for pool in found.population) == 90


def test_what_people_say_meets_what_the_judge_says(tmp_path: Path):
    desk = desk_of(tmp_path)
    label_all(desk)
    found = load_calibration(tmp_path, "tone")
    assert found is not None
    by_case = {label.case_id: label for label in found.labels}
    assert len(by_case) == 90
    assert (by_case["c1"].human, by_case["c1"].judge) == (0, 1)
    assert all(label.human == label.judge for name, label in by_case.items() if name != "c1")
    assert by_case["c7"].characters == len("Answer 7 of c, 0.")
    assert (by_case["c7"].by, by_case["c7"].setup_hash) == ("ada", CANDIDATE)
    assert check_judge(found, JUDGE.hash, [JUDGE.served_model]).eligible


def test_before_a_row_is_labelled_no_file_tells_its_verdict(tmp_path: Path):
    desk = desk_of(tmp_path)
    label_all(desk, most=5)
    shown = desk.next()
    assert shown is not None
    for file in (tmp_path / "calibration").iterdir():
        assert shown.key not in file.read_text()
    for line in acts_path(calibration_path(tmp_path, "tone")).read_text().splitlines():
        assert "verdict" not in json.loads(line)


def test_it_goes_on_where_it_was(tmp_path: Path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    together = label_all(desk_of(one))
    parts: list[str] = []
    while more := label_all(desk_of(other), most=20):
        parts += more
    assert parts == together


def test_two_desks_share_their_work(tmp_path: Path):
    ada, kim = desk_of(tmp_path), desk_of(tmp_path, by="kim")
    for _ in range(5):
        label_all(ada, most=1)
        label_all(kim, most=1)
    found = load_calibration(tmp_path, "tone")
    assert found is not None
    assert sorted(label.by for label in found.labels) == ["ada"] * 5 + ["kim"] * 5
    shown = ada.next()
    assert shown is not None
    kim.label(shown.key, "pass")
    with pytest.raises(UsageError, match="has a label"):
        ada.label(shown.key, "fail")
    assert shown != ada.next()


def test_skip_and_undo_are_kept(tmp_path: Path):
    desk = desk_of(tmp_path)
    shown = desk.next()
    assert shown is not None
    desk.skip(shown.key)
    (second,) = label_all(desk, most=1)
    desk.undo()
    again = desk_of(tmp_path)
    assert again.calibration().skipped == 1
    following = again.next()
    assert following is not None
    assert following.key == second, "what was taken back is shown again, also after a restart"
    found = load_calibration(tmp_path, "tone")
    assert found is not None
    assert (found.labels, found.skipped) == ([], 1)


def test_nothing_is_kept_of_what_cannot_be_said(tmp_path: Path):
    desk = desk_of(tmp_path)
    shown = desk.next()
    assert shown is not None
    with pytest.raises(UsageError, match="not a label here"):
        desk.label(shown.key, "great")
    with pytest.raises(UsageError, match="Nothing was labelled"):
        desk.undo()
    assert desk.next() == shown
    assert load_calibration(tmp_path, "tone") is None


def test_labels_outlive_the_judge(tmp_path: Path):
    """Another rubric: the same rows, judged anew, meet the labels that there are."""
    label_all(desk_of(tmp_path), most=40)
    other = msgspec.structs.replace(JUDGE, hash="i" * 64)
    stricter = [msgspec.structs.replace(item, verdict=0.0) for item in ITEMS]
    desk = desk_of(tmp_path, stricter, judge=other)
    desk.save()
    found = load_calibration(tmp_path, "tone")
    assert found is not None
    assert found.judge == other
    assert len(found.labels) == 40
    assert {label.judge for label in found.labels} == {0.0}
    assert "another rubric" in check_judge(found, JUDGE.hash, []).why


def test_labels_of_another_judge_count_only_on_rows_that_it_has_judged(tmp_path: Path):
    label_all(desk_of(tmp_path), most=40)
    other = msgspec.structs.replace(JUDGE, served_model="local:judge-2")
    desk = desk_of(tmp_path, [], judge=other)
    assert desk.calibration().labels == []
    assert desk_of(tmp_path, []).calibration() == load_calibration(tmp_path, "tone")


def test_rows_of_a_later_setup_come_to_those_before(tmp_path: Path):
    label_all(desk_of(tmp_path), most=20)
    later = [item_of(number, float(number % 2), setup=BASELINE) for number in range(30)]
    desk = desk_of(tmp_path, later)
    label_all(desk, most=10)
    found = desk.calibration()
    assert len(found.labels) == 30
    rows = {(pool.setup_hash[0], pool.verdict): pool.rows for pool in found.population}
    assert rows == {("b", 0): 15, ("b", 1): 15, ("c", 0): 30, ("c", 1): 60}


def test_two_answers(tmp_path: Path):
    items = [item_of(number, 1.0, baseline=f"Other {number}") for number in range(12)]
    desk = desk_of(tmp_path, items, judge=judge_of("preference"))
    while (shown := desk.next()) is not None:
        desk.label(shown.key, "first" if shown.answers[0].startswith("Answer") else "second")
    found = load_calibration(tmp_path, "tone")
    assert found is not None
    assert {label.human for label in found.labels} == {1.0}
    assert found.labels[0].baseline_characters in {7, 8}


def test_a_broken_file_is_told_before_anything_is_done(tmp_path: Path):
    label_all(desk_of(tmp_path), most=2)
    file = acts_path(calibration_path(tmp_path, "tone"))
    file.write_text("nothing\n" + file.read_text())
    with pytest.raises(ConfigError, match=r"tone\.labels\.jsonl:1"):
        desk_of(tmp_path)


CASE = Case(id="c1", variables={"q": "Refund?"}, sources=["14 days."], expected={"reference": "14"})
OTHER = Case(id="c2", variables={"q": "Hello?"})


def row(case: Case, repeat: int = 0, *, setup: str = CANDIDATE, text: str = "Yes.") -> Row:
    return Row(
        setup_hash=setup,
        case_id=case.id,
        case_hash=case_hash(case),
        repeat=repeat,
        status="ok",
        text=text,
        served_model="local:answers",
    )


def mark(one: Row, value: float | None, *, evaluator: str = "tone") -> Mark:
    return Mark(
        setup_hash=one.setup_hash,
        case_hash=one.case_hash,
        repeat=one.repeat,
        served_model=one.served_model,
        evaluator=evaluator,
        evaluator_hash="e",
        metric="quality",
        status="unmeasured" if value is None else "measured",
        value=value,
    )


def test_items_are_the_rows_that_the_evaluator_has_judged():
    rows = [row(CASE), row(CASE, 1), row(OTHER), row(OTHER, 1)]
    marks = [mark(rows[0], 1.0), mark(rows[1], 0.0, evaluator="wit"), mark(rows[2], None)]
    (item,) = items_of([CASE, OTHER], rows, marks, evaluator="tone", asked={"c1": "Refund?"})
    assert item == Item(
        setup_hash=CANDIDATE,
        case_id="c1",
        case_hash=case_hash(CASE),
        repeat=0,
        asked="Refund?",
        sources=["14 days."],
        reference="14",
        text="Yes.",
        verdict=1.0,
    )


def test_a_mark_is_of_the_model_that_answered():
    one = row(CASE)
    other = msgspec.structs.replace(one, served_model="local:others")
    assert items_of([CASE], [other], [mark(one, 1.0)], evaluator="tone", asked={}) == []


def test_items_show_the_tools_that_an_answer_wants_called():
    call = ToolCall(name="refund", arguments="{}")
    one = msgspec.structs.replace(row(CASE), tool_calls=(call,))
    (item,) = items_of([CASE], [one], [mark(one, 1.0)], evaluator="tone", asked={})
    assert item.text == "Yes.\n(calls the tool refund with {})"
    assert not item.asked


def test_items_of_preferences_have_both_answers():
    one, other = row(CASE, 1), row(CASE, 1, setup=BASELINE, text="No.")
    (item,) = items_of(
        [CASE], [one], [mark(one, 1.0)], evaluator="tone", asked={}, baselines=[other, row(OTHER)]
    )
    assert (item.text, item.baseline_text) == ("Yes.", "No.")


def test_rows_of_cases_that_are_gone_are_left_out():
    one = row(CASE)
    assert items_of([OTHER], [one], [mark(one, 1.0)], evaluator="tone", asked={}) == []
