"""A provider's error answers, told apart: whose fault, which status, what the caller may see."""

from trimtab.errors import ProviderError, ProviderGarbage, ProviderRefused, ProviderRejectedKey
from trimtab.providers.wire.chat_answer import Answer, read_answer, read_error
from trimtab.providers.wire.chat_errors import remedy_of

__all__ = ["in_band_refusal", "read_whole"]

_TELLING = frozenset((b"retry-after", b"retry-after-ms", b"x-should-retry"))
_LONGEST = 64
_LONGEST_WAIT_S = 86_400.0


def read_whole(
    status: int, headers: dict[bytes, bytes], body: bytes, *, stream_wanted: bool
) -> Answer:
    """The answer that came as one body.

    Raises:
        ProviderError: it is not a good one; which error says whose fault that is.
    """
    if status >= 300:
        raise _refused_by_status(status, headers, body)
    answer = read_answer(body)
    if answer is None:
        if read_error(body) is not None:  # an error with status 200
            raise _refused(502, headers, body, in_band=True)
        raise ProviderGarbage("The provider's answer is not a chat completion.")
    if stream_wanted:
        raise ProviderGarbage("The provider was asked for a stream and sent a whole answer.")
    return answer


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
    return _refused(502, {}, b'{"error":' + error + b"}", in_band=True)


def _refused(
    status: int, headers: dict[bytes, bytes], body: bytes, *, in_band: bool = False
) -> ProviderRefused:
    error = read_error(body)
    code = error.word if error is not None else ""
    if not _is_word(code):
        code = ""
    return ProviderRefused(
        f"The provider answered with status {status}" + (f" ({code})." if code else "."),
        status=status,
        body=error.body if error is not None else None,
        error_code=code or f"status_{status}",
        remedy=remedy_of(status, code, body, in_band=in_band),
        headers=_passed_on(headers),
        wait_s=_wait_s(headers),
    )


def _wait_s(headers: dict[bytes, bytes]) -> float | None:
    """When to come back, by the finer of the two headers; a date is not worth reading."""
    for name, unit_s in ((b"retry-after-ms", 0.001), (b"retry-after", 1.0)):
        try:
            wait_s = float(headers.get(name, b"")[:_LONGEST]) * unit_s
        except ValueError:
            continue
        if 0 <= wait_s <= _LONGEST_WAIT_S:
            return wait_s
    return None


def _is_word(code: str) -> bool:
    """Codes go into logs and the ledger; free text does not."""
    return 0 < len(code) <= 64 and code.replace("_", "").replace("-", "").isalnum()


def _passed_on(headers: dict[bytes, bytes]) -> tuple[tuple[bytes, bytes], ...]:
    """What tells a client when to come back: as the provider wrote it, if it is sane."""
    return tuple(
        (name, value)
        for name, value in headers.items()
        if (name in _TELLING or name.startswith(b"x-ratelimit-")) and len(value) <= _LONGEST
    )
