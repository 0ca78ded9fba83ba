"""How many tokens bytes can be: bounds for holds, learnt from what a model's provider reports.

Nobody but the provider can count its tokens. What is certain is that each token of a text is at
least one byte of it; that bound would hold four times too much. So small letters and spaces, of
which words are made, count half, and all else counts whole: numbers, code and other scripts can be
a token a byte. From there a bound follows what is reported: it rises at once when a report comes
near it, and falls only after many, never below where it began, since the next request may be of
another kind than the last ones.
"""

import re
from typing import Final

from msgspec import Struct

__all__ = ["Bounds", "RequestSize", "size_of"]

_OF_WORDS: Final = b"abcdefghijklmnopqrstuvwxyz "
_PER_CALL: Final = 32  # tokens that a provider's template adds, and what rounds badly if short
_IMAGE_TOKENS: Final = 2_000  # for each time that the word stands there: mostly twice per image
_IMAGE: Final = b'"image_url"'
# An unescaped quote cannot occur inside a JSON string, so this is no text that somebody wrote.
_INLINE_IMAGE: Final = re.compile(
    rb'("url"\s*:\s*"data:image/[\w.+-]+;base64,)[A-Za-z0-9+/=]+(?=")'
)

_FIRST_RATIO: Final = 1.0  # tokens per unit before anything is known
_BYTES_PER_TOKEN: Final = 3  # of output, before anything is known; more in most languages
_MOST_BYTES_PER_TOKEN: Final = 8  # of output, on the whole
_INPUT_MARGIN: Final = 1.25
_FRAME_MARGIN: Final = 1.1
_FEWEST: Final = 20  # reports before a bound may fall
_RESERVE: Final = 16  # output tokens that may be on their way at any time; at least
_BURSTS: Final = 64  # looks after which a burst is mostly forgotten
_FIRST_BURST: Final = 32  # frames with one read, before anything is known


class RequestSize(Struct, frozen=True, gc=False):
    """How large a request is, as far as bytes tell. Made by `size_of`, once for each request.

    Attributes:
        units: half a one for each byte of words, a whole one for each other byte. The bytes of
            inline images are no text and count nothing.
        beside: input tokens that no text stands for.
    """

    units: int
    beside: int


def size_of(body: bytes) -> RequestSize:
    """The size of a request."""
    beside = _PER_CALL + body.count(_IMAGE) * _IMAGE_TOKENS
    if beside > _PER_CALL and b";base64," in body:
        body = _INLINE_IMAGE.sub(rb"\1", body)
    other = len(body.translate(None, _OF_WORDS))
    return RequestSize((len(body) + other + 1) // 2, beside)


class Bounds:
    """What is known of one model at one provider.

    Attributes:
        hides: it produces output that is not shown, so that what is seen bounds nothing. Declared
            by the project, or learnt; taken for granted until a first stream has shown otherwise.
    """

    __slots__ = (
        "_burst",
        "_frame_ratio",
        "_frame_reports",
        "_input_ratio",
        "_input_reports",
        "_told",
        "_whole_frames",
        "hides",
    )

    def __init__(self, *, hides: bool | None = None) -> None:
        self._told = hides is not None
        self.hides = True if hides is None else hides
        self._input_ratio = _FIRST_RATIO
        self._input_reports = _Most(_INPUT_MARGIN)
        self._frame_ratio: float | None = None  # tokens per frame; None before anything is known
        self._frame_reports = _Most(_FRAME_MARGIN)
        self._burst = float(_FIRST_BURST)
        self._whole_frames: bool | None = None  # no token was in two frames; None: who knows

    @property
    def reserve(self) -> int:
        """Output tokens that may be on their way unseen when a stream is looked at.

        Who is kept from reading for a moment, by a busy machine or a slow caller, finds many at
        once, and may find as many again after the next look, and some more.
        """
        return max(_RESERVE, int(2 * self._burst * (self._frame_ratio or _FIRST_RATIO)))

    def input_tokens(self, size: RequestSize) -> int:
        """The most input tokens that a request can be."""
        return int(size.units * self._input_ratio) + size.beside

    def shown_tokens(self, frames: int, content_bytes: int) -> int:
        """The most output tokens that what was seen of a stream can be."""
        if self._frame_ratio is None:
            return max(frames, content_bytes // _BYTES_PER_TOKEN)
        return max(frames, min(content_bytes, int(frames * self._frame_ratio) + 1))

    def least_tokens(self, frames: int, content_bytes: int) -> int:
        """The fewest output tokens that what was seen of a stream can be."""
        return frames if self._whole_frames else min(frames, content_bytes // _MOST_BYTES_PER_TOKEN)

    def frames_within(self, tokens: int) -> int:
        """How many more frames can come before so many tokens can have; at least 1."""
        if self._frame_ratio is None:
            return 1
        return max(1, int(tokens / self._frame_ratio))

    def learn_input(self, size: RequestSize, tokens: int) -> None:
        """A provider reported the input tokens of a request."""
        seen = (tokens - size.beside) / (size.units or 1)
        self._input_ratio = self._input_reports.bound(seen, self._input_ratio)

    def learn_burst(self, frames: int) -> None:
        """So many frames of a stream came with one read."""
        self._burst = max(frames, self._burst + (frames - self._burst) / _BURSTS)

    def learn_shown(self, tokens: int, *, reasoning: int, frames: int, content_bytes: int) -> None:
        """A provider reported the output tokens of a stream that was seen to its end."""
        hidden = reasoning > 0 or tokens > content_bytes + _PER_CALL
        if not self._told:
            self.hides = hidden
            self._told = hidden  # what was hidden once may be hidden again
        if hidden or not frames:
            return
        self._whole_frames = self._whole_frames is not False and tokens >= frames
        known = self._frame_ratio or _FIRST_RATIO
        self._frame_ratio = self._frame_reports.bound(max(1.0, tokens / frames), known)


class _Most:
    """The largest of the latest reports, in two halves so that an old one is forgotten."""

    __slots__ = ("_before", "_count", "_margin", "_now")

    def __init__(self, margin: float) -> None:
        self._margin = margin
        self._before = 0.0
        self._now = 0.0
        self._count = 0

    def bound(self, seen: float, present: float) -> float:
        """What a bound becomes by a report; one below 0 counts as 0."""
        self._count += 1
        if seen > self._now:
            self._now = seen
        elif 1 < self._count < _FEWEST:
            return present  # nearly always: no more than an earlier one, and none is forgotten
        wanted = max(max(self._before, self._now) * self._margin, _FIRST_RATIO)
        if self._count >= _FEWEST:
            self._before, self._now, self._count = self._now, 0.0, 0
        elif self._before == 0.0:
            return max(present, wanted)
        return wanted
