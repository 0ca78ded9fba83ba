"""What the official clients are held against: a gateway with a key, and a scripted provider."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from openai.types.chat import ChatCompletionMessageParam

from harness import PRICE, Gateway, project_text, running_gateway, trimtab, wait_until
from trimtab.store.records import Event, EventField, EventQuery
from trimtab.testing import (
    Behaviour,
    Call,
    RunningFaultProvider,
    Script,
    ToolCall,
    running_fault_provider,
)
from trimtab.testing import Event as StreamEvent

__all__ = [
    "HI",
    "IN_BAND",
    "MAX_BODY_BYTES",
    "RATE_LIMITED",
    "TOOLS",
    "TOO_LONG",
    "Service",
    "running",
    "saying",
]

_END_OF_TIME_NS = 2**62
MAX_BODY_BYTES = 100_000
TOOLS = (
    ToolCall(name="weather", arguments='{"city":"Zürich","days":3}', pieces=5),
    ToolCall(name="clock", arguments='{"zone":"CET"}', pieces=3, call_id="call_2"),
)
TOO_LONG = {
    "message": "This model's maximum context length is 8192 tokens.",
    "type": "invalid_request_error",
    "param": "messages",
    "code": "context_length_exceeded",
}
RATE_LIMITED = {
    "message": "Rate limit reached for requests",
    "type": "requests",
    "param": None,
    "code": "rate_limit_exceeded",
}
IN_BAND = {
    "message": "The server had an error while processing your request",
    "type": "server_error",
    "param": None,
    "code": None,
}
_FULL_USAGE = {
    "prompt_tokens": 1_003,
    "completion_tokens": 507,
    "total_tokens": 1_510,
    "prompt_tokens_details": {"cached_tokens": 401},
    "completion_tokens_details": {"reasoning_tokens": 300},
}
_FAILS = Behaviour(status=500)
_ENDLESS = Behaviour(tokens=10**9, token_every_s=0.002, honours_max_tokens=False)

# Each key is a model of the provider and, by the same name, an alias of the project.
BEHAVIOURS: dict[str, tuple[Behaviour, ...]] = {
    "tools": (Behaviour(tool_calls=TOOLS),),
    "parsed": (Behaviour(text='{"city":"Zürich","degrees":21}', tokens=7),),
    "costly": (Behaviour(usage=_FULL_USAGE),),
    "too-long": (Behaviour(status=400, error=TOO_LONG),),
    "busy": (Behaviour(status=429, headers={"retry-after": "7"}, error=RATE_LIMITED),),
    "broken": (_FAILS,),
    "missing": (Behaviour(status=404),),
    "conflicts": (Behaviour(status=409),),
    "rejects": (Behaviour(status=422),),
    "refuses-key": (Behaviour(status=401, error={"message": "Incorrect key: sk-ours"}),),
    "talks-html": (Behaviour(body="<html>"),),
    "flaky": (_FAILS, Behaviour(status=429, headers={"retry-after": "1"}), Behaviour()),
    "late": (Behaviour(first_token_after_s=60),),
    "stalls": (Behaviour(stall_after_tokens=5, stall_s=60),),
    "in-band-first": (Behaviour(events=(StreamEvent(at=0, data={"error": IN_BAND}, last=True),)),),
    "in-band": (Behaviour(events=(StreamEvent(at=6, data={"error": IN_BAND}, last=True),)),),
    "closed": (Behaviour(tokens=60, cut="close", cut_after_tokens=40),),
    "reset": (Behaviour(tokens=60, cut="reset", cut_after_tokens=40),),
    "ended": (Behaviour(tokens=60, cut="end", cut_after_tokens=40),),
    "empty": (Behaviour(tokens=0),),
    "endless": (_ENDLESS,),
    "silent": (Behaviour(first_token_after_s=60),),
}
_MORE = f"""
[providers.gone]
kind = "openai"
base_url = "http://127.0.0.1:9/v1"
[models.gone]
ref = "gone:gpt-test"
price = {PRICE}
[models.unpriced]
ref = "fake:a-model-without-a-price"
[routes.late-route]
model = "late"
timeouts = {{ttft_s = 0.2, total_s = 0.4}}
[routes.stalls-route]
model = "stalls"
timeouts = {{idle_s = 0.2}}
"""


class Service(NamedTuple):
    """A running gateway, the provider behind it, and a key to it."""

    gateway: Gateway
    provider: RunningFaultProvider
    key: str

    def event(self, inference_id: str) -> Event:
        """What is on record of an inference; waits until it is."""
        reader = self.gateway.reader()
        event: Event = wait_until(lambda: reader.event(inference_id))
        return event

    def events(self, session: str, count: int) -> list[Event]:
        """The `count` inferences of a session, the first one first; waits for them."""
        reader = self.gateway.reader()

        def found() -> list[Event]:
            where: dict[EventField, str] = {"session": session}
            query = EventQuery(since_ns=0, until_ns=_END_OF_TIME_NS, limit=100, where=where)
            return reader.event_page(query).events

        wait_until(lambda: len(found()) >= count)
        return sorted(found(), key=lambda event: event.started_ns)

    def calls(self, model: str) -> list[Call]:
        """What the provider was asked for `model`."""
        return [call for call in self.provider.calls if call.model == model]

    def wait_for_end(self, marker: str) -> str:
        """How the call that has `marker` in its body ended at the provider."""

        def ended_by() -> str:
            calls = [call for call in self.provider.calls if marker.encode() in call.body]
            assert len(calls) <= 1
            return calls[0].ended_by if calls else ""

        return str(wait_until(ended_by))


def saying(text: str) -> list[ChatCompletionMessageParam]:
    """Messages by which a call can be found again at the provider."""
    return [{"role": "user", "content": text}]


HI = saying("hi")


@contextmanager
def running(folder: Path) -> Generator[Service]:
    """A service for a `with` block; it takes no call without a key."""
    models = "".join(
        f'[models.{name}]\nref = "fake:{name}"\nprice = {PRICE}\n' for name in BEHAVIOURS
    )
    with running_fault_provider(Script(models=BEHAVIOURS)) as provider:
        text = project_text(
            provider.base_url, extra=models + _MORE, server=f"max_body_bytes = {MAX_BODY_BYTES}"
        )
        key = new_key(folder, text)
        with running_gateway(folder, text) as gateway:
            yield Service(gateway, provider, key)


def new_key(folder: Path, text: str) -> str:
    """The secret of a key made at the command line, as an operator makes it."""
    (folder / "trimtab.toml").write_text(text)
    made = trimtab("keys", "create", "clients", folder=folder)
    assert made.returncode == 0, made.stderr
    return next(word for word in made.stdout.split() if word.startswith("tt-"))
