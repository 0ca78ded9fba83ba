"""The composition root: a project folder becomes a wired `App`. Only here are parts named."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import msgspec

from trimtab.alerts.outbox import Outbox
from trimtab.config.environment import data_folder
from trimtab.config.load import load_project
from trimtab.config.plan import load_plan
from trimtab.config.schema import Project, Provider
from trimtab.config.watch import ProjectWatcher
from trimtab.errors import ConfigError, Finding, TrimtabError
from trimtab.feedback.intake import open_intake
from trimtab.gateway.canary_file import tend_evidence
from trimtab.gateway.gateway import Gateway
from trimtab.gateway.pool import Origin
from trimtab.gateway.reliability import Reliability
from trimtab.gateway.response_cache import ResponseCache
from trimtab.gateway.serving import Serving, Upstream
from trimtab.gateway.slots import Slots
from trimtab.gateway.treasury import Treasury
from trimtab.gateway.vitals import Vitals
from trimtab.insights.explain import Books
from trimtab.insights.forecast import forecast_month
from trimtab.insights.forecast_alerts import forecast_alerts
from trimtab.insights.outlier_actions import outlier_alerts, sanctions
from trimtab.insights.outliers import outlier_report
from trimtab.insights.prompt_drift import drift_alerts, drift_report
from trimtab.insights.shadow_costs import shadow_costs
from trimtab.plugins import PROVIDERS, load_plugin
from trimtab.providers.kind import Engine, ProviderKind
from trimtab.releases.guarded import pause_worse, worse_alert
from trimtab.releases.serving import PromptDesk, Trial
from trimtab.releases.watch import PromptWatcher
from trimtab.spend.pricebook import PriceBook
from trimtab.spend.reprice import reprice, start_of_day_ns
from trimtab.spend.unit_prices import ModelPrices
from trimtab.stats.sequential_guards import GuardVerdict
from trimtab.store import sqlite
from trimtab.store.breaker_file import read_breakers, write_breakers
from trimtab.store.protocol import Experiments, KeyStore, Ledger, Reader
from trimtab.store.repricing import Repricing, RepricingStore
from trimtab.telemetry.metrics import Metrics
from trimtab.types.alerts import Alert
from trimtab.types.clock import Clock, SystemClock

__all__ = [
    "App",
    "check_project",
    "providers_at",
    "reprice_history",
]

_log = logging.getLogger("trimtab.app")

_RETENTION_PAUSE_S = 3600.0
_FORECAST_PAUSE_S = 6 * 3600.0
_FIRST_FORECAST_S = 60.0
_DRIFT_PAUSE_S = 3600.0
_FIRST_DRIFT_S = 90.0
_FIRST_LOOK_S = 30.0  # after the start, which has enough to do
_CHECK_PAUSE_S = 1.0
_BREAKERS_PAUSE_S = 0.5
_PROMPTS_PAUSE_S = 0.2  # a version that is withdrawn must be gone within a second
_ENGINE_PAUSE_S = 1.0  # before an engine that died is started again


class App:
    """Everything that serves one project folder, wired. Made by `App.open`.

    Attributes:
        started_ns: UTC nanoseconds of the start.
        keys: credentials.
        reader: the records, for the console.
        metrics: what `/metrics` answers.
        alerts: takes alerts, and has them told.
        feedback: takes feedback.
    """

    def __init__(self, project: Project, clock: Clock) -> None:
        folder = data_folder(project)
        self.started_ns = clock.wall_ns()
        self._clock = clock
        self.keys: KeyStore = sqlite.open_keys(folder, clock)
        self._ledger: Ledger = sqlite.open_ledger(folder, clock)
        self.reader: Reader = sqlite.open_reader(folder, clock)
        store = sqlite.open_answers(folder, clock, most_bytes=0)  # the cache sets how many
        self._cache = ResponseCache(store, clock, project.cache)
        self._engines: dict[str, Engine] = {}
        self._addresses: dict[str, str] = {}
        self._slots: dict[str, Slots] = {}
        self._reliability = Reliability(project, clock)
        self._told_breakers: object = None
        self._data_folder = folder
        self._opening = threading.Lock()
        self._experiments: sqlite.SqliteExperiments | None = None
        hints = read_breakers(folder)
        if hints is not None:
            self._reliability.board.take_hints(hints)
        self._watcher = ProjectWatcher(project, _say_kept)
        self.alerts = Outbox(folder, clock, project.alerts)
        self._treasury = Treasury(project, reader=self.reader, clock=clock, tell=self.alerts.put)
        self._prompts = PromptWatcher(project.folder, project.prompts.environment, _say_kept)
        self.gateway = Gateway(
            self._serving(project, self._prompts.desk),
            ledger=self._ledger,
            clock=clock,
            reliability=self._reliability,
            cache=self._cache,
            treasury=self._treasury,
        )
        self.gateway.canaries.on_worse = self._pause_canary
        self.gateway.use_prompts(self._prompts.desk)
        self.feedback = open_intake(
            self.gateway,
            folder,
            clock,
            reader=self.reader,
            ledger=self._ledger,
            comments=sqlite.open_comments(folder, clock),
        )
        vitals = Vitals(
            self.gateway,
            self._reliability,
            self._ledger,
            self._cache,
            self.alerts.counts,
            self._treasury,
        )
        self.metrics = Metrics(vitals.read)

    @classmethod
    async def open(cls, project_file: Path, clock: Clock | None = None) -> Self:
        """Load the project, open its store and start the engines that it asks for.

        Raises:
            ConfigError: the project is wrong.
            LedgerUnavailable: the store cannot be written.
        """
        app = cls(load_project(project_file), clock or SystemClock())
        try:
            await app._cache.warm()
            await app._start_engines()
        except BaseException:
            await app.close()
            raise
        return app

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """Serve what this process itself asks, without a socket: see `Gateway.ask`.

        At the end, what is under way is ended and recorded. An error of the block comes out as it
        is.
        """
        problem: Exception | None = None
        async with asyncio.TaskGroup() as group:
            self.gateway.spawn = group.create_task
            chores = [group.create_task(self._check_time()), group.create_task(self.tend_engines())]
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised below, when the tasks have ended
                problem = error
            finally:
                self.gateway.stop()
                for chore in chores:
                    chore.cancel()
        if problem is not None:
            raise problem

    async def _check_time(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_PAUSE_S)
            self.gateway.check_time()

    async def close(self) -> None:
        """Write what waits to be written, and end the engines."""
        await self._ledger.close()
        await self._cache.close()
        await asyncio.to_thread(self.alerts.close)
        if self._experiments is not None:
            self._experiments.close()
        self.gateway.serving.close()
        for engine in self._engines.values():
            await engine.stop()

    def experiments(self) -> Experiments:
        """Those of the project, for the console; opened when first asked for. For any thread.

        Raises:
            StoreError: the file cannot be used.
        """
        with self._opening:
            if self._experiments is None:
                self._experiments = sqlite.open_experiments(self._data_folder, self._clock)
            return self._experiments

    def check_ready(self) -> None:
        """Whether inferences can be served now.

        Raises:
            LedgerUnavailable: they could not be recorded.
        """
        self._ledger.check_open()

    def poll_project(self) -> None:
        """Take up a changed project file. A wrong one leaves everything as it is, and says why."""
        project = self._watcher.poll()
        if project is None:
            return
        try:
            serving = self._serving_on(project)
        except ConfigError as error:
            _say_kept(error)
            return
        if project.server != self.gateway.serving.project.server:
            _log.warning("[server] was changed: host and port take effect at the next start")
        for finding in project.warnings:
            _log.warning("%s", finding)
        self.gateway.use(serving)
        self.alerts.use(project.alerts)
        _log.info("project reloaded: %s", project.digest)

    async def tend_prompts(self) -> None:
        """Take up changed releases and prompts. Runs until it is cancelled."""
        await self._learn_shadows(self._prompts.desk)
        while True:
            await asyncio.sleep(_PROMPTS_PAUSE_S)
            environment = self.gateway.serving.project.prompts.environment
            desk = await asyncio.to_thread(self._prompts.poll, environment)
            if desk is not None:
                self.gateway.use_prompts(desk)
                _log.info("prompts reloaded")
                await self._learn_shadows(desk)

    async def _learn_shadows(self, desk: PromptDesk) -> None:
        """What the shadows of this environment have cost so far, so that they may go on."""
        hashes = [trial.settings.hash for trial in desk.trials().values() if trial.settings.shadow]
        if hashes:
            spent = await asyncio.to_thread(shadow_costs, self.reader, hashes)
            self.gateway.shadows.use(spent)

    def _pause_canary(self, prompt_id: str, trial: Trial, verdict: GuardVerdict) -> None:
        """Nobody gets it from now on; the file follows."""
        desk, now_ns = self.gateway.serving.prompts, self._clock.wall_ns()
        self.gateway.use_prompts(desk.without_trial(prompt_id))
        alert = worse_alert(desk.environment, prompt_id, trial, verdict=verdict, now_ns=now_ns)
        _log.warning("%s", alert.message)
        self.alerts.put(alert)
        self.gateway.spawn(self._write_pause(desk.environment, prompt_id, trial, alert=alert))

    async def _write_pause(
        self, environment: str, prompt_id: str, trial: Trial, *, alert: Alert
    ) -> None:
        folder = self.gateway.serving.project.folder
        try:
            await asyncio.to_thread(
                pause_worse,
                folder,
                environment,
                prompt_id,
                version_hash=trial.settings.hash,
                reason=alert.message.partition("is paused. ")[2],
                now_ns=alert.at_ns,
            )
        except TrimtabError as error:
            _log.error("the pause holds only until prompts or releases change: %s", error)

    async def tend_canaries(self) -> None:
        """Keep the evidence on canaries for the next process. Runs until it is cancelled."""
        await tend_evidence(self.gateway.canaries, self._data_folder)

    async def tend_breakers(self) -> None:
        """Write the state of the breakers down when it changes. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(_BREAKERS_PAUSE_S)
            records = self._reliability.board.records()
            told = [(one.provider, one.model, one.state) for one in records.breakers]
            if told != self._told_breakers:
                self._told_breakers = told
                folder = data_folder(self.gateway.serving.project)
                try:
                    await asyncio.to_thread(write_breakers, folder, records)
                except OSError as error:
                    _log.warning("the state of the breakers cannot be written: %s", error.strerror)

    async def tend_retention(self) -> None:
        """Delete days past `recording.retention_days`, and cached answers past all their limits.

        Runs until it is cancelled.
        """
        while True:
            project = self.gateway.serving.project
            forgotten = await asyncio.to_thread(
                sqlite.forget_days,
                data_folder(project),
                self._clock.wall_ns(),
                project.recording.retention_days,
            )
            if forgotten:
                _log.info("deleted events of %s: past retention_days", ", ".join(forgotten))
            await self._cache.forget_older_than(_longest_cached_s(project))
            await asyncio.sleep(_RETENTION_PAUSE_S)

    async def tend_outliers(self) -> None:
        """Look for those who stand out, and do what the policy says. Runs until it is cancelled."""
        await asyncio.sleep(_FIRST_LOOK_S)
        while True:
            project = self.gateway.serving.project
            if project.outliers.actions:
                try:
                    await self._look_for_outliers(project)
                except Exception:  # noqa: BLE001 - a question that fails must not end the gateway
                    _log.exception("the look for outliers failed; the next one follows")
            await asyncio.sleep(project.outliers.every_s)

    async def tend_forecast(self) -> None:
        """Tell when the month will surely cost more than it should. Runs until it is cancelled."""
        await asyncio.sleep(_FIRST_FORECAST_S)
        while True:
            project = self.gateway.serving.project
            try:
                books = Books(self.reader, project, ModelPrices(project))
                report = await asyncio.to_thread(
                    forecast_month, books, load_plan(project), now_ns=self._clock.wall_ns()
                )
                for alert in forecast_alerts(report, project.budgets):
                    self.alerts.put(alert)
            except Exception:  # noqa: BLE001 - as in `tend_outliers`
                _log.exception("the forecast failed; the next one follows")
            await asyncio.sleep(_FORECAST_PAUSE_S)

    async def tend_drift(self) -> None:
        """Tell when a version no longer is what it was. Runs until it is cancelled."""
        await asyncio.sleep(_FIRST_DRIFT_S)
        while True:
            try:
                now_ns = self._clock.wall_ns()
                report = await asyncio.to_thread(drift_report, self.reader, now_ns=now_ns)
                for alert in drift_alerts(report, now_ns=now_ns):
                    self.alerts.put(alert)
            except Exception:  # noqa: BLE001 - as in `tend_outliers`
                _log.exception("the look for drift failed; the next one follows")
            await asyncio.sleep(_DRIFT_PAUSE_S)

    async def _look_for_outliers(self, project: Project) -> None:
        policy, now_ns = project.outliers, self._clock.wall_ns()
        report = await asyncio.to_thread(
            outlier_report, self.reader, now_ns, policy=policy, classes=project.classes
        )
        self.gateway.sanctions.use(sanctions(report, policy, now_ns=now_ns))
        names = {key.key_id: key.name for key in self.keys.list()}
        zone = project.spend.time_zone
        for alert in outlier_alerts(report, policy, now_ns=now_ns, time_zone=zone, key_names=names):
            self.alerts.put(alert)

    async def tend_engines(self) -> None:
        """Start engines again that die. Runs until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, engine in self._engines.items():
                group.create_task(self._tend(name, engine))

    async def _tend(self, name: str, engine: Engine) -> None:
        while True:
            await engine.wait_died()
            _log.error("the engine of provider %s died; starting it again", name)
            await asyncio.sleep(_ENGINE_PAUSE_S)
            self._addresses[name] = await engine.start()
            self.gateway.use(self._serving_on(self.gateway.serving.project))

    async def _start_engines(self) -> None:
        project = self.gateway.serving.project
        for name, provider in project.providers.items():
            kind = _kind_of(provider)
            if kind.open_engine is not None:
                engine = kind.open_engine(provider)
                self._engines[name] = engine
                self._addresses[name] = await engine.start()
        self.gateway.use(self._serving_on(project))

    def _serving_on(self, project: Project) -> Serving:
        """With the prompts that are served now: a canary may be paused that its file tries yet."""
        return self._serving(project, self.gateway.serving.prompts)

    def _serving(self, project: Project, desk: PromptDesk) -> Serving:
        upstreams = {
            name: self._upstream(name, provider) for name, provider in project.providers.items()
        }
        return Serving(project, PriceBook(project), upstreams, desk)

    def _upstream(self, name: str, provider: Provider) -> Upstream:
        kind = _kind_of(provider)
        address = self._addresses.get(name) or provider.base_url or kind.default_base_url
        problem = ""
        if kind.open_engine is not None and name not in self._addresses:
            problem = f"The engine of provider {name} is not running; restart the gateway."
            address = "http://127.0.0.1:9/v1"
        if provider.lacks_key:
            problem = (
                f"Provider {name} needs a key: put it into the environment variable "
                f"{provider.api_key_env} and start the gateway again."
            )
        slots = self._slots.get(name)
        if slots is None:
            slots = self._slots[name] = Slots(provider.max_concurrent, provider.max_waiting)
        slots.resize(provider.max_concurrent, provider.max_waiting)
        return Upstream.build(
            provider,
            Origin.parse(address),
            slots=slots,
            limit_field="max_tokens" if provider.base_url else kind.output_limit_field,
            problem=problem,
        )


def check_project(project: Project) -> tuple[list[Finding], list[Finding]]:
    """What is wrong with a project that loads: errors, and warnings."""
    now_ns = SystemClock().wall_ns()
    return PriceBook(project).unpriced(now_ns), list(project.warnings)


def reprice_history(project_file: Path, window_ns: int) -> Repricing:
    """What the calls of the UTC days of the last `window_ns` cost at the prices of today; kept."""
    project, clock = load_project(project_file), SystemClock()
    store: RepricingStore = sqlite.open_repricings(data_folder(project), clock)
    now_ns = clock.wall_ns()
    since_ns = start_of_day_ns(now_ns - window_ns)
    settled = store.settled(since_ns, now_ns)
    made = reprice(project, settled, since_ns=since_ns, until_ns=now_ns, now_ns=now_ns)
    return msgspec.structs.replace(made, created_ns=store.keep(made))


def providers_at(project: Project, domains: Collection[str]) -> list[str]:
    """The names of the providers whose API is in one of some domains, such as `openai.com`."""
    hosts = {
        name: Origin.parse(provider.base_url or _kind_of(provider).default_base_url).host
        for name, provider in project.providers.items()
        if _kind_of(provider).open_engine is None
    }
    return [
        name
        for name, host in hosts.items()
        if any(host == domain or host.endswith(f".{domain}") for domain in domains)
    ]


def _longest_cached_s(project: Project) -> float:
    """Seconds after which no route gives a cached answer any more, not even a stale one."""
    caches = [target.policy.cache for target in project.targets.values()]
    return max((cache.ttl_s + cache.stale_s for cache in caches if cache is not None), default=0.0)


def _kind_of(provider: Provider) -> ProviderKind:
    kind = load_plugin(PROVIDERS, provider.kind, lambda plugin: isinstance(plugin, ProviderKind))
    assert isinstance(kind, ProviderKind)
    return kind


def _say_kept(error: ConfigError) -> None:
    _log.error("the changed project file is wrong; serving on with the one before:\n%s", error)
