"""Runs rows: starts the providers and the gateways, lets each row play, and judges."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast
from urllib.parse import urlsplit

from trimtab.archive import open_reader
from trimtab.config.load import find_project_file, load_project
from trimtab.errors import UsageError
from trimtab.testing.provider import FaultProvider
from trimtab.testing.scorecard.case import Case, scaled
from trimtab.testing.scorecard.process import GatewayProcess
from trimtab.testing.scorecard.project import Ports, ports_of, project_text
from trimtab.testing.scorecard.row import Row, RowResult, Verdict
from trimtab.testing.scorecard.scene import Cast, Scene, Served
from trimtab.testing.scorecard.untrusted import listen_untrusted
from trimtab.testing.script import Behaviour, Script

__all__ = ["Elsewhere", "find_elsewhere", "new_project_text", "run_rows"]

_FILE = "trimtab.toml"

Report = Callable[[RowResult], None]


class Elsewhere(NamedTuple):
    """A gateway that somebody else has started, on a project for the table.

    Attributes:
        base_url: where it serves, `/v1` included.
        folder: its project.
        ports: where it expects the fault providers.
    """

    base_url: str
    folder: Path
    ports: Ports


def new_project_text(rows: Sequence[Row], ports: Ports, *, scale: float, port: int) -> str:
    """The project file for all rows that a gateway of somebody else can serve."""
    served = [row for row in rows if row.elsewhere]
    return project_text(_cases(served), ports, scale=scale, port=port)


def find_elsewhere(base_url: str, folder: Path, rows: Sequence[Row], *, scale: float) -> Elsewhere:
    """Check that a running gateway's project is the one that these rows need.

    Raises:
        UsageError: it is not.
    """
    url = urlsplit(base_url)
    if url.scheme != "http" or url.port is None or url.hostname is None:
        raise UsageError(
            f"{base_url!r} is not the base URL of a gateway. `trimtab up` prints it; it looks like "
            "http://127.0.0.1:8080/v1."
        )
    file = find_project_file(folder)
    project = load_project(file)
    ports = ports_of(project)
    port = project.server.port
    if file.read_text(encoding="utf-8") != new_project_text(rows, ports, scale=scale, port=port):
        raise UsageError(
            f"{file} is not the project of this table at --scale {scale:g}. Write it anew with "
            "`trimtab faults --write-project FOLDER` and the same --scale, and start the gateway "
            "again."
        )
    with socket.socket() as probe:
        if probe.connect_ex((url.hostname, url.port)):
            raise UsageError(f"Nobody serves at {base_url}. Start: trimtab up -p {file.parent}")
    return Elsewhere(base_url.rstrip("/"), file.parent, ports)


async def run_rows(
    rows: Sequence[Row],
    *,
    scale: float = 1.0,
    report: Report = lambda _: None,
    elsewhere: Elsewhere | None = None,
) -> list[RowResult]:
    """Run rows, those that mostly wait at the same time and the others one after the other.

    Args:
        rows: which.
        scale: multiplies all times of scripts, projects and bounds.
        report: is given each result as soon as it is there.
        elsewhere: a running gateway; None starts gateways for the time of the run.

    Returns:
        The results in the order of `rows`.
    """
    ports = elsewhere.ports if elsewhere is not None else Ports()
    results: dict[str, RowResult] = {}
    async with (
        _cast(rows, ports, scale) as (players, real),
        _house(rows, players, ports=real, elsewhere=elsewhere) as house,
    ):

        async def run(row: Row) -> None:
            result = results[row.row_id] = await house.run(row)
            report(result)

        async with asyncio.TaskGroup() as group:
            for row in rows:
                if row.slow:
                    group.create_task(run(row))
            for row in rows:
                if not row.slow:
                    await run(row)
    return [results[row.row_id] for row in rows]


class _House(NamedTuple):
    """What all rows share.

    Attributes:
        cast: the fault providers.
        ports: where they listen.
        folder: where projects are made.
        shared: the gateway of the rows that need none of their own; None where there are no such.
        elsewhere: somebody else has started it, and it serves all rows that can do with that.
    """

    cast: Cast
    ports: Ports
    folder: Path
    shared: Served | None
    elsewhere: bool

    async def run(self, row: Row) -> RowResult:
        """Run one row. Whatever goes wrong in it is a finding."""
        if self.elsewhere and not row.elsewhere:
            return _result(row, "skipped", "needs a gateway that it may stop or break")
        served = self.shared
        if row.own and not self.elsewhere:
            folder = self.folder / row.row_id
            _write_project(folder, (row,), ports=self.ports, scale=self.cast.scale)
            served = Served.by(await GatewayProcess.start(folder, row.command))
        assert served is not None
        scene = Scene(row.row_id, row.routes(), cast=self.cast, served=served)
        try:
            return await _play(row, scene)
        finally:
            if scene.served.process is not None and row.own:
                await scene.served.process.stop()


async def _play(row: Row, scene: Scene) -> RowResult:
    try:
        happened = await row.act(scene)
    except Exception as error:  # noqa: BLE001 - a row that breaks off has failed, others go on
        happened = "broke off"
        scene.findings += _in_words(error)
    process = scene.served.process
    if process is not None and process.ended:
        scene.findings.append(f"the gateway: {process.ended}")
    return _result(row, "FAIL" if scene.findings else "pass", happened, scene=scene)


def _result(row: Row, verdict: Verdict, happened: str, *, scene: Scene | None = None) -> RowResult:
    return RowResult(
        row_id=row.row_id,
        fault=row.fault,
        does=row.does,
        verdict=verdict,
        happened=happened,
        longest_s=round(scene.longest_s, 3) if scene is not None else 0.0,
        attempts=scene.attempts if scene is not None else 0,
        findings=scene.findings if scene is not None else [],
    )


def _in_words(error: BaseException) -> list[str]:
    """An error as findings; those of a task group one by one."""
    if isinstance(error, BaseExceptionGroup):
        inner = cast("tuple[BaseException, ...]", error.exceptions)
        return [words for each in inner for words in _in_words(each)]
    return [f"{type(error).__name__}: {error}"]


def _cases(rows: Sequence[Row]) -> dict[str, Case]:
    return {name: case for row in rows for name, case in row.routes().items()}


@asynccontextmanager
async def _cast(
    rows: Sequence[Row], ports: Ports, scale: float
) -> AsyncGenerator[tuple[Cast, Ports]]:
    """The fault providers with the scripts of all rows, and where they listen."""
    scripts: dict[str, dict[str, tuple[Behaviour, ...]]] = {"primary": {}, "spare": {}}
    for name, case in _cases(rows).items():
        for which, behaviours in (("primary", case.primary), ("spare", case.spare)):
            if behaviours:
                scripts[which][f"{name}.{which}"] = tuple(scaled(b, scale) for b in behaviours)
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        try:
            primary = await enter(
                FaultProvider(Script(models=scripts["primary"]), port=ports.primary)
            )
            spare = await enter(FaultProvider(Script(models=scripts["spare"]), port=ports.spare))
            listener = await enter(listen_untrusted(ports.untrusted))
        except OSError as error:
            raise UsageError(f"The fault providers cannot listen: {error}.") from error
        players = Cast(primary, spare, lambda: listener.reached, scale)
        yield players, Ports(primary.port, spare.port, listener.port)


@asynccontextmanager
async def _house(
    rows: Sequence[Row], players: Cast, *, ports: Ports, elsewhere: Elsewhere | None
) -> AsyncGenerator[_House]:
    with TemporaryDirectory(prefix="trimtab-faults-") as name:
        folder = Path(name)
        if elsewhere is not None:
            shared = Served(elsewhere.base_url, open_reader(elsewhere.folder / _FILE), None)
            yield _House(players, ports, folder, shared, elsewhere=True)
            return
        together = [row for row in rows if not row.own]
        if not together:
            yield _House(players, ports, folder, None, elsewhere=False)
            return
        _write_project(folder / "shared", together, ports=ports, scale=players.scale)
        process = await GatewayProcess.start(folder / "shared")
        try:
            yield _House(players, ports, folder, Served.by(process), elsewhere=False)
        finally:
            await process.stop()


def _write_project(folder: Path, rows: Sequence[Row], *, ports: Ports, scale: float) -> None:
    folder.mkdir()
    text = project_text(_cases(rows), ports, scale=scale)
    (folder / _FILE).write_text(text, encoding="utf-8")
