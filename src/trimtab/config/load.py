"""Find `trimtab.toml`, read it, and make the immutable `Project` of it."""

import hashlib
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from trimtab.config.alerts import resolve_alerts
from trimtab.config.alerts_rules import alert_warnings, check_alerts
from trimtab.config.environment import environment
from trimtab.config.feedback import FEEDBACK_FILE, FeedbackRules, read_feedback
from trimtab.config.locate import locate_keys
from trimtab.config.money_rules import check_money
from trimtab.config.price_rules import check_prices
from trimtab.config.reader import TableReader
from trimtab.config.rules import check_tables
from trimtab.config.schema import (
    DEFAULT_ROUTE,
    FILE_NAME,
    Policy,
    Project,
    ProjectTable,
    Provider,
    ProviderTable,
    Route,
    Rung,
    Target,
    Timeouts,
)
from trimtab.config.secret import Secret
from trimtab.errors import ConfigError, Finding
from trimtab.plugins import PROVIDERS, plugin_names
from trimtab.types.refs import ModelRef

__all__ = ["find_project_file", "load_project", "parse_toml"]

_DIGEST_CHARS = 12
_TOML_POSITION = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_REMEDY_MISSING = "Run: trimtab init"

_Complete = TypeVar("_Complete", Timeouts, Policy)


def find_project_file(start: Path) -> Path:
    """The `trimtab.toml` in the folder `start` or the nearest of its parents.

    Raises:
        ConfigError: there is none; the finding lists every place searched.
    """
    start = start.absolute()
    places = [folder / FILE_NAME for folder in (start, *start.parents)]
    for place in places:
        if place.is_file():
            return place
    searched = ", ".join(str(place) for place in places)
    problem = f"no {FILE_NAME} here or in a folder above; searched {searched}"
    raise ConfigError([Finding(str(start), problem, _REMEDY_MISSING)])


def load_project(
    path: Path,
    environ: Mapping[str, str] | None = None,
    *,
    kinds: Collection[str] | None = None,
) -> Project:
    """The project that the file `path` describes, or the `trimtab.toml` in the folder `path`.

    Args:
        path: the file or its folder.
        environ: where credentials are looked up; the environment of this process by default.
        kinds: the provider kinds to accept; the installed ones by default.

    Raises:
        ConfigError: the file is missing or wrong. It carries every finding, each with its line.
    """
    file = (path / FILE_NAME if path.is_dir() else path).absolute()
    content = _read_bytes(file)
    text, raw = parse_toml(file, content)
    reader = TableReader(file, locate_keys(text))
    tables = reader.read(ProjectTable, raw)
    assert tables is not None, "the file as a whole has no required key"
    offered = plugin_names(PROVIDERS) if kinds is None else kinds
    check_tables(tables, raw, folder=file.parent, kinds=offered, reader=reader)
    check_money(tables, reader)
    check_prices(tables, reader)
    check_alerts(tables, raw, folder=file.parent, reader=reader)
    feedback, beside = _read_feedback(file.with_name(FEEDBACK_FILE), reader.findings)
    variables = environment() if environ is None else environ
    providers = {
        name: _resolve_provider(name, table, folder=file.parent, environ=variables)
        for name, table in tables.providers.items()
    }
    alerts = resolve_alerts(tables.alerts, file.parent, variables)
    return Project(
        file=file,
        folder=file.parent,
        digest=hashlib.sha256(content + beside).hexdigest()[:_DIGEST_CHARS],
        server=tables.server,
        recording=tables.recording,
        prompts=tables.prompts,
        retries=tables.retries,
        breakers=tables.breakers,
        cache=tables.cache,
        spend=tables.spend,
        classes=tables.classes,
        budgets=tables.budgets,
        limits=tables.limits,
        alerts=alerts,
        feedback=feedback,
        outliers=tables.outliers,
        providers=providers,
        models=tables.models,
        routes=tables.routes,
        targets=_resolve_targets(tables),
        warnings=(
            *_missing_keys(providers, reader),
            *alert_warnings(alerts, tables, reader),
        ),
    )


