"""Tokens of a text that nobody has counted yet."""

__all__ = ["estimate_tokens", "tokens_made_in"]

_BYTES_PER_TOKEN = 4
_TOKENS_PER_S = 50


def estimate_tokens(body_bytes: int) -> int:
    """About how many tokens a request or answer of `body_bytes` bytes is: a quarter, rounded up.

    An estimate, for two places that cannot wait for the truth: the hold of an intent, and calls
    that ended before the provider reported its usage. Four bytes per
    token is near for English; the JSON around the text makes up for languages that need more.
    """
    return -(-body_bytes // _BYTES_PER_TOKEN)


def tokens_made_in(seconds: float) -> int:
    """About how many tokens a provider has made in a time, waiting and thinking included.

    An estimate for whole answers that never came: 50 a second, in the middle of what hosted models
    do. Nothing at all is the one figure that is surely too low.
    """
    return int(max(seconds, 0.0) * _TOKENS_PER_S)
