"""Which row comes next, what is seen of it, and how labels are taken back."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.judges.labels import BASELINE, CANDIDATE, item_of, judge_of
from trimtab.errors import UsageError
from trimtab.evals.judges.acts import Act
from trimtab.evals.judges.labelling import Item, Labelling, Shown
from trimtab.types.experiments import MetricKind

AT = "2026-11-30T10:00:00Z"


def labelling(
    items: list[Item],
    *,
    kind: MetricKind = "rate",
    wanted: int = 100,
    seed: str = "s",
    by: str = "ada",
) -> Labelling:
    return Labelling(items, judge_of(kind).scale, seed=seed, by=by, wanted=wanted)


def label(session: Labelling, word: str = "pass") -> str:
    """Label the next row; gives its key."""
    shown = session.next()
    assert shown is not None
    session.apply([session.label(shown.key, word, at=AT)])
    return shown.key


def rare(rows: int = 200, failing: int = 10) -> list[Item]:
    """Rows of which few fail."""
    return [item_of(number, float(number >= failing)) for number in range(rows)]


def test_rare_verdicts_get_a_quarter_of_the_labels():
    items = rare(600, 30)
    verdicts = {item.key: item.verdict for item in items}
    session = labelling(items)
    drawn = [verdicts[label(session)] for _ in range(100)]
    assert 13 <= drawn.count(0) <= 37


def test_verdicts_that_are_not_rare_get_their_share():
    items = rare(600, 360)
    verdicts = {item.key: item.verdict for item in items}
    session = labelling(items)
    drawn = [verdicts[label(session)] for _ in range(100)]
    assert 46 <= drawn.count(0) <= 74


def test_when_a_verdict_is_used_up_the_others_go_on():
    session = labelling(rare(50, 3))
    assert len({label(session) for _ in range(50)}) == 50
    assert session.next() is None


def test_within_a_verdict_rows_are_drawn_at_random():
    """Every row has the same chance: over many judges each is drawn about as often."""
    items = rare(20, 4)
    first = Counter(
        item.case_id
        for seed in range(600)
        for shown in [labelling(items, seed=str(seed)).next()]
        if shown is not None
        for item in items
        if item.key == shown.key
    )
    assert len(first) == 20
    failing = [first[f"c{number}"] for number in range(4)]
    passing = [first[f"c{number}"] for number in range(4, 20)]
    assert 100 < sum(failing) < 200
    assert min(failing) > 15
    assert min(passing) > 10


def test_setups_take_turns_within_a_verdict():
    items = [
        item_of(number, number % 2, setup=setup)
        for number in range(40)
        for setup in (CANDIDATE, BASELINE)
    ]
    by_key = {item.key: item for item in items}
    session = labelling(items)
    drawn = [by_key[label(session)] for _ in range(24)]
    for verdict in (0, 1):
        setups = Counter(item.setup_hash for item in drawn if item.verdict == verdict)
        assert abs(setups[CANDIDATE] - setups[BASELINE]) <= 1
    assert len({item.case_hash for item in drawn}) == 24, "cases without a label come first"


def test_one_repeat_of_each_case_is_labelled():
    items = [item_of(number, 1, repeat=repeat) for number in range(5) for repeat in range(4)]
    session = labelling(items)
    drawn = {label(session) for _ in range(5)}
    assert session.next() is None
    assert len({item.case_id for item in items if item.key in drawn}) == 5
    assert [pool.rows for pool in session.population] == [5]


def test_a_label_stays_that_of_its_case_when_more_repeats_come():
    first = [item_of(number, 1, repeat=0) for number in range(5)]
    session = labelling(first)
    key = label(session)
    acts = list(session.labels.values())
    more = first + [item_of(number, 1, repeat=1) for number in range(5)]
    again = labelling(more)
    again.apply(acts)
    assert set(again.labels) == {key}
    shown = again.next()
    assert shown is not None
    assert (shown.done, shown.left) == (1, 4)
    assert again.verdict_of(key) == 1


@given(st.integers(0, 10_000))
def test_it_goes_on_where_it_was_whatever_the_order_of_rows(seed: int):
    items = rare(20, 5)
    session = labelling(items)
    expected = [label(session) for _ in range(10)]
    shuffled = items[:]
    Random(seed).shuffle(shuffled)
    again = labelling(shuffled)
    acts = [session.labels[key] for key in expected]
    cut = seed % 10
    again.apply(acts[:cut])
    assert [label(again) for _ in range(10 - cut)] == expected[cut:]


@pytest.mark.parametrize(("seed", "by"), [("t", "ada"), ("s", "kim")])
def test_another_judge_and_another_person_have_another_order(seed: str, by: str):
    one, other = labelling(rare()), labelling(rare(), seed=seed, by=by)
    assert len({label(one) for _ in range(8)} & {label(other) for _ in range(8)}) < 8


def test_what_is_shown_does_not_tell_what_the_judge_says():
    assert not {"verdict", "judge", "value", "reason"} & set(Shown.__struct_fields__)
    items = [item_of(1, 0.0)]
    low, high = labelling(items), labelling([item_of(1, 1.0)])
    assert low.next() == high.next()
    assert low.verdict_of(items[0].key) is None
    label(low)
    assert low.verdict_of(items[0].key) == 0


def test_the_next_row_stays_until_something_is_done():
    session = labelling(rare())
    assert session.next() == session.next()
    before = session.next()
    label(session)
    assert session.next() != before


def test_it_is_done_when_enough_is_labelled_or_nothing_is_left():
    session = labelling(rare(), wanted=2)
    assert [label(session), label(session)]
    assert session.next() is None
    few = labelling(rare(3, 1))
    for _ in range(3):
        label(few)
    assert few.next() is None
    assert labelling([]).next() is None


def test_how_far_it_is():
    session = labelling(rare(30, 5), wanted=20)
    label(session)
    shown = session.next()
    assert shown is not None
    assert (shown.done, shown.wanted, shown.left) == (1, 20, 29)
    assert shown.choices == ("fail", "pass")


@pytest.mark.parametrize(
    ("kind", "better", "choices"),
    [
        ("rate", True, ("fail", "pass")),
        ("rate", False, ("no", "yes")),
        ("score", True, ("1", "2", "3", "4", "5")),
        ("preference", True, ("second", "tie", "first")),
    ],
)
def test_choices_follow_the_kind(kind: MetricKind, better: bool, choices: tuple[str, ...]):
    scale = judge_of(kind, higher_is_better=better).scale
    shown = Labelling([item_of(1, 0, baseline="Other.")], scale, seed="s", by="ada").next()
    assert shown is not None
    assert shown.choices == choices


def test_amounts_cannot_be_labelled():
    with pytest.raises(UsageError, match="nothing to label"):
        _ = judge_of("amount").scale


def test_a_score_is_said_in_five_steps():
    session = labelling([item_of(1, 0.3)], kind="score")
    key = label(session, "4")
    assert session.labels[key].value == 0.75
    assert [pool.verdict for pool in session.population] == [0.25]


def test_skipped_rows_do_not_come_again():
    session = labelling(rare(10, 5))
    shown = session.next()
    assert shown is not None
    session.apply([session.skip(shown.key, at=AT)])
    assert session.skipped == 1
    rest = {label(session) for _ in range(9)}
    assert shown.key not in rest
    assert session.next() is None


def test_a_skipped_row_can_still_be_labelled():
    session = labelling(rare(10, 5))
    shown = session.next()
    assert shown is not None
    session.apply([session.skip(shown.key, at=AT)])
    session.apply([session.label(shown.key, "fail", at=AT)])
    assert (session.skipped, len(session.labels)) == (0, 1)


def test_undo_takes_the_last_act_back_and_shows_the_row_again():
    session = labelling(rare())
    first, second = label(session, "pass"), label(session, "fail")
    session.apply([session.undo(at=AT)])
    shown = session.next()
    assert shown is not None
    assert shown.key == second
    assert set(session.labels) == {first}
    session.apply([session.undo(at=AT)])
    shown = session.next()
    assert shown is not None
    assert shown.key == first
    assert not session.labels
    with pytest.raises(UsageError, match="Nothing was labelled"):
        session.undo(at=AT)


def test_an_undo_of_nothing_in_the_file_does_nothing():
    session = labelling(rare())
    before = session.next()
    session.apply([Act(act="undo", key="k")])
    assert session.next() == before


def test_undo_of_a_skip_too():
    session = labelling(rare())
    shown = session.next()
    assert shown is not None
    session.apply([session.skip(shown.key, at=AT)])
    session.apply([session.undo(at=AT)])
    assert session.next() == shown
    assert session.skipped == 0


def test_what_is_said_of_a_row_is_said_once():
    session = labelling(rare())
    key = label(session)
    with pytest.raises(UsageError, match="has a label"):
        session.label(key, "fail", at=AT)
    with pytest.raises(UsageError, match="has a label"):
        session.skip(key, at=AT)
    with pytest.raises(UsageError, match="no such row"):
        session.label("nothing", "pass", at=AT)
    shown = session.next()
    assert shown is not None
    with pytest.raises(UsageError, match=r"'perfect' is not a label here\. Say one of: fail, pass"):
        session.label(shown.key, "perfect", at=AT)


def test_two_answers_stand_in_an_order_that_tells_nothing():
    items = [item_of(number, 0, baseline=f"Baseline {number}.") for number in range(60)]
    texts = {item.key: (item.text, item.baseline_text) for item in items}
    session = labelling(items, kind="preference")
    candidate_first = 0
    for _ in range(60):
        shown = session.next()
        assert shown is not None
        own, other = texts[shown.key]
        assert set(shown.answers) == {own, other}
        is_first = shown.answers[0] == own
        candidate_first += is_first
        session.apply([session.label(shown.key, "first", at=AT)])
        assert session.labels[shown.key].value == (1 if is_first else -1)
    assert 15 < candidate_first < 45


def test_a_tie_is_one_in_any_order():
    items = [item_of(number, 0, baseline="Other.") for number in range(10)]
    session = labelling(items, kind="preference")
    keys = [label(session, "tie") for _ in range(10)]
    assert {session.labels[key].value for key in keys} == {0}


def test_a_label_carries_the_answer_so_that_it_outlives_the_judge():
    session = labelling([item_of(3, 1)])
    key = label(session, "fail")
    act = session.labels[key]
    assert act == Act(
        act="label",
        key=key,
        value=0.0,
        by="ada",
        at=AT,
        setup_hash=CANDIDATE,
        case_id="c3",
        case_hash=f"{3:064}",
        text="Answer 3 of c, 0.",
    )


def test_another_answer_is_another_row():
    one, other = item_of(1, 1), item_of(1, 1, baseline="x")
    assert len({one.key, other.key, item_of(1, 1, repeat=1).key, item_of(2, 1).key}) == 4
    assert one.key == item_of(1, 0).key, "the verdict is no part of it"


def test_the_population_is_told_by_setup_and_verdict():
    items = [*rare(20, 5), item_of(1, 0, setup=BASELINE)]
    found = [(pool.setup_hash, pool.verdict, pool.rows) for pool in labelling(items).population]
    assert found == [(BASELINE, 0, 1), (CANDIDATE, 0, 5), (CANDIDATE, 1, 15)]
