"""What the tests run in a process of its own: `python -m store.child WHAT DATA_DIR`."""

import asyncio
import itertools
import resource
import sys
from pathlib import Path

from store.samples import CLOCK, intent, settle
from trimtab.errors import LedgerUnavailable
from trimtab.store.sqlite import catch_up, open_keys, open_ledger


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


def main() -> None:
    what, data_dir, *more = sys.argv[1:]
    if what == "write":
        asyncio.run(write_for_ever(Path(data_dir)))
    elif what == "fill":
        asyncio.run(fill_the_disk(Path(data_dir)))
    elif what == "project":
        say(catch_up(Path(data_dir)))
    else:
        find_until_revoked(Path(data_dir), *more)


if __name__ == "__main__":
    main()
