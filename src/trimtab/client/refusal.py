"""Errors as they come over the wire, as the exceptions that they stand for."""

from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec

from trimtab.client.failures import GatewayGarbage, GatewayUnreachable
from trimtab.errors import (
    REPLIES,
    ConfigError,
    MethodNotAllowed,
    ProviderError,
    ProviderRefused,
    ProviderRejectedKey,
    ProviderTimeout,
    TrimtabError,
)

__all__ = ["gateway_error", "provider_error", "told_error"]

_BY_CODE: Final = {reply.code: (cls, reply.status) for cls, reply in REPLIES.items()}
_MEANT_BY_PROXIES: Final = frozenset((502, 503, 504))
_LONGEST_WAIT_S: Final = 30 * 86_400.0

# What these know beside their message does not come over the wire.
_UNTOLD: Final[dict[type[TrimtabError], Mapping[str, Any]]] = {
    ConfigError: {"findings": []},
    MethodNotAllowed: {"allowed": ""},
    ProviderTimeout: {"limit": "", "limit_s": 0.0},
}


def gateway_error(status: int, headers: Mapping[str, str], body: bytes) -> TrimtabError:
    """The exception for an answer of a gateway that is not a good one.

    One of a proxy in front of it is told apart by what every answer of a gateway has: the
    inference's id and an error object.
    """
    told = _error_object(body)
    ours = headers.get("x-request-id", "").startswith("inf_")
    if status in _MEANT_BY_PROXIES and not (ours and told):
        return GatewayUnreachable(
            f"The gateway is not there: something before it answers with status {status}. "
            "Check that it runs."
        )
    if told is None:
        return GatewayGarbage(
            f"What answers at base_url is no gateway (status {status}). Check base_url, which ends "
            "in /v1."
        )
    return told_error(told, status=status, headers=headers, body=body)


def told_error(
    told: Mapping[str, Any],
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> TrimtabError:
    """The exception for an error object of a gateway; `status` is None for one inside a stream."""
    headers = headers or {}
    message, code, param = str(told.get("message")), told.get("code"), told.get("param")
    cls, usual = _BY_CODE.get(code if isinstance(code, str) else "", (None, None))
    if cls is None or cls is ProviderRefused or (status or usual) != usual:
        return ProviderRefused(
            message,
            status=status or 502,
            body=body,
            error_code=str(code),
            remedy="final",
            wait_s=_wait_s(headers),
        )
    # Their constructors ask for what does not come over the wire, and write messages of their own.
    error = cls.__new__(cls, message)
    for name, value in _UNTOLD.get(cls, {}).items():
        setattr(error, name, value)
    if isinstance(param, str):
        error.param = param
    wait_s = _wait_s(headers)
    if wait_s is not None:
        error.retry_after_s = wait_s
    return error


def provider_error(status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
    """The exception for a bad answer of a provider that was called directly.

    Its text is not in the message: it may quote the key.
    """
    if status in {401, 403}:
        return ProviderRejectedKey(
            f"The fallback provider does not accept its key (status {status}). Check the api_key "
            "of fallback=Provider(...)."
        )
    return ProviderRefused(
        f"The fallback provider answered with status {status}.",
        status=status,
        body=body if _error_object(body) is not None else None,
        remedy="final",
        wait_s=_wait_s(headers),
    )


def _error_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    error = cast("dict[str, object]", found).get("error") if isinstance(found, dict) else None
    return cast("dict[str, Any]", error) if isinstance(error, dict) else None


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """When to come back, by the finer of the two headers."""
    for name, unit_s in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait_s = float(headers[name]) * unit_s
        except (KeyError, ValueError):
            continue
        if 0 <= wait_s <= _LONGEST_WAIT_S:
            return wait_s
    return None
