"""The file of the breakers: written whole, read with doubt."""

from pathlib import Path

import pytest

from trimtab.store.breaker_file import read_breakers, write_breakers
from trimtab.types.breakers import BreakerRecord, BreakerRecords

RECORDS = BreakerRecords(
    written_ns=7,
    breakers=[
        BreakerRecord(
            provider="p", model="m", state="open", failures_in_a_row=5, opened_ns=6, retry_at_ns=9
        )
    ],
)


def test_what_is_written_is_read_and_nothing_is_left_over(tmp_path: Path):
    assert read_breakers(tmp_path) is None
    write_breakers(tmp_path, RECORDS)
    assert read_breakers(tmp_path) == RECORDS
    assert [path.name for path in tmp_path.iterdir()] == ["breakers.json"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"written_ns":1}',
        b'{"written_ns":1,"breakers":[{"provider":"\xff"}]}',
        b'{"breakers":' + b"[" * 900_000,
        b" " * 2_000_000,
    ],
)
def test_what_cannot_be_read_is_as_good_as_nothing(tmp_path: Path, data: bytes):
    (tmp_path / "breakers.json").write_bytes(data)
    assert read_breakers(tmp_path) is None
