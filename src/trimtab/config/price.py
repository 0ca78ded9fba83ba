"""What a project says that a model costs: `[models.ALIAS.price]`, `[[models.ALIAS.prices]]`."""

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["DatedPrice", "InputTier", "Price"]


class InputTier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all tokens of a request cost whose whole input is above a number of tokens.

    Attributes:
        above_input_tokens: that number; a request of exactly so many is below.
        input_usd_per_mtok and so on: USD per million tokens; None leaves the price as it is below.
    """

    above_input_tokens: Annotated[int, Meta(ge=1, le=100_000_000)]
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    cache_write_1h_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None
    input_audio_usd_per_mtok: Decimal | None = None
    cache_read_audio_usd_per_mtok: Decimal | None = None
    output_audio_usd_per_mtok: Decimal | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model costs, declared by the project. USD per million tokens, exact decimals.

    Attributes:
        input_usd_per_mtok: input that no other price covers.
        output_usd_per_mtok: output that no other price covers.
        cache_read_usd_per_mtok: input from the prompt cache; None means the price of input.
        cache_write_usd_per_mtok: input written to the cache; None means the price of input.
        cache_write_1h_usd_per_mtok: of it, what is kept for an hour; None means the price of
            what is written.
        reasoning_usd_per_mtok: hidden output; None means the price of output.
        input_audio_usd_per_mtok: audio that was sent; None means the price of input.
        cache_read_audio_usd_per_mtok: of it, what came from the prompt cache; None means that
            the cache makes it as much cheaper as it makes text.
        output_audio_usd_per_mtok: audio that came; None means the price of output.
        tiers: what it costs with more input, ascending.
        service_tiers: what all of it costs at a service tier, as a share of these prices.
    """

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    cache_write_1h_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None
    input_audio_usd_per_mtok: Decimal | None = None
    cache_read_audio_usd_per_mtok: Decimal | None = None
    output_audio_usd_per_mtok: Decimal | None = None
    tiers: tuple[InputTier, ...] = ()
    service_tiers: dict[str, Decimal] = {}


class DatedPrice(Price, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A price from a day on.

    Attributes:
        since: the first UTC day on which it holds. Of two with the same day the later written
            holds: that is how a wrong one is corrected.
    """

    since: date
