"""A day in an hour, and its short form: faults of every kind, and nothing is left behind."""

import shutil
from pathlib import Path

import pytest

from whole.soak import Found, run_soak
from whole.soak_watch import Files, Sample, slope_of

# In the second and third half minute. Caches fill yet, and one event of many megabytes may leave a
# hole in the heap: only the long form can tell small leaks.
MOST_GROWN_MB = 40.0


def check(found: Found) -> None:
    assert not found.wrong, "\n".join(found.wrong[:20])
    seen = found.summary["callers"]
    assert {"whole", "broken", "left"} <= seen.keys()
    causes = {"first", "retry", "fallback", "continue", "hedge", "cache"}
    assert {f"cause {cause}" for cause in causes} <= found.summary["ledger"].keys()
    assert found.summary["costs that both sides know"] > 0.5 * found.summary["agreed"]


@pytest.mark.timeout(300)
def test_two_minutes_of_mixed_faults(project_folder: Path):
    found = run_soak(project_folder, seconds=120, warm_s=30)
    check(found)
    counted = [one.memory_mb for one in found.samples if one.at_s >= 30]
    assert sorted(counted)[len(counted) // 2] - counted[0] < MOST_GROWN_MB


@pytest.mark.soak
@pytest.mark.timeout(4_500)
def test_a_day_in_an_hour(project_folder: Path):
    found = run_soak(project_folder, seconds=3_600, warm_s=600)
    check(found)
    assert found.slope.flat, found.slope
    shutil.rmtree(project_folder)  # most of a gigabyte


def walk(rise_mb_per_s: float) -> list[Sample]:
    """Memory that rises, with a saw over it."""
    none = Files(0, 0)
    return [Sample(s, 60 + rise_mb_per_s * s + (s * 7) % 5, none) for s in range(0, 1_800, 5)]


@pytest.mark.parametrize(("rise", "flat"), [(0.0, True), (-0.01, True), (0.003, False)])
def test_a_slope_is_told_from_none(rise: float, *, flat: bool):
    slope = slope_of(walk(rise), block_s=60)
    assert slope.low - 1e-6 <= rise * 600 <= slope.high + 1e-6
    assert slope.flat is flat
