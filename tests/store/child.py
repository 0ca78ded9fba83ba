"""What the tests run in a process of its own: `python -m store.child WHAT DATA_DIR`."""

import asyncio
import itertools
import resource
import sys
from pathlib import Path

from store.samples import CLOCK, intent, settle
from trimtab.errors import LedgerUnavailable
from trimtab.store.sqlite import catch_up, open_experiments, open_keys, open_ledger
from trimtab.store.sqlite.files import exclusive, experiments_db
from trimtab.types.experiments import Mark, Row


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def write_for_ever(data_dir: Path) -> None:
    """Prints each inference once the ledger has promised to keep it."""
    ledger = open_ledger(data_dir, CLOCK)
    for number in itertools.count():
        inference_id = f"inf_{number:06}"
        await ledger.record_intent(intent(inference_id))
        ledger.record_body(inference_id, CLOCK.wall_ns(), b"{}", b"{}")
        await ledger.record_settle(settle(inference_id))
        say(inference_id)


async def fill_the_disk(data_dir: Path) -> None:
    """Prints how it went, before and after there was room again."""
    ledger = open_ledger(data_dir, CLOCK)
    await ledger.record_intent(intent("inf_first"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = (data_dir / "ledger.sqlite-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, hard))
    written = 0
    try:
        for written in range(10_000):
            await ledger.record_intent(intent(f"inf_{written}"))
    except LedgerUnavailable as error:
        say("refused:", error)
    settles = [ledger.record_settle(settle("inf_first"))]
    settles += [ledger.record_settle(settle(f"inf_{number}")) for number in range(written)]
    try:
        ledger.check_open()
    except LedgerUnavailable:
        say("closed")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for waiter in settles:
        await waiter
    await ledger.record_intent(intent("inf_last"))
    settles.append(ledger.record_settle(settle("inf_last")))
    ledger.check_open()
    await ledger.close()
    say("settled", len(settles))


def find_until_revoked(data_dir: Path, secret: str) -> None:
    """Prints when the key is known, and again when it no longer is."""
    keys = open_keys(data_dir)
    assert keys.find(secret) is not None
    say("valid")
    while keys.find(secret) is not None:
        pass
    say("revoked")


def keep_answers(data_dir: Path, name: str) -> None:
    """Keeps 400 answers with marks, and prints the cases whose answers are its own."""
    store = open_experiments(data_dir, CLOCK)
    say("ready")
    sys.stdin.readline()
    for at in range(400):
        asked = Row(
            setup_hash="s1",
            case_id=f"c{at}",
            case_hash=f"c{at}",
            repeat=0,
            status="ok",
            text=name,
            served_model="m-1",
        )
        (kept,) = store.keep([asked], [])
        mark = Mark(
            setup_hash="s1",
            case_hash=kept.case_hash,
            repeat=0,
            served_model="m-1",
            evaluator="exact",
            evaluator_hash="e/exact",
            metric="accuracy",
            status="measured",
            value=1.0,
            reason=kept.text,
        )
        store.keep([], [mark])
        if kept.text == name:
            say(kept.case_id)


def hold_experiments(data_dir: Path) -> None:
    """Keeps the file locked until it is told to let go."""
    db = experiments_db(data_dir)
    say("ready")
    sys.stdin.readline()
    with exclusive(db):
        say("held")
        sys.stdin.readline()


def main() -> None:
    what, data_dir, *more = sys.argv[1:]
    if what == "write":
        asyncio.run(write_for_ever(Path(data_dir)))
    elif what == "fill":
        asyncio.run(fill_the_disk(Path(data_dir)))
    elif what == "project":
        say(catch_up(Path(data_dir)))
    elif what == "experiments" and more == ["hold"]:
        hold_experiments(Path(data_dir))
    elif what == "experiments":
        keep_answers(Path(data_dir), *more)
    else:
        find_until_revoked(Path(data_dir), *more)


if __name__ == "__main__":
    main()
