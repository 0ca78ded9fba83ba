"""The shape of `trimtab.toml`, and of the project that it becomes.

A class named `...Table` is exactly what may be written in the file; the class without the suffix
adds what loading found out. Every field of a table has a row in `docs/config.md`.
"""

import difflib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from trimtab.config.alerts import Alerts, AlertsTable
from trimtab.config.feedback import FeedbackRules
from trimtab.config.money import Budget, Limit, Outliers, Spend, UserClass
from trimtab.config.price import DatedPrice, Price
from trimtab.config.secret import Secret
from trimtab.errors import Finding, UnknownModel
from trimtab.types.refs import ModelRef

__all__ = [
    "DEFAULT_ROUTE",
    "FILE_NAME",
    "Breakers",
    "Cache",
    "Hedge",
    "Model",
    "OnBreak",
    "Policy",
    "Project",
    "ProjectTable",
    "Prompts",
    "Provider",
    "ProviderTable",
    "Recording",
    "RedactKind",
    "ResponseCache",
    "Retries",
    "Route",
    "Rung",
    "Server",
    "Target",
    "Timeouts",
    "TimeoutsTable",
]

FILE_NAME = "trimtab.toml"
DEFAULT_ROUTE = "default"

_MAX_SHOWN_NAME = 80  # a caller's model name comes back in an error; a megabyte of it must not
_Seconds = Annotated[float, Meta(gt=0, le=86_400)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]

OnBreak = Literal["continue", "restart", "error"]
"""What is done about a stream that breaks after its first token."""


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the gateway listens and how much it takes on.

    Attributes:
        host: address to bind.
        port: TCP port; 0 lets the system choose.
        max_body_bytes: largest request body.
        drain_s: seconds that streams get to finish after SIGTERM.
        max_inflight: inferences at once; above it callers get 503.
    """

    host: Annotated[str, Meta(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8080
    max_body_bytes: Annotated[int, Meta(ge=1_024, le=1_000_000_000)] = 20_000_000
    drain_s: Annotated[float, Meta(ge=0, le=86_400)] = 10.0
    max_inflight: Annotated[int, Meta(ge=1, le=1_000_000)] = 2_000


RedactKind = Literal["email", "phone", "card", "iban", "ip", "secret"]
"""What may be taken out of texts that leave the data folder."""


class Recording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept of each inference besides its figures.

    Attributes:
        bodies: "full" keeps request and response texts in the data folder; "off" keeps none.
        retention_days: days after which events and bodies are deleted. The ledger is kept.
        redact: what is taken out of an inference that becomes a case of a suite.
    """

    bodies: Literal["off", "full"] = "off"
    retention_days: Annotated[int, Meta(ge=1, le=3_650)] = 30
    redact: tuple[RedactKind, ...] = ("email", "phone", "card", "iban", "ip", "secret")


class Prompts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions of prompts are served.

    Attributes:
        environment: the file `releases/ENVIRONMENT.toml` says it; "" serves what the files of the
            prompts say, as one wants while one writes them.
    """

    environment: Annotated[str, Meta(pattern=r"^([A-Za-z][\w-]{0,62})?$")] = ""


class Retries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many extra attempts all routes together may make.

    Attributes:
        budget_share: retries and hedges over inferences, in the long run. The fallback of an
            attempt that failed does not count.
    """

    budget_share: _Share = 0.1


class Breakers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a model of a provider is left alone for a while, and for how long.

    Attributes:
        failures: so many failures in a row open a breaker.
        timeouts: so many timeouts in a row do.
        error_share: so large a share of failures in `window_s` seconds does, once there were
            `least_calls` calls.
        window_s: seconds that `error_share` looks back.
        least_calls: calls below which `error_share` says nothing.
        open_s: seconds until the first probe; doubled after each probe that fails.
        most_open_s: the longest wait between probes.
    """

    failures: _Count = 5
    timeouts: _Count = 3
    error_share: _Share = 0.5
    window_s: _Seconds = 30.0
    least_calls: _Count = 20
    open_s: _Seconds = 5.0
    most_open_s: _Seconds = 20.0


class ResponseCache(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much room the cached responses of all routes take.

    Attributes:
        memory_mb: megabytes in memory.
        disk_mb: megabytes in the data folder; the oldest go first.
    """

    memory_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 64
    disk_mb: Annotated[int, Meta(ge=1, le=10_000_000)] = 512


class ProviderTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[providers.NAME]` as written.

    Attributes:
        kind: name in the entry-point group `trimtab.providers`; "" means the table's name.
        base_url: where its API begins; "" means the default of the kind.
        api_key_env: name of the variable that holds the key; "" means that none is sent.
        ca_file: certificates to trust instead of the system's.
        max_concurrent: calls at once; further ones wait their turn.
        max_waiting: calls that may wait; above it the next provider is tried, or callers get 503.
        weights: GGUF file of a local model; None means the one that ships.
        context_tokens: context window of a local model, shared by its parallel slots.
        parallel: sequences that a local model works on at once.
        threads: CPU threads of a local model.
    """

    kind: str = ""
    base_url: Annotated[
        str,
        Meta(pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$", description="an http:// or https:// URL"),
    ] = ""
    api_key_env: Annotated[
        str,
        Meta(pattern=r"^([A-Za-z_]\w*)?$", description="the name of an environment variable"),
    ] = ""
    ca_file: Path | None = None
    max_concurrent: _Count = 1_000
    max_waiting: Annotated[int, Meta(ge=0, le=1_000_000)] = 1_000
    weights: Path | None = None
    context_tokens: Annotated[int, Meta(ge=256, le=1_048_576)] = 4_096
    parallel: Annotated[int, Meta(ge=1, le=256)] = 2
    threads: Annotated[int, Meta(ge=1, le=1_024)] = 1


class Provider(ProviderTable, frozen=True, kw_only=True):
    """A provider, ready to be called: `kind` is filled in and paths are absolute.

    Attributes:
        name: name of its table.
        key: its credential, or None where none is wanted or the variable is not set.
    """

    name: str
    key: Secret | None = None

    @property
    def lacks_key(self) -> bool:
        """True if it wants a credential and the variable is not set: a call cannot succeed."""
        return bool(self.api_key_env) and self.key is None


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[models.ALIAS]`: a name that callers use for a model at a provider.

    Attributes:
        ref: `provider:model`.
        also: the same model at other providers, or at the same one with another key. One session
            stays with one of them, so that its prompt cache there stays warm.
        max_output_tokens: output assumed for the hold when a request does not limit it.
        context_tokens: its context window; None means that of the price book, if it knows it.
        continues: it goes on from an assistant message that ends a request, so that it can take
            over a stream that broke.
        hidden_reasoning: it makes output that is not shown, so that budgets hold all of its output
            at once; None means that this is learnt from what its provider reports.
        price_as: `provider:model` of the price book to price it like; "" means by itself.
        price: its own price; None means that of the price book.
        prices: its own prices, each from a day on, in the place of `price`.
    """

    ref: str
    also: tuple[str, ...] = ()
    max_output_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] = 4_096
    context_tokens: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    continues: bool = False
    hidden_reasoning: bool | None = None
    price_as: str = ""
    price: Price | None = None
    prices: tuple[DatedPrice, ...] = ()


class TimeoutsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The limits that a route sets itself; None takes that of `routes.default`."""

    connect_s: _Seconds | None = None
    ttft_s: _Seconds | None = None
    idle_s: _Seconds | None = None
    total_s: _Seconds | None = None


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of an inference, complete.

    Attributes:
        connect_s: seconds to a connection, TLS included.
        ttft_s: seconds from the start of an attempt to the first token of a stream.
        idle_s: longest gap in seconds between two frames of a stream.
        total_s: seconds for the whole inference, all attempts together.
    """

    connect_s: float = 5.0
    ttft_s: float = 30.0
    idle_s: float = 30.0
    total_s: float = 300.0


class Hedge(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a second attempt is made beside one that is slow to begin.

    Attributes:
        after_s: seconds without a first token (or without a whole answer); None means the live
            P95 of the route.
        max_share: hedged inferences over all of the route, at most.
    """

    after_s: _Seconds | None = None
    max_share: _Share = 0.05


