"""What one attempt may spend: a hold that grows with its stream, and the bound behind it."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from trimtab.gateway.funds import Backing
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.spend.bounds import Bounds, RequestSize
from trimtab.spend.credit import Hold
from trimtab.spend.rates import RateCard
from trimtab.types.records import Settle
from trimtab.types.usage import Usage

__all__ = ["FIRST_SLICE", "LEAST_TOKENS", "MOST_AT_FIRST", "ROOM_SHARE", "Grant", "GrantOwner"]

FIRST_SLICE: Final = 64
"""Output tokens that a stream begins with where little is left."""

MOST_AT_FIRST: Final = 4_096
"""Output tokens that a stream begins with where much is left: more than most answers have."""

ROOM_SHARE: Final = 64
"""A stream begins with one part in so many of the room that there is, within these two."""

LEAST_TOKENS: Final = 16
"""Output tokens below which an answer is not worth beginning, unless fewer were asked for."""

_LARGEST_SLICE: Final = 1_024  # each further one is twice as large, up to this
_MISCOUNT: Final = 16  # tokens by which frames may seem to pass a limit that the provider keeps
_NEVER: Final = 1 << 62


class GrantOwner(Protocol):
    """Who hears what becomes of a grant."""

    def on_settled(self, grant: "Grant", excess_nanousd: int) -> None:
        """It was settled, at so much more than was held."""
        ...

    def on_cut(self) -> None:
        """A stream was cut because it paid for no more."""
        ...


class Grant:
    """Belongs to one attempt.

    Attributes:
        backing: the funds that it spends from.
        guarded: something would be refused; otherwise spending is only counted.
        limit_tokens: what the provider is told of output, over all choices; None where the request
            says it already, or nothing limits it.
        next_look: frames of the stream below which `covers` need not be asked.
        size: of the request, where its tokens are bounded.
        extended: called with the new amount of the hold each time it grows.
    """

    # Until something is covered.
    guarded = False
    limit_tokens: int | None = None
    size: RequestSize | None = None
    extended: Callable[[int], None] | None = None
    next_look = _NEVER
    _card: RateCard | None = None
    _input_tokens = 0
    _covered = 0
    _most = 0
    _slice = 0
    _looked = False

    def __init__(self, hold: Hold, backing: Backing, *, bounds: Bounds, owner: GrantOwner) -> None:
        self.hold = hold
        self.backing = backing
        self._bounds = bounds
        self._owner = owner

    def cover(self, card: RateCard, *, input_tokens: int, first: int, most: int) -> None:
        """The hold is limited: say what it stands for.

        Args:
            card: the prices.
            input_tokens: the most that the input can be.
            first: output tokens that are held by now.
            most: output tokens that it may grow to; the provider is told so.
        """
        self.guarded = True
        self._card = card
        self._input_tokens = input_tokens
        self._covered = first
        self._most = most
        self.next_look = 0 if first < most else most + _MISCOUNT

    def covers(self, stream: ChatStream, came: int) -> bool:
        """Whether what has come of a stream, and what is on its way, is paid for; asks for more.

        False means that the stream must be cut here.

        Args:
            stream: as far as it was read.
            came: how many of its frames came with the latest read.
        """
        frames, bounds = stream.content_frames, self._bounds
        if frames < self.next_look:
            return True
        if self._looked:  # before the first look it was held until the intent was durable
            bounds.learn_burst(came)
        else:
            self._looked = True
            self._slice = min(self._covered, _LARGEST_SLICE)
        reserve = bounds.reserve
        shown = bounds.shown_tokens(frames, stream.content_bytes)
        while shown + max(self._slice // 2, reserve) >= self._covered < self._most:
            if not self._extend():
                self.next_look = frames + 1
                return shown + reserve < self._covered
        if self._covered >= self._most:
            # The provider was told so; one that goes on regardless is cut.
            self.next_look = max(frames + 1, self._most + _MISCOUNT)
            least = bounds.least_tokens(frames, stream.content_bytes)
            return least <= self._most + _MISCOUNT
        free = self._covered - max(self._slice // 2, reserve) - shown
        self.next_look = frames + bounds.frames_within(free)
        return True

    def capped(self, usage: Usage, *, unseen: bool = False) -> Usage:
        """Usage that was estimated, as far as it can be: what is held is the most that it was.

        Args:
            usage: the estimate.
            unseen: its output, too, is one. What was seen of a stream was made, held or not.
        """
        if self._card is None:
            return usage
        return msgspec.structs.replace(
            usage,
            input_tokens=min(usage.input_tokens, self._input_tokens),
            output_tokens=min(usage.output_tokens, self._covered)
            if unseen
            else usage.output_tokens,
        )

    def learn(self, settle: Settle, stream: ChatStream | None) -> None:
        """What a provider reported, for the bounds of the next ones."""
        if self.size is None or settle.usage_source != "reported" or settle.outcome != "ok":
            return
        usage = settle.usage
        self._bounds.learn_input(self.size, usage.input_tokens)
        if stream is not None:
            self._bounds.learn_shown(
                usage.output_tokens,
                reasoning=usage.reasoning_tokens,
                frames=stream.content_frames,
                content_bytes=stream.content_bytes,
            )

    def settle(self, cost_nanousd: int) -> None:
        """Spend what was used, and give back the rest. Only the first time counts."""
        if self.hold.open:
            if self.extended is not None:
                self.extended = None  # it knows the inference: no cycle is left behind
            excess = self.hold.settle(cost_nanousd)
            self._owner.on_settled(self, excess if self._card is not None else 0)

    def was_cut(self) -> None:
        """The stream was cut because this pays for no more."""
        self._owner.on_cut()

    def _more_for(self, card: RateCard, output_tokens: int) -> int:
        """What must be held beside what is held by now, for so much output."""
        wanted_nanousd = card.hold_nanousd(self._input_tokens, output_tokens)
        return max(wanted_nanousd - self.hold.amount_nanousd, 0)

    def _extend(self) -> bool:
        card = self._card
        assert card is not None
        grown = min(self._covered + self._slice, self._most)
        while not self.hold.extend(self._more_for(card, grown)):
            grown = self._covered + (grown - self._covered) // 2  # the last of a budget, in pieces
            if grown < self._covered + LEAST_TOKENS:
                return False
        self._covered = grown
        self._slice = min(self._slice * 2, _LARGEST_SLICE)
        if self.extended is not None:
            self.extended(self.hold.amount_nanousd)
        return True
