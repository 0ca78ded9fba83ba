"""What can go wrong between an application and its gateway.

All else that a gateway says becomes the class of `trimtab.errors` that it stands for.
"""

from typing import Final

from trimtab.errors import REPLIES, TrimtabError

__all__ = ["AWAY", "AnswerTimeout", "GatewayGarbage", "GatewayUnreachable"]

_AWAY_STATUSES: Final = frozenset((502, 503, 504))


class GatewayUnreachable(TrimtabError):
    """No connection to the gateway, or it broke before an answer began, or a proxy answered."""


class GatewayGarbage(TrimtabError):
    """What answers is not a gateway, or is damaged on the way."""


class AnswerTimeout(TrimtabError):
    """Nothing arrived for `timeout_s`. The call may still be under way, and be paid for."""


AWAY: Final[tuple[type[TrimtabError], ...]] = (
    GatewayUnreachable,
    *(
        cls
        for cls, reply in REPLIES.items()
        if reply.status in _AWAY_STATUSES and reply.kind == "server_error"
    ),
)
"""Errors after which a client goes on without the gateway: it is not there, or serves nobody.

What it tells of a provider is none of them: it was there, and has tried what the project allows.
"""
