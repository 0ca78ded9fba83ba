"""What must hold in the tables about alerts, beyond the shape of each."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from trimtab.config.alerts import Alerts, WebhookTable, problem_with_url
from trimtab.config.reader import TableReader
from trimtab.config.schema import ProjectTable
from trimtab.errors import Finding

__all__ = ["alert_warnings", "check_alerts"]

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SECTION: Final = ("alerts", "webhooks")


def check_alerts(
    tables: ProjectTable, raw: Mapping[str, Any], *, folder: Path, reader: TableReader
) -> None:
    """Report to `reader` every rule about alerts that `tables` break. No URL is ever shown.

    Args:
        tables: what could be read.
        raw: the same file as parsed.
        folder: where relative paths of the file begin.
        reader: takes the findings.
    """
    for name, webhook in tables.alerts.webhooks.items():
        path = (*_SECTION, name)
        if not _NAME.fullmatch(name):
            remedy = "Use letters, digits, dots, dashes and underscores"
            reader.report(path, f"{name!r} cannot be a name", remedy)
        _check_address(path, webhook, raw["alerts"]["webhooks"][name], reader=reader)
        if webhook.ca_file is not None and not (folder / webhook.ca_file).is_file():
            remedy = "Give the path of a file, relative to the folder of trimtab.toml"
            reader.report((*path, "ca_file"), f"no file at {folder / webhook.ca_file}", remedy)


def _check_address(
    path: tuple[str, ...], webhook: WebhookTable, given: Mapping[str, Any], *, reader: TableReader
) -> None:
    if webhook.url and webhook.url_env:
        reader.report((*path, "url_env"), "url and url_env exclude each other", "Remove one")
    elif not given.get("url") and not given.get("url_env"):  # a wrong one was reported there
        remedy = "Add url, or url_env with the name of a variable if the URL contains a token"
        reader.report(path, "this webhook has no address", remedy)
    elif webhook.url and (problem := problem_with_url(webhook.url)):
        reader.report((*path, "url"), f"the URL cannot be used: {problem}", "Correct it")


def alert_warnings(alerts: Alerts, tables: ProjectTable, reader: TableReader) -> Iterator[Finding]:
    """What keeps webhooks from being told, without preventing a start."""
    for name, webhook in alerts.webhooks.items():
        if webhook.problem:
            table = tables.alerts.webhooks[name]
            key = "url_env" if webhook.variable == table.url_env else "secret_env"
            place = reader.place((*_SECTION, name, key))
            remedy = f"Set it before you start; until then alerts for {name} wait"
            yield Finding(place, webhook.problem, remedy)
