"""docs/explain.md against what the commands print."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.projects import load
from stats.test_outlook import COVERAGE
from store.samples import DAY_NS, intent, record, settle
from trimtab.config.plan import Estimate, PlanPrice, load_plan
from trimtab.insights.bill_chain import STEPS
from trimtab.insights.cause_words import CAUSE_WORDS
from trimtab.store.chain import Record
from trimtab.types.clock import SystemClock
from trimtab.types.identity import Caller
from whole import january
from whole.test_cli import assert_told, run

PAGE = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")


def spend(folder: Path, *arguments: str) -> list[str]:
    done = run(folder, "spend", *arguments)
    assert done.code == 0, done.err
    return [line.rstrip() for line in done.out.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("january")
    (made / "trimtab.toml").write_text(january.PROJECT, encoding="utf-8")
    record(made / ".trimtab", january.records())
    spend(made, "plan", *january.PLAN)
    return made


def assert_on_page(lines: list[str]) -> None:
    for line in lines:
        assert f"\n{line}\n" in PAGE, line


def test_the_tables_are_those_of_the_page(folder: Path) -> None:
    explained = spend(folder, "explain", "--month", "2025-01")
    assert len(explained) == 21
    assert_on_page(explained)
    wasted = spend(folder, "waste", "--month", "2025-01")
    assert_on_page(wasted[1:12])
    assert wasted[13:] == [
        "Of $6.43 in all.",
        "Users asked again 186 times, for $0.537; whether that was waste only they know.",
    ]
    planned = spend(folder, "plan")
    assert planned[0].endswith("plan.toml")
    assert_on_page(planned[1:3])
    assert planned[4] == "The plan that holds today: $3.42 in its first 30 days."


def test_the_page_has_a_row_for_each_cause() -> None:
    table = PAGE.partition("| cause | the quantity")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    assert [row for row in rows if row in CAUSE_WORDS.values()] == [
        CAUSE_WORDS[name] for name in STEPS
    ]


def test_the_file_on_the_page_can_be_read(tmp_path: Path) -> None:
    text = PAGE.partition("```toml\n")[2].partition("```")[0]
    project = load(tmp_path, january.PROJECT)
    (tmp_path / "plan.toml").write_text(text, encoding="utf-8")
    [estimates] = load_plan(project).estimates.values()
    for name in (*Estimate.__struct_fields__, *PlanPrice.__struct_fields__[:-1]):
        assert re.search(rf"^{name}\b|\.{name}\]", text, re.MULTILINE), name
    assert estimates["everyone"].price is not None


def test_the_coverage_on_the_page_is_the_one_of_the_test() -> None:
    shares = [int(share) for share in re.findall(r"\| (\d+) % \|$", PAGE, re.MULTILINE)]
    assert shares == [held for _, held in COVERAGE]


def test_another_month_and_other_words(folder: Path) -> None:
    assert_told(run(folder, "spend", "explain", "--month", "2025-02"), 2, "--since or --month")
    assert_told(run(folder, "spend", "explain", "--month", "May"), 2, "as in 2026-10")
    assert_told(run(folder, "spend", "explain", "--against", "30d"), 2, "trimtab spend plan")
    assert_told(run(folder, "spend", "plan", "--users", "3"), 2, "--requests, --input, --output")
    again = run(folder, "spend", "plan", *january.PLAN)
    assert_told(again, 2, "not overwritten", "--from")
    assert_told(run(folder, "spend", "plan", *january.PLAN, "--from", "soon"), 2, "2026-10-01")
    slow = run(folder, "spend", "plan", *january.PLAN, "--model", "slow")
    assert_told(slow, 2, "no model or route 'slow'", "smart, fast")
    none = run(folder, "spend", "plan", *january.PLAN, "--users", "0")
    assert_told(none, 2, "This is no estimate", "users")
    assert "Nothing was spent" in spend(folder, "waste", "--month", "2024-05")[0]
    assert spend(folder, "forecast") == [
        "Nothing was spent in the last eight weeks, so nothing can be foretold."
    ]


def recent(days: int) -> Iterator[Record]:
    """A call of each of two classes on each of the last days, and a cached answer."""
    now_ns = SystemClock.wall_ns()
    for number in range(3 * days):
        kind, day = number % 3, number // 3
        values: dict[str, Any] = {
            "started_ns": now_ns - (day + 1) * DAY_NS,
            "caller": Caller("key_1", "", "ann", "", "pro" if kind == 1 else ""),
            "model": "smart-1",
        }
        if kind == 2:
            yield intent(f"inf_{number}", **values, cause="cache")
            yield settle(f"inf_{number}", cost_nanousd=0, saved_nanousd=5_000_000_000)
        else:
            yield intent(f"inf_{number}", **values)
            yield settle(f"inf_{number}", cost_nanousd=2_000_000_000)


def test_a_forecast_and_a_plan_of_classes(tmp_path: Path) -> None:
    project = january.PROJECT + '[classes.pro]\nusers = ["pro-*"]\n'
    (tmp_path / "trimtab.toml").write_text(project, encoding="utf-8")
    assert "trimtab spend plan --users" in spend(tmp_path, "plan")[1]
    record(tmp_path / ".trimtab", recent(20))
    early = spend(tmp_path, "forecast")
    assert sum("not enough data" in line for line in early) == 3
    record(tmp_path / ".trimtab", (entry for entry in recent(40) if _of_day(entry) >= 20))
    late = spend(tmp_path, "forecast")
    assert [line.split()[0] for line in late[2:5]] == ["(no", "pro", "all"]
    assert all(" to $" in line for line in late[2:5])
    assert any("The response cache saved" in line for line in spend(tmp_path, "waste"))
    # No plan: the time before stands in for it.
    compared = spend(tmp_path, "explain", "--since", "10d")
    assert "what it was from" in " ".join(compared)
    assert any("not told apart: see requests per user" in line for line in compared)
    assert any(line.startswith("pro: planned") for line in compared)
    for name in ("pro", "others"):
        spend(tmp_path, "plan", *january.PLAN, "--class", name, "--growth", "0.1")
    assert sum("+10%" in line for line in spend(tmp_path, "plan")) == 2
    assert any("The plan for the whole month" in line for line in spend(tmp_path, "forecast"))


def _of_day(entry: Record) -> int:
    return int(entry.inference_id.removeprefix("inf_")) // 3
