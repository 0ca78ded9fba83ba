"""The store benchmark in small: filled, asked, and held against the rows."""

from pathlib import Path

from bench.store import ask_all, check_all
from bench.store_fill import fill
from bench.store_traffic import Shape

SHAPE = Shape(3_000, 30, 100, 1_795_441_020)


def test_answers_are_those_of_the_rows(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    filled = fill(folder, SHAPE, fresh=False)
    assert fill(folder, SHAPE, fresh=False) == filled
    assert set(filled.megabytes) >= {"ledger", "events", "rollups"}
    until_ns = SHAPE.until_s * 10**9
    assert all(one.median_ms > 0 for one in ask_all(folder, until_ns, 1))
    checked = list(check_all(folder, until_ns))
    assert [one.name for one in checked if one.difference > 0.01] == []
