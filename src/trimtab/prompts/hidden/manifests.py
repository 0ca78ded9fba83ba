"""Environment blocks of compose files and of Kubernetes manifests.

Compose: `services.*.environment` as a list or a mapping (compose-spec). Kubernetes: `env` lists
of name and value in any object, and `data` of a ConfigMap (API reference). Secrets are never
read.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from trimtab.prompts.yaml_text import Document, KeyPath, Value, load_all

__all__ = ["Entry", "parse_compose", "parse_manifest"]

_MOST_EXPANDED: Final = 20_000
_NEVER_READ: Final = "Secret"


class Entry(NamedTuple):
    """One variable, what sets it (service or object), and its lines counted from 1."""

    name: str
    value: str
    line: int
    end_line: int
    home: str


def parse_compose(file: str, text: str) -> list[Entry]:
    """The environment of all services, each place once even if services share it by alias.

    Raises:
        ConfigError: it is not YAML of the safe kind.
    """
    entries: list[Entry] = []
    for document in load_all(text, file=file, expansion=_MOST_EXPANDED):
        services = _get(document.value, "services")
        for service, body in services.items() if isinstance(services, dict) else ():
            environment = _get(body, "environment")
            path = ("services", service, "environment")
            entries += _environment(document, environment, path)
    return _once(entries)


def parse_manifest(file: str, text: str) -> list[Entry]:
    """The variables and the data of ConfigMaps of all objects; of other YAML, nothing.

    Raises:
        ConfigError: it is not YAML of the safe kind.
    """
    entries: list[Entry] = []
    for document in load_all(text, file=file, expansion=_MOST_EXPANDED):
        for path, item in _objects(document.value):
            kind = _get(item, "kind")
            home = _get(_get(item, "metadata"), "name")
            home = home if isinstance(home, str) else ""
            if kind == _NEVER_READ:
                continue
            if kind == "ConfigMap":
                data = _get(item, "data")
                entries += _mapping(document, data, (*path, "data"), home=home)
            entries += _env_lists(document, item, path, home=home)
    return _once(entries)


def _objects(value: Value) -> Iterator[tuple[KeyPath, Value]]:
    """The objects of a document: itself, or the items of a list of them."""
    if _get(value, "apiVersion") is None or not isinstance(_get(value, "kind"), str):
        return
    items = _get(value, "items")
    if not isinstance(items, list):
        yield (), value
        return
    for at, item in enumerate(items):
        yield ("items", at), item


def _env_lists(document: Document, value: Value, path: KeyPath, *, home: str) -> Iterator[Entry]:
    """What `env` sets, wherever it stands: the way to it differs from kind to kind."""
    waiting: list[tuple[Value, KeyPath]] = [(value, path)]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, list):
            waiting += [(inside, (*path, at)) for at, inside in enumerate(value)]
        elif isinstance(value, dict):
            waiting += [(inside, (*path, key)) for key, inside in value.items()]
            env = value.get("env")
            for at, item in enumerate(env if isinstance(env, list) else []):
                name, text = _get(item, "name"), _get(item, "value")
                if isinstance(name, str) and isinstance(text, str):
                    lines = document.lines[*path, "env", at, "value"]
                    yield Entry(name, text, lines.first, lines.last, home)


def _environment(document: Document, environment: Value, path: KeyPath) -> Iterator[Entry]:
    """Both forms of a service's environment. `$$` stands for one `$` in a compose file."""
    home = str(path[1])
    if isinstance(environment, dict):
        for entry in _mapping(document, environment, path, home=home):
            yield entry._replace(value=entry.value.replace("$$", "$"))
    for at, item in enumerate(environment if isinstance(environment, list) else []):
        if isinstance(item, str) and "=" in item:
            name, _, value = item.partition("=")
            lines = document.lines[*path, at]
            yield Entry(name.strip(), value.replace("$$", "$"), lines.first, lines.last, home)


def _mapping(document: Document, value: Value, path: KeyPath, *, home: str) -> Iterator[Entry]:
    for name, text in value.items() if isinstance(value, dict) else ():
        if isinstance(text, str):
            lines = document.lines[*path, name]
            yield Entry(name, text, lines.first, lines.last, home)


def _get(value: Value, key: str) -> Value:
    return value.get(key) if isinstance(value, dict) else None


def _once(entries: list[Entry]) -> list[Entry]:
    return sorted(
        {(entry.line, entry.name): entry for entry in reversed(entries)}.values(), key=_line
    )


def _line(entry: Entry) -> tuple[int, str]:
    return entry.line, entry.name