def _read_feedback(file: Path, findings: Sequence[Finding]) -> tuple[FeedbackRules, bytes]:
    """What a `feedback.toml` says, and its bytes; it need not be there.

    Raises:
        ConfigError: something is wrong with it, or there were findings before.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError([Finding(str(file), problem, "Check its permissions")]) from error
    text, raw = parse_toml(file, content)
    reader = TableReader(file, locate_keys(text))
    rules = read_feedback(raw, reader)
    if findings or reader.findings:
        raise ConfigError([*findings, *reader.findings])
    return rules, content


def _read_bytes(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise ConfigError([Finding(str(file), "no such file", _REMEDY_MISSING)]) from None
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError([Finding(str(file), problem, "Check its permissions")]) from error
    if not content.strip():
        # An editor that truncates before it writes must not switch every model off for a moment.
        raise ConfigError([Finding(str(file), "the file is empty", _REMEDY_MISSING)])
    return content


def parse_toml(file: Path, content: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a file of the project folder, and its tables; numbers are exact decimals.

    Raises:
        ConfigError: it is not UTF-8, or not TOML.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Finding(f"{file}:{line}", "not UTF-8", "Save it as UTF-8")]) from None
    # tomllib does this too, and the line numbers must be those of the same text.
    text = text.replace("\r\n", "\n")
    try:
        return text, tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_syntax_finding(file, text, str(error))]) from None


def _syntax_finding(file: Path, text: str, message: str) -> Finding:
    found = _TOML_POSITION.search(message)
    lines = text.splitlines() or [""]
    line, column = found.groups() if found else (None, None)
    place = f"{file}:{line or len(lines)}:{column or len(lines[-1]) + 1}"
    problem = f"not TOML: {_TOML_POSITION.sub('', message)}"
    return Finding(place, problem, "Correct the syntax; see https://toml.io")


def _resolve_provider(
    name: str, table: ProviderTable, *, folder: Path, environ: Mapping[str, str]
) -> Provider:
    written = {key: getattr(table, key) for key in table.__struct_fields__}
    key = environ.get(table.api_key_env, "").strip() if table.api_key_env else ""
    written["kind"] = table.kind or name
    written["ca_file"] = folder / table.ca_file if table.ca_file else None
    written["weights"] = folder / table.weights if table.weights else None
    return Provider(**written, name=name, key=Secret(key) if key else None)


def _missing_keys(providers: Mapping[str, Provider], reader: TableReader) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            reader.place(("providers", name, "api_key_env")),
            f"the environment variable {provider.api_key_env} is not set",
            f"Set it before you start; until then every call to {name} fails",
        )
        for name, provider in providers.items()
        if provider.lacks_key
    )


def _resolve_targets(tables: ProjectTable) -> dict[str, Target]:
    """Every name a caller may write, ready for one look-up per inference."""
    default = tables.routes.get(DEFAULT_ROUTE, Route())
    limits = _overlay(Timeouts(), default.timeouts)
    policy = _overlay(Policy(), default)
    targets = {
        alias: Target(
            route=DEFAULT_ROUTE,
            timeouts=limits,
            policy=policy,
            downgrade=_downgrade(tables, default.downgrade),
            **_ladder(tables, alias, default.fallback or ()),
        )
        for alias in tables.models
    }
    for name, route in tables.routes.items():
        if name == DEFAULT_ROUTE:
            continue
        fallback = default.fallback if route.fallback is None else route.fallback
        targets[name] = Target(
            route=name,
            timeouts=_overlay(limits, route.timeouts),
            policy=_overlay(policy, route),
            downgrade=_downgrade(tables, route.downgrade or default.downgrade),
            **_ladder(tables, route.model, fallback or ()),
        )
    return targets


def _ladder(tables: ProjectTable, alias: str, fallback: Sequence[str]) -> dict[str, Any]:
    """The rungs of a target, and how many of them are the same model."""
    rungs = _rungs(tables, alias)
    further = [rung for name in fallback if name != alias for rung in _rungs(tables, name)]
    return {"rungs": (*rungs, *further), "equals": len(rungs)}


def _downgrade(tables: ProjectTable, alias: str | None) -> Rung | None:
    return _rungs(tables, alias)[0] if alias else None


def _rungs(tables: ProjectTable, alias: str) -> list[Rung]:
    """A model at each of its providers."""
    model = tables.models[alias]
    return [
        Rung(
            alias=alias,
            ref=ModelRef.parse(ref),
            max_output_tokens=model.max_output_tokens,
            context_tokens=model.context_tokens,
            continues=model.continues,
            hidden_reasoning=model.hidden_reasoning,
        )
        for ref in (model.ref, *model.also)
    ]


def _overlay(complete: _Complete, own: msgspec.Struct) -> _Complete:
    """`complete` with the values that `own` gives."""
    names = set(complete.__struct_fields__) & set(own.__struct_fields__)
    written = {name: getattr(own, name) for name in names}
    return msgspec.structs.replace(
        complete, **{name: value for name, value in written.items() if value is not None}
    )
