"""`trimtab spend users` and `trimtab spend keys` where somebody stands out."""

import json
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from config.projects import MINIMAL
from harness import TRIMTAB
from store.samples import CLOCK, DAY_NS, intent, record, settle
from trimtab.store.chain import Record
from trimtab.store.sqlite import open_keys
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

USD = 1_000_000_000
CLASSES = '[classes.pro]\nusers = ["pro-*"]\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with four weeks of spending: one user above all others, one whose day is new."""
    folder = tmp_path_factory.mktemp("spent")
    (folder / "trimtab.toml").write_text(MINIMAL + CLASSES, encoding="utf-8")
    data_dir = folder / ".trimtab"
    data_dir.mkdir()
    keys = open_keys(data_dir, CLOCK)
    key_ids = [keys.create(name)[0].key_id for name in ("web", "[red]batch[/red]")]
    rng = Random(21)
    entries: list[Record] = []
    for ago in range(29):
        at_ns = CLOCK.wall_ns() - ago * DAY_NS - 60 * NS_PER_S
        for number in range(120):
            pro = number < 30
            nanousd = round(rng.lognormvariate(0, 0.3) * USD * (20 if pro else 1))
            nanousd *= 9 if (number, ago) == (70, 0) else 100 if number == 71 else 1
            name = f"{'pro' if pro else 'free'}-{number}"
            caller = Caller(key_ids[number % 2], "", name, "")
            inference_id = f"inf_{ago}_{number}"
            entries.append(intent(inference_id, started_ns=at_ns, caller=caller))
            entries.append(settle(inference_id, ended_ns=at_ns + NS_PER_S, cost_nanousd=nanousd))
    record(data_dir, entries)
    return folder


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [*TRIMTAB, "spend", *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_users_are_marked_with_the_reason(folder: Path) -> None:
    told = run(folder, "users", "--since", "24h")
    assert "Of the cost the top user has" in told
    assert "the top 1 % (2) " in told
    lines = [line for line in told.splitlines() if "stands out" in line]
    assert len(lines) == 2
    assert lines[0].startswith("free-71 stands out: ")
    assert lines[0].endswith("x the median user without a class.")
    assert lines[1].startswith("free-70 stands out: ")
    assert lines[1].endswith("x its own usual day.")


def test_json_has_all_figures(folder: Path) -> None:
    report: Any = json.loads(run(folder, "users", "--since", "24h", "--json"))
    assert [one["name"] for one in report["flagged"]] == ["free-71", "free-70"]
    [reason] = report["flagged"][0]["reasons"]
    assert reason["rule"] == "peers"
    assert reason["score"] > reason["cutoff"] > 3
    assert reason["times"] == pytest.approx(reason["amount_nanousd"] / reason["usual_nanousd"])
    marked = [user["user"] for user in report["users"] if user["outlier"]]
    assert set(marked) == {"free-70", "free-71"}
    assert report["concentration"]["percent_count"] == 2


def test_keys_have_names_that_are_only_text(folder: Path) -> None:
    told = run(folder, "keys", "--since", "7d")
    assert "[red]batch[/red]" in told
    assert "web" in told
    assert "Of the cost the top key has" in told
    report: Any = json.loads(run(folder, "keys", "--since", "7d", "--json"))
    assert {key["name"] for key in report["keys"]} == {"web", "[red]batch[/red]"}
    assert sum(key["cost_nanousd"] for key in report["keys"]) == report["cost_nanousd"]
