"""Forgetting: events and bodies of a day are one file, so forgetting a day deletes a file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from trimtab.store.sqlite.feedback_rows import forget_comments
from trimtab.store.sqlite.files import day_path, days, remove_db
from trimtab.types.clock import NS_PER_S

__all__ = ["forget_days"]


def forget_days(data_dir: Path, now_ns: int, keep_days: int) -> list[str]:
    """Delete events, bodies and comments of UTC days that ended more than `keep_days` days ago.

    The ledger, the rollups and the values of feedback stay, so sums and percentiles of those days
    can still be asked for.

    Returns:
        The days that were deleted, such as `2026-10-01`.
    """
    today = datetime.fromtimestamp(now_ns // NS_PER_S, UTC).date()
    oldest = (today - timedelta(days=keep_days)).isoformat()
    forgotten = [day for day in days(data_dir) if day < oldest]
    for day in forgotten:
        remove_db(day_path(data_dir, day))
    forget_comments(data_dir, oldest)
    return forgotten
