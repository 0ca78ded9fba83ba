"""A provider's export beside the ledger: through the real command, with real records."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from harness import TRIMTAB, project_text
from insights.exported import (
    DAY_ZERO,
    DAY_ZERO_S,
    PROVIDER,
    Call,
    anthropic_costs,
    anthropic_page,
    anthropic_usage,
    entries,
    keep,
    openai_costs,
    openai_costs_csv,
    openai_page,
    openai_usage,
    write,
)
from store.samples import record
from trimtab.archive import open_reader
from trimtab.config.environment import environment
from trimtab.errors import UsageError
from trimtab.insights.exports.detect import parse_export
from trimtab.insights.reconcile.compare import reconcile as compare
from trimtab.types.records import Intent

ROOT = Path(__file__).parents[2]
CALLS = [
    Call(input=1_000, cached=200, output=300),
    Call(input=5_017, cached=0, output=1, cents=Decimal("0.7")),
    Call(model="gpt-y", input=77, cached=33, output=900, cents=Decimal("1.23456")),
    Call(day=1, model="gpt-y", input=10, cached=0, output=20, hour=0),
    Call(day=1, input=123_456, cached=100_000, output=5_000, cents=Decimal("12.5"), hour=23),
]
CLAUDE = [
    Call(model="claude-x", input=3_000, cached=1_000, written=700, output=50),
    Call(day=1, model="claude-x", input=10, cached=0, written=0, output=7, cents=Decimal("0.0004")),
]
DAYS = (0, 1)


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trimtab.toml").write_text(project_text("http://127.0.0.1:9/v1"))
    return tmp_path


def run(folder: Path, *arguments: str) -> Done:
    done = subprocess.run(
        [*TRIMTAB, "spend", "reconcile", *arguments, "--provider", PROVIDER, "-p", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**environment(), "COLUMNS": "200"},
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


def compared(folder: Path, *files: str) -> Any:
    """The report as JSON; the exit code must agree with it."""
    done = run(folder, *files, "--json")
    assert done.code in {0, 1}, done.err
    assert done.json["above"] is (done.code == 1)
    return done.json


def totals(report: Any) -> dict[str, Any]:
    return {total["field"]: total for total in report["totals"]}


# ------------------------------------------------------------------ equal


def test_equal_books_differ_by_nothing_at_openai(folder: Path):
    keep(folder, CALLS)
    report = compared(
        folder,
        write(folder, "usage.json", openai_usage(CALLS, DAYS)),
        write(folder, "costs.csv", openai_costs_csv(CALLS, DAYS)),
    )
    assert report["vendor"] == "openai"
    assert [(row["day"], row["their_models"]) for row in report["rows"]] == [
        (DAY_ZERO, ["gpt-x-2026-01-01"]),
        (DAY_ZERO, ["gpt-y"]),
        (day(1), ["gpt-x-2026-01-01"]),
        (day(1), ["gpt-y"]),
    ]
    for row in report["rows"]:
        assert row["side"] == "both"
        assert row["whole_day"]
        assert row["deltas"] == {
            "input_tokens": 0,
            "cache_read_tokens": 0,
            "cache_write_tokens": None,  # OpenAI's page does not tell
            "output_tokens": 0,
            "cost_nanousd": 0,
        }
        assert row["their_requests"] == row["our_inferences"]
    assert totals(report)["cost_nanousd"]["theirs"] == sum(int(c.cents * 10**7) for c in CALLS)
    assert totals(report)["input_tokens"]["ours"] == sum(call.input for call in CALLS)
    assert not report["above"]
    assert report["notes"] == []


def test_equal_books_differ_by_nothing_at_anthropic(folder: Path):
    keep(folder, CLAUDE)
    report = compared(
        folder,
        write(folder, "usage.json", anthropic_usage(CLAUDE, DAYS)),
        write(folder, "cost.json", anthropic_costs(CLAUDE, DAYS)),
    )
    assert report["vendor"] == "anthropic"
    first, second = report["rows"]
    assert first["theirs"] == first["ours"]
    assert first["ours"]["cache_write_tokens"] == 700
    assert second["theirs"] == second["ours"]
    assert second["ours"]["cost_nanousd"] == 4_000


def test_costs_alone_by_model_and_as_a_whole(folder: Path):
    keep(folder, CALLS)
    report = compared(folder, write(folder, "costs.json", openai_costs(CALLS, DAYS)))
    assert list(totals(report)) == ["cost_nanousd"]
    assert totals(report)["cost_nanousd"]["off"] == 0
    whole = openai_costs(CALLS, DAYS, by_item=False)
    report = compared(folder, write(folder, "costs.json", whole))
    assert [row["their_models"] for row in report["rows"]] == [["(all models)"]] * 2
    assert totals(report)["cost_nanousd"]["off"] == 0


def test_pages_may_be_several_files(folder: Path):
    keep(folder, CALLS)
    first = openai_usage(CALLS, (0,)) | {"has_more": True, "next_page": "p2"}
    one = write(folder, "one.json", first)
    other = write(folder, "other.json", openai_usage(CALLS, (1,)))
    assert compared(folder, other, one)["notes"] == []
    (note,) = compared(folder, one)["notes"]
    assert "one.json says that there are further pages of usage" in note


# ------------------------------------------------------------------ different


def day(number: int) -> str:
    return f"{DAY_ZERO[:8]}{int(DAY_ZERO[8:]) + number:02}"


def test_a_call_that_we_do_not_know(folder: Path):
    keep(folder, CALLS[1:])
    report = compared(folder, write(folder, "usage.json", openai_usage(CALLS, DAYS)))
    row = report["rows"][0]
    assert row["deltas"]["input_tokens"] == -1_000
    assert row["deltas"]["cache_read_tokens"] == -200
    assert row["deltas"]["output_tokens"] == -300
    assert (row["their_requests"], row["our_inferences"]) == (2, 1)
    assert [other["deltas"]["input_tokens"] for other in report["rows"][1:]] == [0, 0, 0]
    assert report["above"]
    total = totals(report)["input_tokens"]
    assert (total["delta"], total["off"], total["above"]) == (-1_000, 1_000, True)


def test_a_difference_only_in_what_was_cached(folder: Path):
    keep(folder, CALLS)
    theirs = [call._replace(cached=call.cached - 10) if call.cached else call for call in CALLS]
    report = compared(folder, write(folder, "usage.json", openai_usage(theirs, DAYS)))
    found = {field: total["off"] for field, total in totals(report).items()}
    assert found == {"input_tokens": 0, "cache_read_tokens": 30, "output_tokens": 0}
    assert totals(report)["cache_read_tokens"]["delta"] == 30
    assert not report["above"], "30 of 100,203 is below 0.5 %"
    assert run(folder, str(folder / "usage.json"), "--threshold", "0.02%").code == 1


def test_too_much_and_too_little_do_not_cancel(folder: Path):
    keep(folder, CALLS)
    shifted = [*CALLS]
    shifted[0] = CALLS[0]._replace(input=CALLS[0].input + 1_000)
    shifted[4] = CALLS[4]._replace(input=CALLS[4].input - 1_000)
    report = compared(folder, write(folder, "usage.json", openai_usage(shifted, DAYS)))
    total = totals(report)["input_tokens"]
    assert (total["delta"], total["off"], total["above"]) == (0, 2_000, True)


def test_models_that_only_one_side_knows(folder: Path):
    keep(folder, [*CALLS, Call(model="gpt-local", input=1, cached=0, output=2)])
    theirs = [*CALLS, Call(model="gpt-batch", input=50, cached=0, output=60)]
    report = compared(folder, write(folder, "usage.json", openai_usage(theirs, DAYS)))
    sides = {
        (*row["their_models"], *row["our_models"]): row["side"]
        for row in report["rows"]
        if row["side"] != "both"
    }
    assert sides == {("gpt-batch",): "only_theirs", ("fake:gpt-local",): "only_ours"}
    assert totals(report)["output_tokens"]["off"] == 62
    done = run(folder, str(folder / "usage.json"), "--threshold", "100%")
    assert done.code == 0
    assert "only theirs" in done.out
    assert "only ours" in done.out


def test_another_provider_of_the_project_is_left_out(folder: Path):
    others = entries(CALLS)
    keep(folder, CALLS)

    record(
        folder / ".trimtab",
        [
            msgspec.structs.replace(one, inference_id=f"other_{one.inference_id}", provider="x")
            if isinstance(one, Intent)
            else msgspec.structs.replace(one, inference_id=f"other_{one.inference_id}")
            for one in others
        ],
    )
    report = compared(folder, write(folder, "usage.json", openai_usage(CALLS, DAYS)))
    assert totals(report)["input_tokens"]["off"] == 0


# ------------------------------------------------------------------ names of models


def test_an_alias_is_matched_by_what_served_it(folder: Path):
    ours = [
        Call(asked="gpt-x"),
        Call(asked="gpt-x", model="gpt-x-2026-06-06"),
        Call(model="gpt-x-2026-06-06"),
        Call(model="gpt-y"),
    ]
    keep(folder, ours)
    report = compared(folder, write(folder, "usage.json", openai_usage(ours)))
    first, second = report["rows"]
    assert first["their_models"] == ["gpt-x-2026-01-01", "gpt-x-2026-06-06"]
    assert first["our_models"] == ["fake:gpt-x", "fake:gpt-x-2026-06-06"]
    assert second["their_models"] == ["gpt-y"]
    assert totals(report)["input_tokens"]["off"] == 0
    assert report["notes"] == []
    assert "gpt-x + gpt-x-2026-06-06 = " in run(folder, str(folder / "usage.json")).out


def test_what_only_looks_alike_is_not_matched(folder: Path):
    keep(folder, [Call(asked="gpt-x", model="")])
    report = compared(folder, write(folder, "usage.json", openai_usage([Call()])))
    assert sorted(row["side"] for row in report["rows"]) == ["only_ours", "only_theirs"]


def test_days_whose_inferences_are_gone_are_matched_by_name(folder: Path):
    keep(folder, [Call(asked="gpt-x"), Call(model="gpt-y")])
    for file in (folder / ".trimtab").glob("events-*"):
        file.unlink()
    report = compared(
        folder, write(folder, "usage.json", openai_usage([Call(), Call(model="gpt-y")]))
    )
    assert [row["side"] for row in report["rows"]] == ["only_ours", "only_theirs", "both"]
    assert "matched by their names alone" in report["notes"][0]


def test_only_so_many_inferences_are_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trimtab.insights.reconcile.compare._PAGE", 2)
    monkeypatch.setattr("trimtab.insights.reconcile.compare._MOST_EVENTS", 4)
    calls = [Call(asked="gpt-x", model=f"gpt-x-{number}") for number in range(6)]
    keep(folder, calls)
    exports = [parse_export("f", json.dumps(openai_usage(calls)).encode())]
    reader = open_reader(folder / "trimtab.toml")
    report = compare(exports, reader, [PROVIDER], threshold="1%", now_ns=0)
    assert "only 4 inferences" in report.notes[0]
    assert [row.side for row in report.rows].count("only_theirs") == 2
    monkeypatch.setattr("trimtab.insights.reconcile.compare._MOST_EVENTS", 100)
    report = compare(exports, reader, [PROVIDER], threshold="1%", now_ns=0)
    assert [row.side for row in report.rows] == ["both"]
    with pytest.raises(UsageError, match="at least one file"):
        compare([], reader, [PROVIDER], threshold="1%", now_ns=0)


# ------------------------------------------------------------------ parts of days


def test_only_the_hours_of_the_export_are_compared(folder: Path):
    calls = [Call(hour=hour, input=10**hour, cached=0) for hour in range(6)]
    keep(folder, calls)
    page = openai_usage(calls[2:4])
    bucket = page["data"][0]
    hours = [bucket | {"results": []} for _ in range(2)]
    for number, one in enumerate(hours):
        one["start_time"] = DAY_ZERO_S + (2 + number) * 3_600
        one["end_time"] = one["start_time"] + 3_600
    hours[1]["results"] = bucket["results"]
    page["data"] = hours
    report = compared(folder, write(folder, "usage.json", page))
    (row,) = report["rows"]
    assert not row["whole_day"]
    assert row["ours"]["input_tokens"] == 10**2 + 10**3
    assert row["deltas"]["input_tokens"] == 0
    assert "* part of the day" in run(folder, str(folder / "usage.json")).out


def test_today_is_no_whole_day(folder: Path):
    far = Call(day=3_650)
    report = compared(folder, write(folder, "usage.json", openai_usage([far], (3_650,))))
    assert not report["rows"][0]["whole_day"]


# ------------------------------------------------------------------ money


def test_what_is_of_no_model_is_only_theirs(folder: Path):
    keep(folder, CLAUDE[:1])
    page = anthropic_costs(CLAUDE[:1])
    search = {"amount": "100", "currency": "USD", "cost_type": "web_search", "model": None}
    page["data"][0]["results"] += [search, search | {"description": "Web Search Usage"}]
    report = compared(folder, write(folder, "cost.json", page))
    found = {row["their_models"][0]: row["deltas"]["cost_nanousd"] for row in report["rows"]}
    assert found == {"claude-x": 0, "web_search": -(10**9), "Web Search Usage": -(10**9)}
    assert report["above"]


def test_other_currencies_are_told_and_not_compared(folder: Path):
    keep(folder, CALLS[:1])
    costs = openai_costs(CALLS[:1])
    euros = {"value": 12.5, "currency": "eur"}
    result = {"object": "organization.costs.result", "amount": euros, "line_item": "gpt-y, input"}
    costs["data"][0]["results"].append(result)
    report = compared(folder, write(folder, "costs.json", costs))
    assert totals(report)["cost_nanousd"]["off"] == 0
    assert "12.5 EUR in" in report["notes"][0]
    assert "Note: 12.5 EUR in" in run(folder, str(folder / "costs.json")).out
    only = write(folder, "euros.json", openai_page([(0, [result])]))
    assert run(folder, only).code == 2
    page = anthropic_page([(0, [{"amount": "1250", "currency": "EUR"}])])
    usage = write(folder, "usage.json", anthropic_usage(CALLS[:1]))
    report = compared(folder, usage, write(folder, "cost.json", page))
    assert "cost_nanousd" not in totals(report)
    assert "12.5 EUR in" in report["notes"][0]


def test_our_estimates_are_told_apart(folder: Path):
    keep(folder, CALLS[:1], usage_source="estimated")
    usage = write(folder, "usage.json", openai_usage(CALLS[:1]))
    report = compared(folder, usage, write(folder, "costs.json", openai_costs(CALLS[:1])))
    assert report["estimated_nanousd"] == 125_000
    assert report["rows"][0]["estimated_nanousd"] == 125_000
    assert "Of our cost $0.000125 is estimated" in run(folder, usage).out


# ------------------------------------------------------------------ the threshold


@pytest.mark.parametrize(
    ("ours", "threshold", "code"),
    [
        (1_005, "0.5%", 0),
        (1_006, "0.5%", 1),
        (995, "0.5%", 0),
        (994, "0.5%", 1),
        (1_000, "0%", 0),
        (1_001, "0%", 1),
        (1_000_000, "100%", 1),
        (1_005, "0.499999999%", 1),
    ],
)
def test_exactly_the_threshold_is_allowed(folder: Path, ours: int, threshold: str, code: int):
    keep(folder, [Call(input=ours, cached=0)])
    usage = write(folder, "usage.json", openai_usage([Call(input=1_000, cached=0)]))
    done = run(folder, usage, "--threshold", threshold)
    assert done.code == code, done.out
    assert ("Above the threshold" in done.out) is bool(code)
    assert ("Nothing is off by more than" in done.out) is not code


def test_something_where_they_say_nothing_is_above(folder: Path):
    keep(folder, [Call(cached=1)])
    usage = write(folder, "usage.json", openai_usage([Call(cached=0)]))
    done = run(folder, usage, "--threshold", "100%")
    assert done.code == 1
    assert "all of it" in done.out


@pytest.mark.parametrize("text", ["0.5", "101%", "-1%", "x%", "", "1e1%", "0.0000000001%"])
def test_what_is_no_threshold(folder: Path, text: str):
    usage = write(folder, "usage.json", openai_usage([Call()]))
    done = run(folder, usage, f"--threshold={text}")
    assert done.code == 2
    assert "such as 0.5%" in done.err


# ------------------------------------------------------------------ the alert


def test_above_the_threshold_an_alert_waits_for_the_gateway(folder: Path):
    text = '[alerts.webhooks.ops]\nurl = "http://127.0.0.1:9/x"\n'
    (folder / "trimtab.toml").write_text(project_text("http://127.0.0.1:9/v1", extra=text))
    keep(folder, CALLS[1:])
    usage = write(folder, "usage.json", openai_usage(CALLS, DAYS))
    for _ in range(2):
        assert run(folder, usage).code == 1
    listed = subprocess.run(
        [*TRIMTAB, "alerts", "list", "--json", "-p", str(folder)],
        capture_output=True, check=True,
    )  # fmt: skip
    (one,) = json.loads(listed.stdout)
    assert one["alert"]["kind"] == "reconcile"
    assert one["alert"]["key"].startswith(f"reconcile/openai/{DAY_ZERO}/{day(1)}/")
    assert "input by 1,000 tokens (0.77 %)" in one["alert"]["message"]
    assert one["alert"]["facts"]["off_input_tokens"] == 1_000
    assert [delivery["state"] for delivery in one["deliveries"]] == ["waiting"]


def test_money_in_the_alert(folder: Path):
    keep(folder, CALLS[1:])
    assert run(
        folder, write(folder, "costs.json", openai_costs(CALLS, DAYS)), "--threshold=0%"
    ).code
    listed = subprocess.run(
        [*TRIMTAB, "alerts", "list", "-p", str(folder)], capture_output=True, text=True, check=True
    )
    assert "cost by $0.000125 (0.09 %)" in listed.stdout


# ------------------------------------------------------------------ the command


def test_the_table_shows_each_day_and_model(folder: Path):
    keep(folder, CALLS[1:])
    usage = write(folder, "usage.json", openai_usage(CALLS, DAYS))
    out = run(folder, usage, write(folder, "costs.csv", openai_costs_csv(CALLS, DAYS))).out
    lines = [line.split() for line in out.splitlines()]
    x = "gpt-x-2026-01-01"
    assert [DAY_ZERO, x, "input", "6,017", "5,017", "-1,000", "16.62", "%"] in lines
    assert ["cache", "read", "200", "0", "-200", "100.00", "%"] in lines
    assert ["cost", "$0.007125", "$0.007", "-$0.000125", "1.75", "%"] in lines
    assert [DAY_ZERO, "gpt-y", "all", "equal"] in lines
    assert ["input", "129,560", "128,560", "-1,000", "0.77", "%", "above"] in lines
    assert "Above the threshold of 0.5 %: input" in out


def test_providers_are_found_by_the_address(folder: Path):
    keep(folder, CALLS)
    usage = write(folder, "usage.json", openai_usage(CALLS, DAYS))
    command = [*TRIMTAB, "spend", "reconcile", usage, "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No provider of this project is at openai.com" in done.stderr
    text = project_text("https://eu.api.openai.com/v1").replace(
        "[models", "[providers.local]\n[models", 1
    )
    (folder / "trimtab.toml").write_text(text)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    done = subprocess.run(
        [*command, "--provider", "nobody"], capture_output=True, text=True, check=False
    )
    assert "no provider 'nobody'. It has: fake" in done.stderr


def test_files_that_cannot_be_compared(folder: Path):
    usage = write(folder, "usage.json", openai_usage([Call()]))
    again = write(folder, "again.json", openai_usage([Call()]))
    claude = write(folder, "claude.json", anthropic_usage(CLAUDE))
    by_model = write(folder, "costs.json", openai_costs([Call()]))
    hour = openai_costs([Call()], by_item=False)
    whole = write(folder, "whole.json", hour)
    for files, words in (
        ([usage, again], "is told twice, in"),
        ([usage, usage], "is told twice, in"),
        ([usage, claude], "are of anthropic and openai"),
        ([by_model, whole], "is told twice"),
        ([str(folder / "none.json")], "cannot be read: No such file"),
        ([str(folder)], "cannot be read"),
    ):
        done = run(folder, *files)
        assert done.code == 2, done.out
        assert words in done.err, done.err
    mixed = openai_costs([Call()])
    mixed["data"][0]["results"].append(hour["data"][0]["results"][0])
    done = run(folder, write(folder, "mixed.json", mixed))
    assert "both by model and as a whole" in done.err


# ------------------------------------------------------------------ in words


def test_the_pages_figures_are_those_of_the_code():
    page = " ".join((ROOT / "docs" / "reconcile.md").read_text(encoding="utf-8").split())
    assert "off by more than 0.5 %" in page
    assert '] = "0.5%"' in (ROOT / "src/trimtab/cli/spend/reconcile.py").read_text(encoding="utf-8")


def test_the_page_shows_what_the_command_prints(folder: Path):
    ours = [
        Call(
            asked="gpt-x", input=1_000_000, cached=200_000, output=300_000, cents=Decimal("412.5")
        ),
        Call(model="gpt-y", input=77_000, cached=33_000, output=9_000, cents=Decimal("12.3456")),
        Call(1, "gpt-y", input=10_000, cached=0, output=20_000, cents=Decimal("7.1")),
    ]
    batch = Call(1, "gpt-batch", input=5_000, cached=0, output=100, cents=Decimal(1))
    theirs = [ours[0]._replace(cached=199_000), *ours[1:], batch]
    keep(folder, ours)
    usage = write(folder, "usage.json", openai_usage(theirs, DAYS))
    done = run(folder, usage, write(folder, "costs.csv", openai_costs_csv(theirs, DAYS)))
    page = (ROOT / "docs" / "reconcile.md").read_text(encoding="utf-8")
    shown = page.split("```\nLedger against")[1].split("```")[0].splitlines()
    printed = [line.rstrip() for line in done.out.splitlines()]
    assert ["Ledger against" + shown[0], *shown[1:]] == printed
    assert done.code == 0


def test_what_is_unsettled_is_told_below_the_table(folder: Path):
    """A process that dies in a call leaves an intent without its settle."""
    begun = [one for one in entries([Call()]) if isinstance(one, Intent)]
    process = subprocess.run(
        [sys.executable, "-c", DIES, str(folder / ".trimtab"), msgspec.json.encode(begun).decode()],
        check=False,
        env={**environment(), "PYTHONPATH": str(ROOT / "tests")},
    )
    assert process.returncode == 9
    usage = write(folder, "usage.json", openai_usage([Call()]))
    report = compared(folder, usage)
    assert (report["unsettled"], report["unsettled_nanousd"]) == (1, 5_000)
    assert "1 attempts are unsettled, held at $0.000005" in run(folder, usage).out


DIES = """
import asyncio, os, sys, msgspec
from pathlib import Path
from store.samples import CLOCK, put
from trimtab.store.sqlite import open_ledger
from trimtab.types.records import Intent

async def main():
    ledger = open_ledger(Path(sys.argv[1]), CLOCK)
    for intent in msgspec.json.decode(sys.argv[2], type=list[Intent]):
        await put(ledger, intent)
    os._exit(9)

asyncio.run(main())
"""
