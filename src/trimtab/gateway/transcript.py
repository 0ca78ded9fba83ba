"""What is said in one inference, over all its attempts: to providers, and to the caller."""

from trimtab.gateway.attempt import Attempt
from trimtab.gateway.call import Call
from trimtab.gateway.form import Formed, judge_frames, judge_whole, repair_request
from trimtab.gateway.relay import MAX_KEPT_BYTES
from trimtab.providers.wire.chat_continue import continuation_body, shown_text
from trimtab.providers.wire.chat_name import model_field, renamed
from trimtab.providers.wire.chat_request import limited_body, upstream_body
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.types.records import Cause

__all__ = ["Transcript"]


class Transcript:
    """Bytes in, bytes out.

    Attributes:
        shown_bytes: size of the text that a next attempt would go on with; 0 where none would.
    """

    # Until a stream breaks and another one takes over.
    _shown: tuple[bytes, ...] = ()
    _shown_tokens = 0
    shown_bytes = 0
    _text = ""
    _first_token_s: float | None = None

    def __init__(self, call: Call, *, kept: bool = False) -> None:
        self._call = call
        self._kept = kept
        self._body = call.body

    @property
    def keeps(self) -> bool:
        """What a stream shows is kept: for the record, the cache, or to go on from it."""
        call = self._call
        return self._kept or call.keeps_bodies or call.may_continue or call.form is not None

    # ------------------------------------------------------------ to a provider

    def request(self, attempt: Attempt) -> bytes:
        """What an attempt sends: the caller's request, or one that goes on with what was shown."""
        body, request = self._body, self._call.request
        if attempt.step.cause == "continue":
            continued = continuation_body(
                body, request, text=self._text, shown_tokens=self._shown_tokens
            )
            assert continued is not None, "`take_over` has seen that it can be"
            body = continued
        body = upstream_body(body, request, attempt.rung.ref.model)
        grant = attempt.grant
        if grant is not None and grant.limit_tokens is not None:
            field = attempt.upstream.limit_field
            body = limited_body(body, request, grant.limit_tokens, field=field)
        return attempt.upstream.request(body)

    def repair(self, formed: Formed) -> None:
        """The next attempt asks for the answer once more."""
        self._body = repair_request(self._call.body, formed)

    def formed(self, attempt: Attempt) -> Formed:
        """Whether an answer that has come to its end has the form that it must have."""
        form = self._call.form
        if form is None:
            return Formed("")
        if attempt.stream is None:
            return judge_whole(attempt.body, form)
        if attempt.kept is None:
            return Formed("")
        return judge_frames(b"".join([*self._shown, attempt.kept]), form)

    def new_stream(self, cause: Cause) -> ChatStream:
        """A reader for the stream that the caller wants."""
        request = self._call.request
        return ChatStream(
            choices=request.choices,
            keep_usage=request.wants_usage,
            shown_tokens=self._shown_tokens if cause == "continue" else 0,
        )

    def take_over(self, attempt: Attempt) -> bool:
        """Remember what a broken stream has shown; True if another attempt can go on from it."""
        kept = attempt.kept
        text = shown_text(kept) if kept is not None else None
        if not text or kept is None or attempt.stream is None:
            return False
        text = self._text + text
        tokens = self._shown_tokens + attempt.stream.content_frames
        call = self._call
        if continuation_body(call.body, call.request, text=text, shown_tokens=tokens) is None:
            return False
        self._text, self._shown_tokens = text, tokens
        self.shown_bytes = len(text.encode())
        self._shown = (*self._shown, kept)
        self._first_token_s = self.first_token_s(attempt)
        return True

    # ------------------------------------------------------------ to the caller

    def whole(self, attempt: Attempt) -> bytes:
        """An answer that came whole, as the caller gets it."""
        if self._call.target.policy.answer_model == "served":
            return attempt.body
        assert attempt.answer is not None
        return self._named(attempt.body, attempt.answer.model or "")

    def tail(self, attempt: Attempt) -> bytes:
        """The end of a stream, as the caller gets it."""
        stream = attempt.stream
        assert stream is not None
        if self._call.target.policy.answer_model == "served":
            return stream.tail()
        return self._named(stream.tail(), stream.served_model)

    def new_name(self, attempt: Attempt) -> tuple[bytes, bytes] | None:
        """What frames of a stream have in them as the model's name, and what the caller gets."""
        stream = attempt.stream
        if stream is None or self._call.target.policy.answer_model == "served":
            return None
        return model_field(stream.served_model), model_field(self._call.request.model)

    def _named(self, answer: bytes, served_model: str) -> bytes:
        if not served_model:
            return answer
        return renamed(answer, model_field(served_model), model_field(self._call.request.model))

    def first_token_s(self, attempt: Attempt) -> float | None:
        """When the caller could see the first token of this answer; monotonic seconds."""
        if self._first_token_s is not None and attempt.step.cause == "continue":
            return self._first_token_s
        return attempt.first_token_s

    def said(self, attempt: Attempt, tail: bytes) -> bytes | None:
        """All that was shown of a stream, for the record; None where it is not known whole."""
        kept = attempt.kept
        if kept is None:
            return None
        whole = b"".join([*self._shown, kept, tail])
        return whole if len(whole) <= MAX_KEPT_BYTES else None
