"""Where the parts of a report's pictures lie."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from evals.reports.results import gate
from trimtab.evals.reports.cases import CaseView, case_views
from trimtab.evals.reports.drawing import (
    HEIGHT,
    draw_histogram,
    draw_interval,
    draw_spread,
)
from trimtab.evals.reports.scale import Place
from trimtab.evals.result import CaseResult, Side
from trimtab.types.experiments import MetricKind

replace = msgspec.structs.replace


@pytest.mark.parametrize(
    ("place", "low_x", "value_x", "beyond"),
    [
        (Place(-1.0, 0.0, 1.0), 25, 50, []),
        (Place(-9.0, -1.0, 1.0), 0, 25, ["left"]),
        (Place(-9.0, -3.0, -2.5), 0, None, ["left"]),
        (Place(0.0, 1.0, 3.0), 50, 75, ["right"]),
        (Place(2.5, 3.0, 9.0), 100, None, ["right"]),
        (Place(-3.0, 0.0, 3.0), 0, 50, ["left", "right"]),
    ],
)
def test_an_interval(place: Place, low_x: float, value_x: float | None, beyond: list[str]):
    drawn = draw_interval(place)
    assert drawn is not None
    assert (drawn.low_x, drawn.value_x, drawn.beyond) == (low_x, value_x, beyond)
    assert (drawn.zero_x, drawn.margin_x) == (50, 25)
    assert drawn.width > 0
    assert draw_interval(None) is None
    bare = draw_interval(place._replace(has_margin=False))
    assert bare is not None
    assert bare.margin_x is None


def views_of(pairs: Sequence[tuple[float, float]], kind: MetricKind = "score") -> list[CaseView]:
    cases = [
        CaseResult(
            case_id=str(number), cluster="", tags=[], critical=False, asked="",
            candidate=Side(scores={"accuracy": after}), baseline=Side(scores={"accuracy": before}),
        )
        for number, (before, after) in enumerate(pairs)
    ]  # fmt: skip
    made = gate()
    return case_views(replace(made, cases=cases, comparisons=[compared(kind)]))


def compared(kind: MetricKind = "score", *, higher_is_better: bool = True):
    return replace(gate_accuracy, kind=kind, higher_is_better=higher_is_better)


gate_accuracy = gate().comparisons[0]
SHARES = st.floats(0, 1)


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=80), st.booleans())
@example([(0.0, 1e-7)], False)
def test_every_change_is_in_a_column_on_its_side(pairs: list[tuple[float, float]], higher: bool):
    found = compared(higher_is_better=higher)
    drawn = draw_histogram(found, views_of(pairs))
    assert drawn is not None
    moves = [(after - before) * (1 if higher else -1) for before, after in pairs]
    assert drawn.worse == sum(move < -1e-6 for move in moves)
    assert drawn.better == sum(move > 1e-6 for move in moves)
    assert drawn.same == len(pairs) - drawn.worse - drawn.better
    counts = [int(column.words.split()[0].replace(",", "")) for column in drawn.columns]
    assert sum(counts) == drawn.worse + drawn.better
    for column in drawn.columns:
        assert -0.1 <= column.x <= column.x + column.width <= 100.1
        assert 0 <= column.y <= HEIGHT
        assert column.y + column.height == pytest.approx(HEIGHT)
        middle = column.x + column.width / 2
        assert middle <= 50 if column.kind == "worse" else middle >= 50
    assert all(one.x <= other.x for one, other in pairwise(drawn.columns))


def test_repeats_have_a_column_for_each_change():
    pairs = [(1.0, 1 / 3), (1.0, 2 / 3), (1.0, 2 / 3), (2 / 3, 1.0), (1.0, 1.0)]
    drawn = draw_histogram(compared("rate"), views_of(pairs, "rate"))
    assert drawn is not None
    assert [column.words for column in drawn.columns] == [
        "1 case by -66.7 pp", "2 cases by -33.3 pp", "1 case by +33.3 pp",
    ]  # fmt: skip
    assert [tick.words for tick in drawn.ticks] == ["-66.7 pp", "no change", "+66.7 pp"]
    assert (drawn.same, drawn.worse, drawn.better) == (1, 3, 1)
    lower = draw_histogram(compared("rate", higher_is_better=False), views_of(pairs, "rate"))
    assert lower is not None
    assert [tick.words for tick in lower.ticks] == ["+66.7 pp", "no change", "-66.7 pp"]


def test_many_changes_are_counted_in_round_steps():
    pairs = [(0.5, 0.5 + at / 100) for at in range(-31, 32)]
    drawn = draw_histogram(compared(), views_of(pairs))
    assert drawn is not None
    assert [tick.words for tick in drawn.ticks] == ["-0.350", "no change", "+0.350"]
    assert drawn.columns[0].words == "1 case by -0.350 to -0.300"
    assert drawn.columns[-1].words == "1 case by +0.300 to +0.350"


def test_nothing_to_draw():
    assert draw_histogram(compared("amount"), views_of([(0.1, 0.2)])) is None
    assert draw_histogram(compared(), []) is None
    still = draw_histogram(compared(), views_of([(0.5, 0.5)]))
    assert still is not None
    assert not still.columns
    assert draw_spread("latency", [("candidate", [1.0, 2.0, 0.0, 0.0, 0.0])]) is None
    assert draw_spread("latency", []) is None


@given(
    st.lists(st.floats(1e-3, 1e9), min_size=5, max_size=50),
    st.lists(st.floats(1e-3, 1e9), min_size=5, max_size=50),
)
def test_a_spread_stays_inside_and_in_order(before: list[float], after: list[float]):
    drawn = draw_spread("latency", [("baseline", before), ("candidate", after)])
    assert drawn is not None
    assert [row.name for row in drawn.rows] == ["baseline", "candidate"]
    for row in drawn.rows:
        assert row.xs == sorted(row.xs)
        assert 0 <= row.xs[0] <= row.xs[4] <= 100
    assert len(drawn.ticks) <= 6
    assert all(5 <= tick.x <= 95 for tick in drawn.ticks)
