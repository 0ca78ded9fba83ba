"""The tables of `trimtab.toml` about alerts, and what they become."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from trimtab.config.secret import Secret
from trimtab.types.alerts import AlertKind

__all__ = [
    "Alerts",
    "AlertsTable",
    "LogPolicy",
    "Webhook",
    "WebhookTable",
    "problem_with_url",
    "resolve_alerts",
    "signing_key",
]

LogPolicy = Literal["redacted", "full", "off"]

_PREFIX: Final = "whsec_"
_KEY_BYTES: Final = range(24, 65)  # the lengths that Standard Webhooks allows
_Variable = Annotated[
    str, Meta(pattern=r"^([A-Za-z_]\w*)?$", description="the name of an environment variable")
]


class WebhookTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts.webhooks.NAME]`: somebody who is told of alerts by HTTP.

    Attributes:
        url: where alerts are posted.
        url_env: instead, the variable that holds it, for one that contains a token.
        secret_env: the variable that holds the secret which signs them; "" for no signature.
        kinds: what it is told of; empty for everything.
        ca_file: certificates to trust instead of the system's.
    """

    url: str = ""
    url_env: _Variable = ""
    secret_env: _Variable = ""
    kinds: tuple[AlertKind, ...] = ()
    ca_file: Path | None = None


class AlertsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts]` as written.

    Attributes:
        log: how much of an alert is logged: its kind and id, all of it (which may name users),
            or nothing.
        webhooks: who is told besides.
    """

    log: LogPolicy = "redacted"
    webhooks: dict[str, WebhookTable] = {}


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver of alerts.

    Attributes:
        address: its URL, which may contain a token; None where it is not known.
        secret: signs what is sent; None for no signature.
        kinds: what it is told of; empty for everything.
        variable: the environment variable that `problem` is about.
        problem: why nothing can be sent, or "". Alerts wait for it.
    """

    name: str
    address: Secret | None
    secret: Secret | None = None
    kinds: tuple[AlertKind, ...] = ()
    ca_file: Path | None = None
    variable: str = ""
    problem: str = ""

    def wants(self, kind: AlertKind) -> bool:
        """Whether it is told of alerts of a kind."""
        return not self.kinds or kind in self.kinds


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of alerts, and what is logged."""

    log: LogPolicy = "redacted"
    webhooks: dict[str, Webhook] = {}


def problem_with_url(url: str) -> str:
    """Why alerts cannot be posted to `url`, without a word of it; "" if they can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is not a URL"
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        return "it is not an http:// or https:// URL"
    if parts.username is not None or parts.password is not None:
        return "it contains a user name or password, which is not sent"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it contains spaces or other characters that must be encoded as %XX"
    return ""


def signing_key(secret: Secret) -> bytes | None:
    """The key in a secret of the form `whsec_<base64>`; None if it is of another form.

    The form is that of Standard Webhooks, https://www.standardwebhooks.com, whose libraries
    all decode it alike.
    """
    text = secret.reveal()
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if text.startswith(_PREFIX) and len(key) in _KEY_BYTES else None


def resolve_alerts(table: AlertsTable, folder: Path, environ: Mapping[str, str]) -> Alerts:
    """The alerts of a project, with addresses and secrets from the environment."""
    webhooks = {
        name: _resolve(name, webhook, folder=folder, environ=environ)
        for name, webhook in table.webhooks.items()
    }
    return Alerts(log=table.log, webhooks=webhooks)


def _resolve(
    name: str, table: WebhookTable, *, folder: Path, environ: Mapping[str, str]
) -> Webhook:
    url = table.url or environ.get(table.url_env, "").strip()
    text = environ.get(table.secret_env, "").strip() if table.secret_env else ""
    secret = Secret(text) if text else None
    variable, problem = _problem(table, url, secret)
    return Webhook(
        name=name,
        address=Secret(url) if url else None,
        secret=secret,
        kinds=table.kinds,
        ca_file=folder / table.ca_file if table.ca_file else None,
        variable=variable,
        problem=problem,
    )


def _problem(table: WebhookTable, url: str, secret: Secret | None) -> tuple[str, str]:
    if not url:
        return table.url_env, f"the environment variable {table.url_env} is not set"
    if table.url_env and (problem := problem_with_url(url)):
        return table.url_env, f"the environment variable {table.url_env} cannot be used: {problem}"
    if table.secret_env and secret is None:
        return table.secret_env, f"the environment variable {table.secret_env} is not set"
    if secret is not None and signing_key(secret) is None:
        return table.secret_env, (
            f"the environment variable {table.secret_env} does not hold a secret of the form "
            "whsec_ and the base64 of 24 to 64 bytes"
        )
    return "", ""
