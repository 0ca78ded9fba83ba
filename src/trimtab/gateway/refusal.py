"""A provider's error answers, told apart: whose fault, which status, what the caller may see."""

from trimtab.errors import ProviderError, ProviderGarbage, ProviderRefused, ProviderRejectedKey
from trimtab.providers.wire.chat_answer import read_answer, read_error

__all__ = ["in_band_refusal", "refusal"]


def refusal(
    status: int, headers: dict[bytes, bytes], body: bytes, *, stream_wanted: bool
) -> ProviderError | None:
    """What is wrong with an answer that came as one body, or None if it is a good one."""
    if status >= 300:
        return _refused_by_status(status, headers, body)
    if read_answer(body) is None:
        if read_error(body) is not None:  # an error with status 200
            return _refused(502, headers, body)
        return ProviderGarbage("The provider's answer is not a chat completion.")
    if stream_wanted:
        return ProviderGarbage("The provider was asked for a stream and sent a whole answer.")
    return None


def _refused_by_status(status: int, headers: dict[bytes, bytes], body: bytes) -> ProviderError:
    if status in {401, 403}:
        # Its text may quote the key, and the caller's own key is not at fault.
        return ProviderRejectedKey(
            f"The provider refused the gateway's own key (status {status}). "
            "Check the variable that api_key_env names."
        )
    if status < 400:
        return ProviderGarbage(
            f"The provider answered with a redirect (status {status}), which is not followed. "
            "Check base_url."
        )
    return _refused(status, headers, body)


def in_band_refusal(error: bytes) -> ProviderRefused:
    """The error of an event inside a stream with status 200."""
    body = b'{"error":' + error + b"}"
    return _refused(502, {}, body)


def _refused(status: int, headers: dict[bytes, bytes], body: bytes) -> ProviderRefused:
    error = read_error(body)
    code = str((error or {}).get("code") or (error or {}).get("type") or "")
    return ProviderRefused(
        f"The provider answered with status {status}" + (f" ({code})." if _is_word(code) else "."),
        status=status,
        body=body if error is not None else None,
        error_code=code if _is_word(code) else f"status_{status}",
        retry_after_s=_retry_after_s(headers),
    )


def _is_word(code: str) -> bool:
    """Codes go into logs and the ledger; free text does not."""
    return 0 < len(code) <= 64 and code.replace("_", "").replace("-", "").isalnum()


def _retry_after_s(headers: dict[bytes, bytes]) -> float | None:
    for name, unit_s in ((b"retry-after-ms", 0.001), (b"retry-after", 1.0)):
        value = headers.get(name, b"")
        if value.replace(b".", b"", 1).isdigit():
            return float(value) * unit_s
    return None
