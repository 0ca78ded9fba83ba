"""What is done about a user or key that stands out: one value for who decides and who obeys."""

from typing import Literal

import msgspec

__all__ = ["Sanction"]


class Sanction(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done to one user or key, for a time.

    Attributes:
        per, subject: whom: the name of a user or the id of a key.
        action: let through few requests a minute, or use the cheaper model of the route.
        reason: in words and numbers.
        until_ns: UTC nanoseconds at which it ends, unless the next look renews it.
    """

    per: Literal["user", "key"]
    subject: str
    action: Literal["throttle", "downgrade"]
    reason: str
    until_ns: int
