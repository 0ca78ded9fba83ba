"""How ledger entries become bytes, and how each is tied to the one before it. Pure."""

from hashlib import sha256
from struct import Struct
from typing import Final, Literal

import msgspec

from trimtab.types.records import Intent, Settle

__all__ = ["GENESIS", "Kind", "Record", "decode_record", "encode_record", "link"]

Kind = Literal["intent", "settle"]
Record = Intent | Settle

GENESIS: Final = bytes(32)
"""What the very first entry of a ledger is chained to."""

_place = Struct(">QQ").pack
_KIND_BYTES: Final = {"intent": b"intent", "settle": b"settle"}  # of one length: no ambiguity
_encode = msgspec.json.Encoder().encode
_decode_intent = msgspec.json.Decoder(Intent).decode
_decode_settle = msgspec.json.Decoder(Settle).decode


def encode_record(record: Record) -> tuple[Kind, bytes]:
    """The kind of an entry, and its body as JSON."""
    return ("intent" if isinstance(record, Intent) else "settle"), _encode(record)


def decode_record(kind: Kind, body: bytes) -> Record:
    """What `encode_record` wrote.

    Raises:
        msgspec.DecodeError: the body is not a record of that kind.
    """
    return _decode_intent(body) if kind == "intent" else _decode_settle(body)


def link(previous: bytes, place: tuple[int, int], *, kind: Kind, body: bytes) -> bytes:
    """The 32-byte hash of an entry: `sha256(previous ‖ writer ‖ seq ‖ kind ‖ body)`.

    Args:
        previous: the hash of the entry before, or `GENESIS`.
        place: the writer's number and the entry's number within it, 8 bytes each, big-endian.
        kind: what the body is.
        body: JSON as stored.
    """
    return sha256(previous + _place(*place) + _KIND_BYTES[kind] + body).digest()
