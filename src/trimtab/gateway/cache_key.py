"""Which requests are the same: what an answer is found by when it is to be given again.

Two requests share a key only if a provider cannot tell them apart, and if whoever asks may see
what the other was answered. In doubt they differ: a hit too few costs a call, one too many is a
wrong answer.
"""

import hashlib
from typing import Any, Final, Literal

import msgspec

from trimtab.config.schema import Rung
from trimtab.types.identity import Caller

__all__ = ["MAX_KEYED_BYTES", "cache_key"]

MAX_KEYED_BYTES: Final = 1_000_000
"""A larger body has no key: to sort it would hold up every other caller for milliseconds."""

_FORMAT: Final = b"trimtab answer 1"

_APART: Final = (
    "model",  # what it stands for is in the key
    "user",
    "safety_identifier",
    "metadata",
    "store",
    "prompt_cache_key",
)
"""Fields that do not change an answer but would keep nearly every request from a hit."""

# Numbers with a point or an exponent keep their text: 1, 1.0 and 1e0 are three requests.
_decode = msgspec.json.Decoder(dict[str, Any], float_hook=msgspec.Raw).decode
_encode = msgspec.json.Encoder(order="deterministic").encode


def cache_key(
    body: bytes,
    *,
    caller: Caller,
    scope: Literal["user", "key", "team"],
    rung: Rung,
    prompt_version: str = "",
    asked: str = "",
) -> bytes | None:
    """The key of the answer to a request.

    The order of keys in objects, spaces, escapes in strings and the fields in `_APART` make no
    difference; neither does -0 for 0. All else does, `stream` and `stream_options` included.

    Args:
        body: the request as the caller sent it.
        caller: who asks, with the user that headers or the request named.
        scope: who shares answers. "user": requests of one key and team for the same user; those
            that name no user share among themselves. "key": all requests of one key. "team": all
            keys of one team; a key without a team shares with no other.
        rung: the model that would be asked, with its provider.
        prompt_version: version of the prompt that was rendered into the body, or "".
        asked: the model's name as the caller wrote it, where answers carry it; else "".

    Returns:
        32 bytes, or None if the request is not to be cached: it is larger than `MAX_KEYED_BYTES`,
        is not a JSON object, or names a key twice in one object, which servers read differently.
    """
    if len(body) > MAX_KEYED_BYTES:
        return None
    canonical = _canonical(body)
    if canonical is None:
        return None
    ref = rung.ref
    parts = (*_sharers(caller, scope), rung.alias, ref.provider, ref.model, prompt_version, asked)
    digest = hashlib.sha256(_FORMAT)
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b" % (len(text), text))  # no two lists of parts make the same bytes
    digest.update(canonical)
    return digest.digest()


def _sharers(caller: Caller, scope: str) -> tuple[str, str, str, str]:
    """Scope, key, team and user, of which those that may differ among sharers are left out."""
    if scope == "team" and caller.team:
        return scope, "", caller.team, ""
    if scope == "user":
        return scope, caller.key_id, caller.team, caller.user
    return "key", caller.key_id, caller.team, ""


def _canonical(body: bytes) -> bytes | None:
    """The request without what makes no difference; None if it is not one or is ambiguous."""
    try:
        fields = _decode(body)
        apart = {name: fields.pop(name) for name in _APART if name in fields}
        canonical, rest = _encode(fields), _encode(apart)
        if not _is_all(body, canonical, rest):
            return None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return canonical


def _is_all(body: bytes, canonical: bytes, rest: bytes) -> bool:
    """Whether two objects hold together all that `body` does, so that no key was there twice.

    Of two equal keys decoding keeps the last, and nothing becomes longer by encoding it again: so
    equal lengths say that all is there. If spaces or escapes made a difference, keys are counted.
    """
    length = len(canonical) + len(rest) - 1  # together they have one pair of braces and a comma
    return (
        length == len(body)
        or length == len(msgspec.json.format(body, indent=-1))
        or _keys(canonical) + _keys(rest) == _keys(body)
    )


def _keys(text: bytes) -> int:
    """How many keys all objects in `text` have: each has its colon, outside of strings."""
    # Without these two, every quote that is left begins or ends a string.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2]).count(b":")
