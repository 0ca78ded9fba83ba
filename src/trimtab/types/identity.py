"""Who asks: the application's key, and the end user behind it."""

import msgspec

__all__ = ["Caller", "Key"]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A credential, as stored: the secret itself is not kept.

    Attributes:
        key_id: stable id, `key_...`.
        name: what people call it.
        prefix: the first characters of the secret, for recognising it.
        team: the team it belongs to, or "".
        created_ns: UTC nanoseconds.
        revoked_ns: UTC nanoseconds, or None while it is valid.
        console: it opens the console and nothing else; all other keys open all but the console.
    """

    key_id: str
    name: str
    prefix: str
    team: str = ""
    created_ns: int
    revoked_ns: int | None = None
    console: bool = False


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who an inference is for. Empty strings where the request did not say.

    Attributes:
        user_class: the class of users that the project puts this caller into.
    """

    key_id: str = ""
    team: str = ""
    user: str = ""
    session: str = ""
    user_class: str = ""
