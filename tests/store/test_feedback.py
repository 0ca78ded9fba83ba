"""Feedback in the ledger and in the rows that are derived from it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store.samples import CLOCK, DAY_NS, NOON_NS, derived, intent, pair, record, rows, thumb
from trimtab.errors import LedgerUnavailable, StoreError
from trimtab.store.sqlite import (
    forget_days,
    open_comments,
    open_ledger,
    open_reader,
    open_repricings,
    rebuild,
    verify,
)
from trimtab.types.clock import NS_PER_S
from trimtab.types.records import PromptUse

USE = PromptUse(id="a", version="v1", hash="h1", arm="canary")


def test_the_last_word_counts_in_whichever_order_writers_are_read(tmp_path: Path) -> None:
    late = thumb("inf_1", given_ns=NOON_NS + 9, value=False, bad=True, prompt=USE)
    early = thumb("inf_1", given_ns=NOON_NS + 1, prompt=USE)
    record(tmp_path, [*pair("inf_1"), late])
    record(tmp_path, [early])  # by another process, whose clock is behind
    reader = open_reader(tmp_path, CLOCK)
    [given] = reader.feedback_on("inf_1")
    assert (given.value, given.bad, given.given_ns) == (False, True, NOON_NS + 9)
    [facts] = reader.feedback_facts(0, 1 << 62)
    assert (facts.version, facts.arm, facts.count, facts.bad) == ("v1", "canary", 1, 1)


def test_a_rebuild_gives_the_same_and_keeps_comments(tmp_path: Path) -> None:
    on = thumb("inf_1", prompt=USE)
    numbers = [
        thumb("inf_1", metric="stars", value=n, bad=None, user=f"u{n}") for n in (1.0, 2.5, 4.0)
    ]
    record(tmp_path, [*pair("inf_1"), on, *numbers])
    open_comments(tmp_path, CLOCK).keep(on, "quick")
    before = derived(tmp_path)
    stars, thumbs = before["feedback"]
    assert (stars.count, stars.total, stars.squares, stars.boolean) == (3, 7.5, 23.25, False)
    assert (thumbs.count, thumbs.bad, thumbs.boolean) == (1, 0, True)
    assert verify(tmp_path).ok
    assert verify(tmp_path).feedback == 4
    rebuild(tmp_path)
    assert derived(tmp_path) == before
    given = open_reader(tmp_path, CLOCK).feedback_on("inf_1")
    assert [one.comment for one in given if one.metric == "thumbs"] == ["quick"]
    assert next(iter(open_repricings(tmp_path, CLOCK).settled(0, 1 << 62))).intent.attempt == 1


def test_an_entry_of_feedback_that_is_changed_is_found(tmp_path: Path) -> None:
    record(tmp_path, [*pair("inf_1"), thumb("inf_1", value=False, bad=True)])
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db, db:
        db.execute(
            "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT), 'false', 'true ') AS BLOB) "
            "WHERE kind = 'signal'"
        )
    report = verify(tmp_path)
    assert not report.ok
    assert report.broken_links == 1


def test_comments_go_with_the_day_of_their_inference(tmp_path: Path) -> None:
    old, new = thumb("inf_1"), thumb("inf_2", started_ns=NOON_NS + 5 * DAY_NS)
    record(tmp_path, [*pair("inf_1"), old, new])
    comments = open_comments(tmp_path, CLOCK)
    comments.keep(old, "old")
    comments.keep(new, "new")
    comments.keep(new, "newer")
    forget_days(tmp_path, NOON_NS + 5 * DAY_NS, 2)
    found = rows(tmp_path / "feedback.sqlite", "SELECT comment FROM comments")
    assert found == [("newer",)]
    reader = open_reader(tmp_path, CLOCK)
    assert len(reader.feedback_on("inf_1")) == 1, "what was given is no text, and stays"


def test_steps_begin_at_whole_days(tmp_path: Path) -> None:
    days = [NOON_NS, NOON_NS + 13 * 3_600 * NS_PER_S, NOON_NS + 3 * DAY_NS]
    record(tmp_path, [thumb(f"inf_{at}", given_ns=at, prompt=USE) for at in days])
    facts = open_reader(tmp_path, CLOCK).feedback_facts(0, 1 << 62, step_s=86_400, prompt="a")
    midnight_ns = NOON_NS - NOON_NS % DAY_NS
    assert [(one.since_ns - midnight_ns) // DAY_NS for one in facts] == [0, 1, 3]
    assert [one.until_ns - one.since_ns for one in facts] == [DAY_NS] * 3
    assert open_reader(tmp_path, CLOCK).feedback_facts(0, 1 << 62, prompt="b") == []


def test_without_feedback_there_is_no_file(tmp_path: Path) -> None:
    record(tmp_path, pair("inf_1"))
    reader = open_reader(tmp_path, CLOCK)
    assert reader.feedback_on("inf_1") == reader.feedback_facts(0, 1 << 62) == []
    rebuild(tmp_path)
    forget_days(tmp_path, NOON_NS, 1)
    assert verify(tmp_path).ok
    assert not (tmp_path / "feedback.sqlite").exists()


def test_a_file_that_is_no_database_is_told_of(tmp_path: Path) -> None:
    record(tmp_path, [*pair("inf_1"), thumb("inf_1")])
    (tmp_path / "feedback.sqlite").write_bytes(b"no database" * 1_000)
    with pytest.raises(StoreError, match="trimtab ledger rebuild"):
        open_reader(tmp_path, CLOCK).feedback_on("inf_1")


def test_feedback_fails_while_the_ledger_is_locked_and_is_not_kept(tmp_path: Path) -> None:
    async def locked() -> None:
        ledger = open_ledger(tmp_path, CLOCK)
        await ledger.record_intent(intent("inf_1"))
        with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as db:
            db.execute("BEGIN EXCLUSIVE")
            with pytest.raises(LedgerUnavailable):
                await ledger.record_feedback(thumb("inf_1"))
        await ledger.record_feedback(thumb("inf_2"))
        await ledger.close()

    asyncio.run(locked())
    assert open_reader(tmp_path, CLOCK).feedback_on("inf_1") == []
    assert len(open_reader(tmp_path, CLOCK).feedback_on("inf_2")) == 1
