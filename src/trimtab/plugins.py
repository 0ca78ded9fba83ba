"""The doors through which parts come in: entry-point groups of installed packages.

Built-in parts use the same doors as third-party ones (see `pyproject.toml`).
"""

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from trimtab.errors import UsageError

__all__ = ["EVALUATORS", "PROVIDERS", "load_plugin", "plugin_names"]

PROVIDERS = "trimtab.providers"
EVALUATORS = "trimtab.evaluators"


def plugin_names(group: str) -> list[str]:
    """The names on offer in `group`, sorted."""
    return sorted(_found(group))


def load_plugin(group: str, name: str, accepts: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - the caller's `accepts` narrows it
    """The object that `name` stands for in `group`.

    Raises:
        UsageError: nothing has that name, or `accepts` says that it is not what the group is for.
    """
    entry = _found(group).get(name)
    if entry is None:
        offered = ", ".join(plugin_names(group)) or "none is installed"
        raise UsageError(f"{name!r} is not in {group}. On offer: {offered}.")
    plugin = entry.load()
    if not accepts(plugin):
        raise UsageError(
            f"{entry.value} is registered as {name!r} in {group} but is not of its kind. "
            "See docs/plugins.md for what a plugin of this group must be."
        )
    return plugin


def _found(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}
