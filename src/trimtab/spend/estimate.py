"""Tokens of a text that nobody has counted yet."""

__all__ = ["estimate_tokens"]

_BYTES_PER_TOKEN = 4


def estimate_tokens(body_bytes: int) -> int:
    """About how many tokens a request or answer of `body_bytes` bytes is: a quarter, rounded up.

    An estimate, for two places that cannot wait for the truth: the hold of an intent, and calls
    that ended before the provider reported its usage. Four bytes per
    token is near for English; the JSON around the text makes up for languages that need more.
    """
    return -(-body_bytes // _BYTES_PER_TOKEN)
