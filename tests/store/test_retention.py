"""Forgetting days."""

from datetime import UTC, datetime
from pathlib import Path

from trimtab.store.sqlite import forget_days


def test_days_past_retention_are_deleted_and_others_are_kept(tmp_path: Path):
    for day in ("2026-10-01", "2026-10-23", "2026-10-24", "2026-11-23"):
        for side in ("", "-wal", "-shm"):
            (tmp_path / f"events-{day}.sqlite{side}").touch()
    (tmp_path / "ledger.sqlite").touch()
    now_ns = int(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()) * 10**9
    assert forget_days(tmp_path, now_ns, 30) == ["2026-10-23", "2026-10-01"]
    kept = {path.name for path in tmp_path.iterdir()}
    assert {"ledger.sqlite", "events-2026-10-24.sqlite", "events-2026-11-23.sqlite-wal"} <= kept
    assert not any("2026-10-01" in name or "2026-10-23" in name for name in kept)
    assert forget_days(tmp_path, now_ns, 30) == []
