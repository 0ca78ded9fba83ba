"""Money that bought nothing, line by line."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from insights.ledgers import CALL_NANOUSD, TODAY, Books, books, calls, write
from trimtab.insights.periods import whole_days
from trimtab.insights.waste import WasteLine, WasteName, WasteReport, waste_of
from trimtab.types.records import Settle
from trimtab.types.usage import Usage

YESTERDAY = whole_days(TODAY - timedelta(days=1), TODAY, ZoneInfo("UTC"))
CACHED = Usage(input_tokens=1_000, cache_read_tokens=400, output_tokens=100)
PLAIN = Usage(input_tokens=1_000, output_tokens=100)


def wasted(of: Books) -> WasteReport:
    return waste_of(of, YESTERDAY)


def line(report: WasteReport, name: WasteName) -> WasteLine:
    [found] = [line for line in report.lines if line.name == name]
    return found


def test_each_kind_has_its_line(tmp_path: Path) -> None:
    ends: dict[WasteName, dict[str, Any]] = {
        "failed": {"outcome": "error", "error_code": "busy", "cost_nanousd": 100},
        "cancelled": {"outcome": "cancelled", "error_code": "caller_gone", "cost_nanousd": 200},
        "truncated_broken": {"outcome": "error", "error_code": "truncated", "cost_nanousd": 300},
        "truncated_limit": {"finish_reason": "length", "cost_nanousd": 400},
    }
    write(
        tmp_path,
        calls(4),
        *(calls(3, name=name, **changes) for name, changes in ends.items()),
        calls(1, name="cache", cause="cache", cost_nanousd=0, saved_nanousd=CALL_NANOUSD),
        calls(2, name="again", repeat=True),
    )
    report = wasted(books(tmp_path))
    assert report.cost_nanousd == 6 * CALL_NANOUSD + 3_000
    for number, name in enumerate(ends, start=1):
        found = line(report, name)
        assert (found.attempts, found.cost_nanousd) == (3, 300 * number)
        assert found.share == 300 * number / report.cost_nanousd
        assert not found.estimated
    assert report.wasted_nanousd == 3_000
    assert report.share == 3_000 / report.cost_nanousd
    assert (report.saved_nanousd, report.saved_inferences) == (CALL_NANOUSD, 1)
    assert (report.repeat_nanousd, report.repeats) == (2 * CALL_NANOUSD, 2)
    assert report.notes == []


def test_what_the_ladder_cost(tmp_path: Path) -> None:
    begun, ended = calls(1)
    assert isinstance(ended, Settle)
    busy = replace(ended, outcome="error", error_code="busy", final=False, cost_nanousd=77)
    again = replace(begun, attempt=2, cause="retry"), replace(ended, attempt=2)
    write(tmp_path, iter([begun, busy, *again]))
    report = wasted(books(tmp_path))
    assert (line(report, "retries").attempts, line(report, "retries").cost_nanousd) == (1, 77)
    assert report.wasted_nanousd == 77


def test_the_cache_that_was_not_there_after_a_failover(tmp_path: Path) -> None:
    write(
        tmp_path,
        calls(10, usage=CACHED),
        calls(5, name="b", cause="fallback", rung=1, usage=PLAIN, model="smart-1"),
        calls(1, name="c", cause="fallback", rung=1, usage=CACHED, model="smart-1"),
    )
    found = line(wasted(books(tmp_path)), "cache_miss_after_failover")
    # Six calls would have had 400 cached tokens each, 2,400 in all, and had 400: at 2 - 0.5 USD
    # per million that is 2,000 x 1,500 nano-dollars.
    assert (found.attempts, found.cost_nanousd) == (6, 2_000 * 1_500)
    assert found.estimated


def test_a_warm_cache_elsewhere_is_no_gain(tmp_path: Path) -> None:
    write(
        tmp_path,
        calls(10, usage=PLAIN),
        calls(5, name="b", cause="first", rung=1, usage=CACHED),
    )
    found = line(wasted(books(tmp_path)), "cache_miss_after_failover")
    assert (found.attempts, found.cost_nanousd) == (5, 0)


def test_what_is_not_known_is_not_counted(tmp_path: Path) -> None:
    of = books(tmp_path)
    write(tmp_path, calls(5, name="b", cause="fallback", rung=1, usage=PLAIN))
    assert line(wasted(of), "cache_miss_after_failover").cost_nanousd == 0
    write(tmp_path, calls(5, usage=CACHED), calls(1, name="c", cause="fallback", model="gone"))
    report = wasted(of)
    assert report.notes == [
        "openai:gone has no price any more: cache misses after failovers to it are not counted."
    ]


def test_nothing_spent_is_nothing_wasted(tmp_path: Path) -> None:
    report = wasted(books(tmp_path))
    assert (report.cost_nanousd, report.wasted_nanousd, report.share) == (0, 0, 0.0)
