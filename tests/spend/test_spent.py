"""What subjects of budgets have spent, from real records."""

from pathlib import Path

from store.samples import NOON_NS, intent, record, settle
from trimtab.spend.spent import spent_by, spent_by_step
from trimtab.spend.windows import Window
from trimtab.store import sqlite
from trimtab.testing import FrozenClock
from trimtab.types.clock import NS_PER_S
from trimtab.types.identity import Caller

HOUR_NS = 3_600 * NS_PER_S
HOUR = Window(NOON_NS - NOON_NS % HOUR_NS, NOON_NS - NOON_NS % HOUR_NS + HOUR_NS)
CALLERS = (Caller("key_1", "red"), Caller("key_2", ""), Caller("", ""))


def test_requests_without_a_key_or_team_have_spent_what_the_others_leave(tmp_path: Path):
    entries = [
        entry
        for number, caller in enumerate(CALLERS)
        for entry in (
            intent(f"inf_{number}", caller=caller),
            settle(f"inf_{number}", cost_nanousd=10**number),
        )
    ]
    record(tmp_path, entries)
    reader = sqlite.open_reader(tmp_path, FrozenClock(NOON_NS))
    assert spent_by(reader, "key", HOUR) == {"key_1": 1, "key_2": 10, "": 100}
    assert spent_by(reader, "key", HOUR, subjects=["key_2"]) == {"key_2": 10}
    assert spent_by(reader, "team", HOUR, subjects=["", "red"])[""] == 110
    assert spent_by(reader, "total", HOUR) == {"": 111}
    steps = spent_by_step(reader, "key", HOUR, subject="", step_s=3_600)
    assert steps == {HOUR.begin_ns: 100}
    assert spent_by_step(reader, "key", HOUR, subject="key_1", step_s=3_600) == {HOUR.begin_ns: 1}
