"""What a provider's answer says of its own cost, in one form; and which counts to believe.

A count is believed if it can be true: a whole number, not negative, and a part not larger than its
whole. One that cannot is left out and named, so that whoever settles can estimate it instead; it is
never repaired by a guess. Whole numbers may be written as `12.0` (servers in JavaScript or Lua) or
as `"12"` (64-bit integers in protobuf's JSON mapping).
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Protocol, cast

import msgspec

from trimtab.types.usage import Usage

__all__ = [
    "UNREADABLE",
    "Count",
    "Reading",
    "Tally",
    "UsageStream",
    "as_list",
    "as_object",
    "as_text",
    "as_texts",
    "as_word",
    "decode_object",
    "exact_number",
    "nanousd_of",
]

_MOST_TOKENS = 10_000_000_000  # more than any request can have, and it fits a database's integer
Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST_TOKENS)]
"""A number of tokens as nearly all write it."""

_MOST_USD = 1_000_000  # for one request; what is above is a broken number
_NANO = 1_000_000_000
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)
"""What decoding raises for bytes that are not what they should be."""
_NO_FIELDS: dict[str, Any] = {}


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an answer says about itself, as far as it changes the bill.

    Attributes:
        usage: tokens in the house's convention; None if neither total is reported. A total that is
            missing is 0 in here and named in `unreported`.
        unreported: fields of `Usage` that the provider should have told and did not, or that it
            told and that cannot be true.
        final: False while the provider may still report more: a stream that is not at its end.
        served_model: as the provider names it; "" where it does not.
        service_tier: the tier that it was served at, in the provider's word; "" where not told.
        inference_geo: where it was served, if that was told (Anthropic charges more for "us").
        speed: "fast" where Anthropic served it in its dearer, faster mode.
        finish_reason: the provider's word for why it ended; that of the first choice.
        web_searches: searches by the provider, which are charged by the call.
        claimed_nanousd: what the provider says that it cost, in nano-dollars; None where it does
            not. For comparing with our own figure, not in its place.
    """

    usage: Usage | None = None
    unreported: frozenset[str] = frozenset()
    final: bool = True
    served_model: str = ""
    service_tier: str = ""
    inference_geo: str = ""
    speed: str = ""
    finish_reason: str = ""
    web_searches: int = 0
    claimed_nanousd: int | None = None

    @property
    def price_tier(self) -> str:
        """The word by which it is priced: the faster mode where it was, else the service tier."""
        return self.speed if self.speed == "fast" else self.service_tier


class UsageStream(Protocol):
    """Reads a stream as it passes; fed with payloads, so that framing is somebody else's."""

    def feed(self, data: bytes) -> None:
        """Take the JSON of one event; what is not of the format is passed over."""
        ...

    @property
    def reading(self) -> Reading | None:
        """What is known by now; None while nothing of the format has been seen."""
        ...


class Tally:
    """Counts of one answer: believes what can be true and remembers what cannot.

    Attributes:
        doubted: fields of `Usage` with a count that cannot be true.
    """

    def __init__(self) -> None:
        self.doubted: set[str] = set()

    def count(self, field: str, value: object) -> int | None:
        """`value` as a number of tokens; None if it is absent, null, or cannot be true.

        Args:
            field: the field of `Usage` that suffers if it cannot.
            value: of the wire.
        """
        if value is None:
            return None
        if type(value) is int and 0 <= value <= _MOST_TOKENS:  # nearly always
            return value
        number = _whole_number(value)
        if number is None:
            self.doubted.add(field)
            return None
        return number

    def first(self, field: str, *values: object) -> int:
        """The first of `values` that is a count above 0, for parts with several names; else 0."""
        for value in values:
            if value is not None and (found := self.count(field, value)):
                return found
        return 0

    def settled(self, counts: Mapping[str, int | None]) -> tuple[Usage | None, frozenset[str]]:
        """Usage in which every part fits into its whole, and the names of what is not reported.

        Args:
            counts: by field of `Usage`; None and absent are the same. Wholes include their parts.
        """
        told = {field: count for field, count in counts.items() if count}
        if not told.keys() <= _TOTALS:
            self._drop_misfits(told)
        if told.keys() >= _TOTALS and not self.doubted:  # nearly always
            return Usage(**told), _NOTHING
        missing = {field for field in _TOTALS if counts.get(field) is None}
        return (None if missing == _TOTALS else Usage(**told)), frozenset(missing | self.doubted)

    def _drop_misfits(self, told: dict[str, int]) -> None:
        for part, whole in _PARTS:
            if part in told and told[part] > told.get(whole, 0):
                self._drop(part, told)
        for (first, second), whole in _RIVALS:
            # Both cannot be true; the first is the one that the provider's own bill rests on.
            if first in told and second in told and told[first] + told[second] > told[whole]:
                self._drop(second, told)

    def _drop(self, part: str, told: dict[str, int]) -> None:
        told.pop(part)
        self.doubted.add(part)


_NOTHING = frozenset[str]()
_TOTALS = {"input_tokens", "output_tokens"}
_PARTS = (
    ("cache_read_tokens", "input_tokens"),
    ("cache_write_tokens", "input_tokens"),
    ("cache_write_1h_tokens", "cache_write_tokens"),
    ("input_audio_tokens", "input_tokens"),
    ("cache_read_audio_tokens", "cache_read_tokens"),
    ("cache_read_audio_tokens", "input_audio_tokens"),
    ("reasoning_tokens", "output_tokens"),
    ("output_audio_tokens", "output_tokens"),
)
_RIVALS = (
    (("cache_read_tokens", "cache_write_tokens"), "input_tokens"),
    (("reasoning_tokens", "output_audio_tokens"), "output_tokens"),
)


def decode_object(data: bytes) -> dict[str, Any] | None:
    """The JSON object in `data`; None if it is anything else. Fractions stay exact decimals."""
    try:
        return _decoder.decode(data)
    except UNREADABLE:
        return None


def exact_number(text: str) -> Decimal | str:
    """A number with a fraction or an exponent as written; the text, if no decimal can hold it."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def as_object(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one, so that a path can be followed to its end."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else _NO_FIELDS


def as_list(value: object) -> list[dict[str, Any]]:
    """The objects in `value` if it is a list; what else is in it is passed over."""
    if not isinstance(value, list):
        return []
    entries = (as_object(entry) for entry in cast("list[object]", value))
    return [entry for entry in entries if entry]


def as_texts(value: object) -> list[str]:
    """The texts in `value` if it is a list."""
    if not isinstance(value, list):
        return []
    return [entry for entry in cast("list[object]", value) if isinstance(entry, str)]


def as_text(value: object) -> str:
    """`value` if it is text, else ""."""
    return value if isinstance(value, str) else ""


def as_word(value: object) -> str:
    """Like `as_text`, in small letters: the word of an enumeration that some write in capitals."""
    return value.lower() if isinstance(value, str) else ""


def nanousd_of(amount: object, *, per_usd: int = 1) -> int | None:
    """A provider's own figure in nano-dollars, rounded half up; None if it is no amount.

    Args:
        amount: as decoded by `decode_object`.
        per_usd: how many of its units make a dollar.
    """
    if amount is None or isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return None
    if not 0 <= amount <= _MOST_USD * per_usd:
        return None
    return int((Decimal(amount) * _NANO / per_usd).to_integral_value(ROUND_HALF_UP))


def _whole_number(value: object) -> int | None:
    """`value` if it is a possible count. Bounds come first: `1e999999999` is a valid decimal."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if not 0 <= value <= _MOST_TOKENS or value % 1:
        return None
    return int(value)


_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=exact_number)
