"""What must hold between the tables of a project, beyond the shape of each."""

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import cast

from trimtab.config.reader import TableReader
from trimtab.config.schema import DEFAULT_ROUTE, Model, ProjectTable, ProviderTable, Route
from trimtab.errors import UsageError
from trimtab.types.refs import ModelRef

__all__ = ["check_tables"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_LOCAL = "local"
_LOCAL_KEYS = ("weights", "context_tokens", "parallel", "threads")

# A name that is declared counts as known even if its own table has mistakes,
# so that one mistake is not reported twice: therefore the raw tables.
_Raw = Mapping[str, object]


def check_tables(
    tables: ProjectTable, raw: _Raw, *, folder: Path, kinds: Collection[str], reader: TableReader
) -> None:
    """Report to `reader` every rule that `tables` break.

    Args:
        tables: what could be read.
        raw: the same file as parsed.
        folder: where relative paths of the file begin.
        kinds: the provider kinds that are installed.
        reader: takes the findings.
    """
    for section in ("providers", "models", "routes", "classes", "budgets", "limits"):
        _check_names(section, _names(raw, section), reader)
    for name, provider in tables.providers.items():
        _check_provider(name, provider, kinds=kinds, reader=reader)
        _check_files(name, provider, folder=folder, reader=reader)
        _check_local_keys(name, provider, given=_section(raw, "providers").get(name), reader=reader)
    for alias, model in tables.models.items():
        _check_model(alias, model, providers=_names(raw, "providers"), reader=reader)
    for name, route in tables.routes.items():
        _check_route(name, route, aliases=_names(raw, "models"), reader=reader)


def _check_names(section: str, names: list[str], reader: TableReader) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            reader.report(
                (section, name),
                f"{name!r} cannot be a name",
                "Use letters, digits, dots, dashes, underscores and slashes",
            )


def _check_provider(
    name: str, provider: ProviderTable, *, kinds: Collection[str], reader: TableReader
) -> None:
    kind = provider.kind or name
    if kind not in kinds:
        path = ("providers", name, "kind")
        reader.report(path, f"no provider kind {kind!r}", f"Set kind to {_offer(kind, kinds)}")


def _check_files(name: str, provider: ProviderTable, *, folder: Path, reader: TableReader) -> None:
    for key, file in (("ca_file", provider.ca_file), ("weights", provider.weights)):
        if file is not None and not (folder / file).is_file():
            remedy = "Give the path of a file, relative to the folder of trimtab.toml"
            reader.report(("providers", name, key), f"no file at {folder / file}", remedy)


def _check_local_keys(
    name: str, provider: ProviderTable, *, given: object, reader: TableReader
) -> None:
    if (provider.kind or name) == _LOCAL or not isinstance(given, dict):
        return
    for key in _LOCAL_KEYS:
        if key in given:
            problem = f'{key} is only for providers of kind "{_LOCAL}"'
            reader.report(("providers", name, key), problem, "Remove it")


def _check_model(alias: str, model: Model, *, providers: list[str], reader: TableReader) -> None:
    written = [("ref", model.ref), *[("also", ref) for ref in model.also]]
    for number, (key, text) in enumerate(written):
        path = ("models", alias, key)
        ref = _parse_ref(text, path, reader)
        if ref is not None and ref.provider not in providers:
            remedy = f"Declare [providers.{ref.provider}] or use {_offer(ref.provider, providers)}"
            reader.report(path, f"no provider {ref.provider!r}", remedy)
        if text in [other for _, other in written[:number]]:
            reader.report(path, f"{text!r} is named twice", "Remove one of them")
    if model.price_as:
        _parse_ref(model.price_as, ("models", alias, "price_as"), reader)


def _parse_ref(text: str, path: tuple[str, ...], reader: TableReader) -> ModelRef | None:
    try:
        return ModelRef.parse(text)
    except UsageError:
        reader.report(path, f"{text!r} is not a model reference", "Write provider:model")
        return None


def _check_route(name: str, route: Route, *, aliases: list[str], reader: TableReader) -> None:
    path = ("routes", name, "model")
    _check_fallback(name, route, aliases=aliases, reader=reader)
    if route.single_flight and route.cache is None:
        reader.report(
            ("routes", name, "single_flight"),
            "single_flight needs a cache to share the answer through",
            f"Add cache = {{ttl_s = 60}} to [routes.{name}]",
        )
    if name == DEFAULT_ROUTE:
        if route.model:
            reader.report(
                path, "the default route takes no model", "Remove it, or rename the route"
            )
        return
    if name in aliases:
        remedy = "Rename one of them: callers could not tell them apart"
        reader.report(("routes", name), f"a model is called {name!r} too", remedy)
    if not route.model:
        reader.report(path, "model is missing", f"Set it to {_offer('', aliases)}")
    elif route.model not in aliases:
        problem = f"no model {route.model!r}"
        reader.report(path, problem, f"Set it to {_offer(route.model, aliases)}")


def _check_fallback(name: str, route: Route, *, aliases: list[str], reader: TableReader) -> None:
    path = ("routes", name, "fallback")
    if route.downgrade is not None and route.downgrade not in aliases:
        remedy = f"Use {_offer(route.downgrade, aliases)}"
        reader.report(("routes", name, "downgrade"), f"no model {route.downgrade!r}", remedy)
    fallback = route.fallback or ()
    for number, alias in enumerate(fallback):
        if alias not in aliases:
            reader.report(path, f"no model {alias!r}", f"Use {_offer(alias, aliases)}")
        elif alias == route.model or alias in fallback[:number]:
            reader.report(path, f"{alias!r} would be tried twice", "Remove one of them")


def _offer(name: str, valid: Collection[str]) -> str:
    """The valid names, or only the near ones where there are some."""
    near = difflib.get_close_matches(name, valid, n=2) or sorted(valid)
    return " or ".join(near) or "one that is declared: there is none yet"


def _section(raw: _Raw, name: str) -> _Raw:
    section = raw.get(name)
    return cast("_Raw", section) if isinstance(section, dict) else {}


def _names(raw: _Raw, section: str) -> list[str]:
    return list(_section(raw, section))
