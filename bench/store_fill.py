"""Fills a store through the real writer and the real projector, and says what that costs."""

import asyncio
import resource
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Generator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from bench.store_traffic import Shape, traffic
from trimtab.store.chain import KINDS, Record, encode_record
from trimtab.store.sqlite.projector import Projector
from trimtab.store.sqlite.writer import LedgerWriter, Waiting
from trimtab.types.clock import SystemClock

__all__ = ["Filled", "fill"]

_BYTES_EACH: Final = 2_200  # on the disk, of one inference, all files together, with room
_MOST_QUEUED: Final = 8_192
_PROJECT_EVERY: Final = 50_000


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """What a fill took. CPU is of the whole process, of the thread that makes records excluded.

    Attributes:
        ledger_s, projection_s: wall-clock seconds.
        ledger_cpu_s, projection_cpu_s: seconds of processor time.
        megabytes: on the disk, by kind of file.
        peak_megabytes: most memory that the process had.
    """

    shape: Shape
    inferences: int
    ledger_s: float
    ledger_cpu_s: float
    projection_s: float
    projection_cpu_s: float
    megabytes: dict[str, float]
    peak_megabytes: float


def fill(folder: Path, shape: Shape, *, fresh: bool, most: int | None = None) -> Filled:
    """A store of that shape in `folder`: the one that is there, or a new one.

    With `most`, only the first so many inferences of it.
    """
    done = folder / "filled.json"
    if done.exists() and not fresh:
        found = msgspec.json.decode(done.read_bytes(), type=Filled)
        if found.shape == shape:
            return found
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _check_room(folder, shape)
    filled = asyncio.run(_fill(folder, shape, min(most or shape.inferences, shape.inferences)))
    done.write_bytes(msgspec.json.format(msgspec.json.encode(filled)))
    return filled


def _check_room(folder: Path, shape: Shape) -> None:
    free, needed = shutil.disk_usage(folder).free, shape.inferences * _BYTES_EACH
    if free < needed:
        sys.exit(
            f"{shape.inferences:,} inferences need {needed / 1e9:.1f} GB below .bench/, "
            f"{free / 1e9:.1f} GB are free. Free some, or ask for fewer with --inferences."
        )


async def _fill(folder: Path, shape: Shape, count: int) -> Filled:
    writer = LedgerWriter(folder, SystemClock(), asyncio.get_running_loop())
    spent = {"ledger": [0.0, 0.0], "projection": [0.0, 0.0]}
    inferences = islice(traffic(shape), count)
    written = 0
    with closing(Projector(folder)) as projector:
        while batch := list(islice(inferences, _PROJECT_EVERY)):
            with _timed(spent["ledger"]):
                _write(writer, batch)
            with _timed(spent["projection"]):
                projector.catch_up()
            written += len(batch)
            _progress(written, count)
        writer.close(60)
        with _timed(spent["projection"]):
            projector.catch_up()
    return Filled(
        shape=shape,
        inferences=count,
        ledger_s=spent["ledger"][0],
        ledger_cpu_s=spent["ledger"][1],
        projection_s=spent["projection"][0],
        projection_cpu_s=spent["projection"][1],
        megabytes=_sizes(folder),
        peak_megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _write(writer: LedgerWriter, batch: list[list[Record]]) -> None:
    """Encode and append, as fast as the writer takes it."""
    until = writer.head.seq + sum(map(len, batch))
    for records in batch:
        for record in records:
            writer.put(Waiting(record, KINDS[type(record)], encode_record(record), None))
        while writer.backlog() > _MOST_QUEUED:
            time.sleep(0.001)
    while writer.head.seq < until:
        if writer.trouble is not None:
            sys.exit(writer.trouble)
        time.sleep(0.001)


@contextmanager
def _timed(spent: list[float]) -> Generator[None]:
    begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
    yield
    spent[0] += time.perf_counter() - begun_s
    spent[1] += time.process_time() - begun_cpu_s


def _progress(written: int, total: int) -> None:
    if sys.stderr.isatty() or written % (10 * _PROJECT_EVERY) == 0 or written == total:
        print(f"\r{written:,} of {total:,} inferences", end="", file=sys.stderr, flush=True)
    if written == total:
        print(file=sys.stderr)


def _sizes(folder: Path) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for path in folder.glob("*.sqlite*"):
        found[path.name.partition("-")[0].partition(".")[0]] += path.stat().st_size / 1e6
    return dict(sorted(found.items()))
