import sqlite3
from contextlib import closing

import pytest

from trimtab.store.sqlite.bulk import BulkInsert


@pytest.mark.parametrize("fine", [0, 64])
def test_any_number_of_rows(fine: int) -> None:
    add = BulkInsert("INSERT INTO found", 2, shared=1, order=(1, 0, 2), fine=fine)
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE found (number, shared, name)")
        for count in (*range(140), 1_000, 1_501):
            rows = [(number, f"row {number}") for number in range(count)]
            add.run(db, rows, (count,))
            found = db.execute("SELECT number, shared, name FROM found ORDER BY rowid").fetchall()
            assert found == [(number, count, name) for number, name in rows]
            db.execute("DELETE FROM found")


def test_order_and_tail() -> None:
    add = BulkInsert("INSERT INTO sums", 2, "ON CONFLICT (name) DO UPDATE SET n = n + excluded.n")
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE sums (name PRIMARY KEY, n)")
        add.run(db, [("a", 1), ("b", 2), ("a", 3)])
        assert db.execute("SELECT * FROM sums").fetchall() == [("a", 4), ("b", 2)]
