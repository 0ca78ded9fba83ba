"""Every way in which a call can end, with who knows afterwards what it used."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from harness import NO_BREAKERS
from trimtab.testing import Behaviour, Event, Script, ToolCall
from whole.money import GPT_4O_MINI, GPT_AUDIO, HAIKU, ODD, SMALL, Rates

WHOLE: dict[str, Any] = {}
STREAM: dict[str, Any] = {"stream": True}
K = 5  # tokens before something happens to a stream
_TOOLS = (ToolCall(name="weather", pieces=6), ToolCall(name="time", pieces=2, call_id="call_2"))
_ERROR = {"error": {"message": "overloaded", "type": "overloaded_error", "code": "overloaded"}}
_FINISH: dict[str, Any] = {
    "id": "x",
    "object": "chat.completion.chunk",
    "model": "m",
    "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 77, "completion_tokens": K, "total_tokens": 77 + K},
}
_SILENCE_S = 60.0


class Case(NamedTuple):
    """One kind of call.

    Attributes:
        name: also the alias, and the model's name at the provider.
        source: who says what was used.
        frames: content frames relayed, where it is estimated.
        quit_after: tokens after which the caller closes; 0 as soon as the provider has the call.
        unseen: output tokens of a whole answer that never came whole, at least and at most; beside
            what the provider makes in the time that it was waited for.
        status: what the caller sees; 0 if nothing, None if either.
        ends: an answer with status 200 comes to its proper end.
        usage: reported in an inserted event, which the provider's log does not know.
    """

    name: str
    behaviour: Behaviour
    source: Literal["reported", "estimated", "none"]
    fields: dict[str, Any] = WHOLE
    rates: Rates = ODD
    frames: int = 0
    quit_after: int | None = None
    unseen: tuple[int, int] | None = None
    status: int | None = 200
    ends: bool = True
    timeouts: str = ""
    usage: dict[str, Any] | None = None

    @property
    def provider(self) -> str:
        return "fake" if self.rates.toml.startswith("price =") else "openaiish"


def _usage(prompt: int, completion: int, **details: dict[str, int]) -> dict[str, Any]:
    total = {"total_tokens": prompt + completion}
    return {"prompt_tokens": prompt, "completion_tokens": completion, **total, **details}


_ALL_PARTS = _usage(
    3_001,
    807,
    prompt_tokens_details={"cached_tokens": 1_203, "cache_write_tokens": 511, "audio_tokens": 77},
    completion_tokens_details={"reasoning_tokens": 333, "audio_tokens": 21},
)
_SPOKEN = _usage(
    901,
    405,
    prompt_tokens_details={"cached_tokens": 0, "audio_tokens": 404},
    completion_tokens_details={"reasoning_tokens": 0, "audio_tokens": 303},
)
_DEEPSEEK = _usage(1_000, 99) | {"prompt_cache_hit_tokens": 704, "prompt_cache_miss_tokens": 296}


def _reported() -> list[Case]:
    parts = Behaviour(usage=_ALL_PARTS)
    each = Behaviour(report_usage="each_chunk", tokens=9)
    return [
        Case("whole", Behaviour(), "reported"),
        Case("whole-small", Behaviour(tokens=3), "reported", rates=SMALL),
        Case("whole-two", Behaviour(), "reported", {"n": 2}),
        Case("whole-tools", Behaviour(tool_calls=_TOOLS), "reported"),
        Case("whole-parts", parts, "reported"),
        Case("whole-deepseek", Behaviour(usage=_DEEPSEEK), "reported"),
        Case("stream", Behaviour(), "reported", STREAM),
        Case("stream-two", Behaviour(), "reported", STREAM | {"n": 2}),
        Case(
            "stream-wanted",
            Behaviour(token_every_s=0.0005),
            "reported",
            STREAM | {"stream_options": {"include_usage": True}},
            rates=SMALL,
        ),
        Case("stream-tools", Behaviour(tool_calls=_TOOLS), "reported", STREAM),
        Case("stream-parts", parts, "reported", STREAM),
        Case("stream-always", Behaviour(report_usage="always"), "reported", STREAM, rates=SMALL),
        Case("stream-each", each, "reported", STREAM),
        Case("stream-each-two", each, "reported", STREAM | {"n": 2}),
        Case(
            "stream-on-finish",
            Behaviour(
                tokens=K,
                report_usage="never",
                events=(Event(at=K + 1, data=_FINISH, replace=True),),
            ),
            "reported",
            STREAM,
            usage=_FINISH["usage"],
        ),
        Case("stream-undone", Behaviour(omit_done=True), "reported", STREAM),
        Case("retried", Behaviour(), "reported", status=None, ends=False),
        Case("gpt-4o-mini", Behaviour(usage=_ALL_PARTS), "reported", rates=GPT_4O_MINI),
        Case("mini-stream", Behaviour(), "reported", STREAM, rates=GPT_4O_MINI),
        Case("gpt-audio", Behaviour(usage=_SPOKEN), "reported", STREAM, rates=GPT_AUDIO),
        Case("claude-haiku-4-5", parts, "reported", rates=HAIKU),
    ]


def _broken_off_and_reported() -> list[Case]:
    """Usage came with each chunk, so the last one that came counts."""
    stalled = Behaviour(report_usage="each_chunk", stall_after_tokens=K, stall_s=_SILENCE_S)
    cut = Behaviour(report_usage="each_chunk", cut="close", cut_after_tokens=K)
    return [
        Case("each-quit", stalled, "reported", STREAM, quit_after=K),
        Case("each-quit-mini", stalled, "reported", STREAM, quit_after=K, rates=GPT_4O_MINI),
        Case("each-idle", stalled, "reported", STREAM, ends=False, timeouts="idle_s = 0.2"),
        Case("each-cut", cut, "reported", STREAM, ends=False),
    ]


def _estimated() -> list[Case]:
    mute = Behaviour(report_usage="never")
    stalled = Behaviour(stall_after_tokens=K, stall_s=_SILENCE_S)
    tools = Behaviour(tool_calls=_TOOLS, stall_after_tokens=K, stall_s=_SILENCE_S)
    late = Behaviour(headers_after_s=_SILENCE_S)
    cut = Behaviour(cut="close", cut_after_tokens=K)
    failing = Behaviour(events=(Event(at=K + 1, data=_ERROR, last=True),))

    def case(name: str, behaviour: Behaviour, fields: dict[str, Any], **more: Any) -> Case:
        return Case(name, behaviour, "estimated", fields, **more)

    return [
        case("mute", mute, WHOLE),
        case("mute-stream", mute, STREAM, frames=12),
        case("mute-stream-two", mute, STREAM | {"n": 2}, frames=24),
        case("quit", stalled, STREAM, frames=K, quit_after=K),
        case("quit-two", stalled, STREAM | {"n": 2}, frames=K, quit_after=K),
        case("quit-mini", stalled, STREAM, frames=K, quit_after=K, rates=GPT_4O_MINI),
        # The frame with the tool's name carries no argument, yet is content.
        case("quit-tools", tools, STREAM, frames=K + 1, quit_after=K),
        case("quit-early", late, STREAM, quit_after=0, status=0),
        case("quit-whole", late, WHOLE, quit_after=0, status=0, unseen=(0, 0)),
        case("idle", stalled, STREAM, frames=K, ends=False, timeouts="idle_s = 0.2"),
        case("ttft", late, STREAM, status=504, timeouts="ttft_s = 0.2"),
        case("total", late, WHOLE, status=504, timeouts="total_s = 0.2", unseen=(0, 0)),
        case("cut", cut, STREAM, frames=K, ends=False),
        # That many tokens came, and JSON around them, of which nobody knows how many it is.
        case("cut-whole", cut, WHOLE, status=502, unseen=(K, 10 * K)),
        case("in-band", failing, STREAM, frames=K, ends=False),
    ]


def _free() -> list[Case]:
    at_once = Event(at=0, data=_ERROR, last=True)

    def case(status: int, seen: int, **fields: bool) -> Case:
        name = f"error-{status}-{'stream' if fields else 'whole'}"
        return Case(name, Behaviour(status=status), "none", dict(fields), status=seen)

    return [
        case(500, 500),
        case(500, 500, stream=True),
        case(429, 429),
        case(429, 429, stream=True),
        case(400, 400),
        case(401, 502),
        Case("reset", Behaviour(cut="reset"), "none", status=502),
        Case("in-band-first", Behaviour(events=(at_once,)), "none", STREAM, status=502),
        Case("in-band-whole", Behaviour(error=_ERROR["error"]), "none", status=502),
    ]


CASES = [*_reported(), *_broken_off_and_reported(), *_estimated(), *_free()]
SCRIPT = Script(
    models={case.name: (case.behaviour,) for case in CASES}
    | {"retried": tuple(Behaviour(cut="reset") if i % 2 else Behaviour() for i in range(999))}
)


def case_project(base_url: str) -> str:
    """A project with each case as a model, and as a route where it has limits of its own."""
    lines = [
        "[server]",
        "port = 0",
        "[routes.default]",
        "retries = 0",  # each case is about one call
        NO_BREAKERS,
        *(
            f'[providers.{name}]\nkind = "openai"\nbase_url = "{base_url}"'
            for name in ("fake", "openaiish")
        ),
    ]
    for case in CASES:
        lines += [f'[models."{case.name}"]', f'ref = "{case.provider}:{case.name}"']
        lines += [case.rates.toml]
        if case.timeouts:
            lines += [f'[routes."{case.name}-route"]', f'model = "{case.name}"']
            lines += [f"timeouts = {{{case.timeouts}}}"]
    return "\n".join(lines)


def enough(case: Case) -> Callable[[int], bool]:
    """Whether to read on after so many tokens."""
    return lambda tokens: case.quit_after is None or tokens < case.quit_after
