"""`/console/inferences/ID`: one inference in full, and its bytes."""

import msgspec
from starlette.responses import Response

from trimtab.console.render import PAGE_HEADERS, Page
from trimtab.console.site import Answer, Asked, Site
from trimtab.errors import UnknownPath
from trimtab.insights.conversation import Conversation, Turn, read_conversation
from trimtab.looks.words import visible
from trimtab.store.records import AttemptRecord, Event

__all__ = ["Bar", "draw_bars", "inference_page", "raw_answer"]

_SHOWN_CHARACTERS = 20_000
_PARTS = {
    "text": "",
    "tool_call": "calls tool",
    "tool_result": "result of tool call",
    "reasoning": "reasoning",
    "refusal": "refusal",
    "attachment": "attachment",
}


class Bar(msgspec.Struct, frozen=True):
    """An attempt on the time line. All in thousandths of the whole width.

    Attributes:
        start, waiting, rest: before it began; until its first token; after it.
    """

    attempt: AttemptRecord
    start: int
    waiting: int
    rest: int


class _Said(msgspec.Struct, frozen=True):
    """A turn as it is shown: hidden characters written out, and cut in two where it is long."""

    kind: str
    who: str
    what: str
    name: str
    text: str
    more: str


def inference_page(site: Site) -> Answer:
    """All that is known of one inference."""

    def answer(asked: Asked) -> Page:
        inference_id = asked.parts["id"]
        event = site.reader.event(inference_id)
        attempts = site.reader.attempts(inference_id)
        if event is None and not attempts:
            raise _unknown(site, inference_id)
        whole_us = _whole_us(attempts, event)
        body = site.reader.body(inference_id)
        conversation = read_conversation(*body) if body is not None else Conversation()
        return Page(
            "inference.html",
            {
                "id": inference_id,
                "event": event,
                "bars": draw_bars(attempts, whole_us),
                "whole_ms": whole_us / 1000,
                "open": [attempt.attempt for attempt in attempts if not attempt.settled],
                "key_name": asked.key_name(event.key_id) if event is not None else "",
                "kept": body is not None,
                "sizes": (len(body[0]), len(body[1])) if body is not None else (0, 0),
                "conversation": conversation,
                "request": [_said(turn) for turn in conversation.request],
                "answer": [_said(turn) for turn in conversation.answer],
                "choices": len(conversation.finish_reasons),
                "live": event is None,
                "feedback": site.reader.feedback_on(inference_id),
            },
        )

    return answer


def raw_answer(site: Site) -> Answer:
    """The bytes of one side as plain text, which no browser takes for anything else."""

    def answer(asked: Asked) -> Response:
        body = site.reader.body(asked.parts["id"])
        side = {"request": 0, "response": 1}.get(asked.parts["side"])
        if body is None or side is None:
            raise UnknownPath(
                "These bytes were not kept, or are deleted. recording.bodies and "
                "recording.retention_days in trimtab.toml decide on that."
            )
        policy = "default-src 'none'; sandbox; frame-ancestors 'none'"
        headers = PAGE_HEADERS | {"content-security-policy": policy}
        return Response(body[side], 200, headers, "text/plain; charset=utf-8")

    return answer


def _unknown(site: Site, inference_id: str) -> UnknownPath:
    first_day = site.reader.first_day()
    kept = f"Inferences are kept from {first_day} on." if first_day else "Nothing is recorded yet."
    return UnknownPath(
        f"There is no inference {visible(inference_id[:80])}. {kept} Ids are in the header "
        "x-request-id of each answer, and in the list of inferences."
    )


def _whole_us(attempts: list[AttemptRecord], event: Event | None) -> int:
    """Length of the time line."""
    ends = [attempt.latency_us or attempt.after_us for attempt in attempts]
    return max([1, event.latency_us if event is not None else 0, *ends])


def draw_bars(attempts: list[AttemptRecord], whole_us: int) -> list[Bar]:
    """Attempts to one scale. Their times count from the start of the inference."""
    ends = [attempt.latency_us or attempt.after_us for attempt in attempts]
    bars: list[Bar] = []
    for attempt, end_us in zip(attempts, ends, strict=True):
        first_us = min(attempt.ttft_us if attempt.ttft_us is not None else end_us, end_us)
        first_us = max(first_us, attempt.after_us)  # the first token of a continuation is older
        start = attempt.after_us * 1000 // whole_us
        waiting = (first_us - attempt.after_us) * 1000 // whole_us
        rest = max(end_us - first_us, 0) * 1000 // whole_us
        bars.append(Bar(attempt, min(start, 996), max(waiting, 4), rest))
    return bars


def _said(turn: Turn) -> _Said:
    text = visible(turn.text)
    return _Said(
        kind="answer" if turn.role == "assistant" else "asked",
        who=f"{visible(turn.role)[:40]}{f', choice {turn.choice + 1}' if turn.choice else ''}",
        what=_PARTS[turn.part],
        name=visible(turn.name)[:200],
        text=text[:_SHOWN_CHARACTERS],
        more=text[_SHOWN_CHARACTERS:],
    )