class Cache(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long answers may be given again to the same request.

    Attributes:
        ttl_s: seconds that a response is fresh.
        stale_s: seconds longer that it may be given when all models have failed.
        scope: who shares responses: one user of one key, one key, or one team.
    """

    ttl_s: Annotated[float, Meta(gt=0, le=31_536_000)]
    stale_s: Annotated[float, Meta(ge=0, le=31_536_000)] = 0.0
    scope: Literal["user", "key", "team"] = "user"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a route does beside calling its model, complete.

    Attributes:
        retries: attempts at one model after the first.
        on_break: what is done about a stream that breaks after its first token.
        buffer_tokens: tokens of a stream that are held back, so that a break among them can still
            be mended unseen.
        side_effects: its requests do something in the world, so none is made twice at a time.
        on_disconnect: when the caller leaves, close the call, or read it to its usage.
        answer_model: the `model` of answers: as served, or as the caller wrote it.
        single_flight: identical requests at the same time share one call; needs `cache`.
        hedge: None for no hedging.
        cache: None for no cache.
    """

    retries: int = 2
    on_break: OnBreak = "continue"
    buffer_tokens: int = 0
    side_effects: bool = False
    on_disconnect: Literal["cancel", "drain"] = "cancel"
    answer_model: Literal["served", "asked"] = "served"
    single_flight: bool = False
    hedge: Hedge | None = None
    cache: Cache | None = None


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[routes.NAME]`: an alias with a policy of its own. `default` sets that of all others.

    None takes the value of `routes.default`, and from there that of `Policy`.

    Attributes:
        model: the alias that serves it; "" in `default` only.
        fallback: aliases to try when it fails, in their order.
        downgrade: the alias that serves those whose budget wants a cheaper model; None takes the
            cheapest of the route.
        timeouts: its own limits.
    """

    model: str = ""
    fallback: tuple[str, ...] | None = None
    downgrade: str | None = None
    timeouts: TimeoutsTable = TimeoutsTable()
    retries: Annotated[int, Meta(ge=0, le=10)] | None = None
    on_break: OnBreak | None = None
    buffer_tokens: Annotated[int, Meta(ge=0, le=100_000)] | None = None
    side_effects: bool | None = None
    on_disconnect: Literal["cancel", "drain"] | None = None
    answer_model: Literal["served", "asked"] | None = None
    single_flight: bool | None = None
    hedge: Hedge | None = None
    cache: Cache | None = None


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One model at one provider: a place where an inference can be served.

    Attributes:
        alias: alias in `[models]`.
        ref: provider and model.
        max_output_tokens: output assumed for the hold when the request does not limit it.
        context_tokens: its context window as the project declares it, or None.
        continues: it can take over a stream that broke.
        hidden_reasoning: as the project declares it.
    """

    alias: str
    ref: ModelRef
    max_output_tokens: int
    context_tokens: int | None = None
    continues: bool = False
    hidden_reasoning: bool | None = None


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a model name of a request stands for.

    Attributes:
        route: route that serves it.
        timeouts: complete limits of the route.
        policy: what the route does beside calling its model.
        rungs: where it can be served, in order: the model at its providers, then the fallbacks.
        equals: how many rungs, from the first, are the same model; any of them may begin. 0
            where none is the model that was asked for.
        downgrade: what serves those whose budget wants a cheaper model; None for the cheapest rung.
    """

    route: str
    timeouts: Timeouts
    policy: Policy
    rungs: tuple[Rung, ...]
    equals: int = 1
    downgrade: Rung | None = None


class ProjectTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file as written."""

    server: Server = Server()
    recording: Recording = Recording()
    prompts: Prompts = Prompts()
    retries: Retries = Retries()
    breakers: Breakers = Breakers()
    cache: ResponseCache = ResponseCache()
    spend: Spend = Spend()
    classes: dict[str, UserClass] = {}
    budgets: dict[str, Budget] = {}
    limits: dict[str, Limit] = {}
    alerts: AlertsTable = AlertsTable()
    outliers: Outliers = Outliers()
    providers: dict[str, ProviderTable] = {}
    models: dict[str, Model] = {}
    routes: dict[str, Route] = {}


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable snapshot of the project folder; an inference uses one from start to end.

    Attributes:
        file: the `trimtab.toml` that it was loaded from.
        folder: the folder of that file.
        digest: first 12 hex digits of the SHA-256 of the bytes of the file and of `feedback.toml`.
        server: where the gateway listens.
        recording: what is kept.
        prompts: which versions of prompts are served.
        retries, breakers, cache: what all routes share.
        spend, classes, budgets, limits: money, by name where there are several.
        alerts: who is told of what.
        feedback: the metrics of `feedback.toml`.
        spend, classes, budgets, limits, outliers: money, by name where there are several.
        providers: by name.
        models: by alias.
        routes: by name, as written.
        targets: by every name that a caller may write.
        warnings: what is wrong without preventing a start.
    """

    file: Path
    folder: Path
    digest: str
    server: Server
    recording: Recording
    prompts: Prompts
    retries: Retries
    breakers: Breakers
    cache: ResponseCache
    spend: Spend
    classes: dict[str, UserClass]
    budgets: dict[str, Budget]
    limits: dict[str, Limit]
    outliers: Outliers
    providers: dict[str, Provider]
    models: dict[str, Model]
    routes: dict[str, Route]
    targets: dict[str, Target]
    alerts: Alerts = Alerts()
    feedback: FeedbackRules = FeedbackRules()
    warnings: tuple[Finding, ...] = ()

    def resolve(self, name: str) -> Target:
        """What `name`, the model of a request, stands for: a route or an alias.

        Raises:
            UnknownModel: the project declares neither.
        """
        target = self.targets.get(name)
        if target is None:
            raise UnknownModel(self._unknown(name[:_MAX_SHOWN_NAME]), param="model")
        return target

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.targets, n=3) or sorted(self.targets)[:3]
        offer = f" Did you mean {' or '.join(near)}?" if near else ""
        return (
            f"The project has no model or route {name!r}.{offer} "
            f'Declare it as [models."{name}"] with a ref in {FILE_NAME}.'
        )
