"""An answer that may be given again."""

import msgspec

from trimtab.types.usage import NO_USAGE, Usage

__all__ = ["CachedAnswer"]


class CachedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A complete, good answer as its caller got it, and what is on record about how it was made.

    Attributes:
        streamed: the body is a stream of events, else one JSON object.
        body: the bytes that the caller got; of a stream all frames with tail and terminator.
        provider: provider that made it.
        model: the model asked of it.
        served_model: the model that the provider says it used.
        finish_reason: as the provider gave it.
        usage: tokens that were used to make it.
        cost_nanousd: what it cost to make: the amount that giving it again saves.
        provider_request_id: the provider's own id of the call.
        created_ns: UTC nanoseconds at which it was complete.
    """

    streamed: bool
    body: bytes
    provider: str
    model: str
    served_model: str = ""
    finish_reason: str = ""
    usage: Usage = NO_USAGE
    cost_nanousd: int = 0
    provider_request_id: str = ""
    created_ns: int
