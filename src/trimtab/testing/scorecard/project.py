"""The project file that the rows run on."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from trimtab.config.schema import Breakers, Project
from trimtab.errors import UsageError
from trimtab.testing.scorecard.case import Case

__all__ = ["BASELINE", "PRICES", "Ports", "ports_of", "project_text"]

BASELINE = {"connect_s": 5.0, "ttft_s": 30.0, "idle_s": 30.0, "total_s": 90.0}
"""Seconds: 30 for an attempt to begin, 30 between two tokens, 90 for all attempts together."""

PRICES = {"primary": (1, 2), "spare": (3, 4)}
"""USD per million tokens of input and output; another price tells who was paid."""

_DRAIN_S = 10.0
_BREAKERS = Breakers()


class Ports(NamedTuple):
    """Where the fault providers listen on loopback; 0 for any free port.

    Attributes:
        primary, spare: fault providers.
        untrusted: speaks TLS with a certificate that nobody trusts.
    """

    primary: int = 0
    spare: int = 0
    untrusted: int = 0


def ports_of(project: Project) -> Ports:
    """The ports that a project made by `project_text` expects.

    Raises:
        UsageError: it was not made by it.
    """
    found: list[int] = []
    for name in Ports._fields:
        provider = project.providers.get(name)
        port = urlsplit(provider.base_url).port if provider is not None else None
        if port is None:
            raise UsageError(
                f"{project.file} was not made for the fault table: it has no provider {name!r} "
                "with a port. Make one with `trimtab faults --write-project FOLDER`."
            )
        found.append(port)
    return Ports(*found)


def project_text(
    cases: Mapping[str, Case], ports: Ports, *, scale: float = 1.0, port: int = 0
) -> str:
    """A `trimtab.toml` with a route for each case.

    Args:
        cases: by the name of their route.
        ports: where the fault providers listen.
        scale: multiplies every time but `connect_s`: nothing waits for a connection on purpose.
        port: where the gateway is to listen.
    """
    local = "://127.0.0.1"
    providers = {
        "primary": f"http{local}:{ports.primary}/v1",
        "spare": f"http{local}:{ports.spare}/v1",
        "untrusted": f"https{local}:{ports.untrusted}/v1",
        "not-tls": f"https{local}:{ports.primary}/v1",
        "no-name": "http://no-such-host.invalid/v1",
        "refused": f"http{local}:9/v1",
    }
    lines = [
        "# The routes of the fault table: `trimtab faults`.",
        "[server]",
        f"port = {port}",
        f"drain_s = {_DRAIN_S * scale:g}",
        "[retries]",
        "budget_share = 1  # so that no row uses up what another may retry",
        "[breakers]",
        f"window_s = {_BREAKERS.window_s * scale:g}",
        f"open_s = {_BREAKERS.open_s * scale:g}",
        f"most_open_s = {_BREAKERS.most_open_s * scale:g}",
    ]
    for name, url in providers.items():
        lines += [f"[providers.{name}]", 'kind = "openai"', f'base_url = "{url}"']
    for name, case in cases.items():
        lines += _case_lines(name, case, scale)
    return "\n".join(lines) + "\n"


def _case_lines(name: str, case: Case, scale: float) -> list[str]:
    models = _model_lines(name, "primary", case.at)
    if case.windows is not None:
        models.append(f"context_tokens = {case.windows[0]}")
    route = [f'[routes."{name}"]', f'model = "{name}.primary"']
    if case.spare:
        models += _model_lines(name, "spare", "spare")
        if case.windows is not None:
            models.append(f"context_tokens = {case.windows[1]}")
        if case.continues:
            models.append("continues = true")
        route.append(f'fallback = ["{name}.spare"]')
    limits = {
        limit: seconds * (1 if limit == "connect_s" else scale)
        for limit, seconds in {**BASELINE, **case.timeouts}.items()
    }
    written = ", ".join(f"{limit} = {seconds:g}" for limit, seconds in limits.items())
    route += [f"timeouts = {{{written}}}", *([case.policy] if case.policy else [])]
    return [*models, *route]


def _model_lines(name: str, which: str, provider: str) -> list[str]:
    price_in, price_out = PRICES[which]
    price = f"{{input_usd_per_mtok = {price_in}, output_usd_per_mtok = {price_out}}}"
    model = f"{name}.{which}"
    return [f'[models."{model}"]', f'ref = "{provider}:{model}"', f"price = {price}"]
