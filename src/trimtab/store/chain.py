"""How ledger entries become bytes, and how each is tied to the one before it. Pure."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from struct import Struct
from typing import Final, Literal

import msgspec

from trimtab.types.feedback import Feedback
from trimtab.types.records import Extension, Intent, Settle

__all__ = [
    "GENESIS",
    "KINDS",
    "UNREADABLE",
    "Kind",
    "Record",
    "decode_record",
    "encode_record",
    "link",
    "links",
]

Kind = Literal["intent", "extend", "settle", "signal"]
Record = Intent | Extension | Settle | Feedback

GENESIS: Final = bytes(32)
"""What the very first entry of a ledger is chained to."""

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)
"""What `decode_record` raises."""

KINDS: Final[dict[type[Record], Kind]] = {
    Intent: "intent",
    Extension: "extend",
    Settle: "settle",
    Feedback: "signal",
}
"""The kind of an entry, by what it records."""

_place = Struct(">qq").pack
_decode_intent = msgspec.json.Decoder(Intent).decode
_decode_extension = msgspec.json.Decoder(Extension).decode
_decode_settle = msgspec.json.Decoder(Settle).decode
_decode_signal = msgspec.json.Decoder(Feedback).decode


encode_record: Final[Callable[[Record], bytes]] = msgspec.json.Encoder().encode
"""The body of an entry, as JSON."""


def decode_record(kind: Kind, body: bytes) -> Record:
    """What `encode_record` wrote.

    Raises:
        UNREADABLE: the body is not a record of that kind.
    """
    if kind == "intent":
        return _decode_intent(body)
    if kind == "extend":
        return _decode_extension(body)
    return _decode_signal(body) if kind == "signal" else _decode_settle(body)


def link(previous: bytes, place: tuple[int, int], *, kind: Kind, body: bytes) -> bytes:
    """The 32-byte hash of an entry: `sha256(previous ‖ writer ‖ seq ‖ kind ‖ body)`.

    All kinds are of one length, so the parts cannot be cut in two ways.

    Args:
        previous: the hash of the entry before, or `GENESIS`.
        place: the writer's number and the entry's number within it, 8 bytes each, big-endian.
        kind: what the body is.
        body: JSON as stored.
    """
    return links(previous, place, [(kind, body)])[0]


def links(
    previous: bytes, place: tuple[int, int], entries: Iterable[tuple[Kind, bytes]]
) -> list[bytes]:
    """The hashes of entries that follow each other, each with its kind and body; see `link`.

    Args:
        previous: the hash of the entry before them.
        place: of the first of them.
        entries: in their order.
    """
    writer, seq = place
    found: list[bytes] = []
    for kind, body in entries:
        previous = sha256(b"".join((previous, _place(writer, seq), kind.encode(), body))).digest()
        found.append(previous)
        seq += 1
    return found
