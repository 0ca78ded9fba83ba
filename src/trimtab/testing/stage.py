"""What the connections of one fault provider share."""

import asyncio
from typing import Any

import msgspec

from trimtab.testing.answer import Ask
from trimtab.testing.calls import CallLog
from trimtab.testing.plan import Plan, plan_answer
from trimtab.testing.script import Behaviour
from trimtab.testing.turns import Turns

__all__ = ["ChatRequest", "Stage"]

_MOST_PLANS = 512


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = False


class _Message(msgspec.Struct):
    role: str = ""
    content: Any = None


_decode_messages = msgspec.json.Decoder(list[_Message]).decode


class ChatRequest(msgspec.Struct):
    """The fields of a chat request that decide about the answer."""

    model: str = ""
    messages: msgspec.Raw = msgspec.Raw(b"[]")
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    n: int | None = 1
    max_tokens: int | None = None
    max_completion_tokens: int | None = None

    def ask(self, body_bytes: int) -> Ask:
        """The same for planning; a prompt has a token for every four bytes of the body."""
        return Ask(
            model=self.model,
            streamed=bool(self.stream),
            usage_wanted=bool(self.stream_options and self.stream_options.include_usage),
            n=self.n or 1,
            max_tokens=self.max_completion_tokens or self.max_tokens,
            prompt_tokens=max(1, body_bytes // 4),
            prefill=_prefill_of(bytes(self.messages)),
        )


def _prefill_of(messages: bytes) -> str:
    """The text of the last message, if it is the assistant's: the beginning of the answer."""
    if b'"assistant"' not in messages:  # nearly always, and cheaper than decoding
        return ""
    *_, last = _decode_messages(messages)
    return last.content if last.role == "assistant" and isinstance(last.content, str) else ""


class Stage:
    """Script, calls and tasks of one provider.

    Args:
        turns: chooses behaviours.
        log: takes calls.
        tasks: runs the answers that take time.
        seed: chooses the words.
    """

    def __init__(self, turns: Turns, log: CallLog, tasks: asyncio.TaskGroup, *, seed: int) -> None:
        self.turns = turns
        self.log = log
        self.tasks = tasks
        self.connections: set[Any] = set()
        self._seed = seed
        self._plans: dict[tuple[int, Ask], Plan] = {}

    def plan(self, behaviour: Behaviour, ask: Ask) -> Plan:
        """The plan for an answer, from memory if the same was asked before."""
        key = (id(behaviour), ask)  # turns keep all behaviours alive; they are not hashable
        plan = self._plans.get(key)
        if plan is None:
            plan = plan_answer(behaviour, ask, self._seed)
            if plan.reusable:
                if len(self._plans) >= _MOST_PLANS:
                    self._plans.clear()
                self._plans[key] = plan
        return plan

    def model_list(self) -> dict[str, Any]:
        """The answer to `GET /models`."""
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "trimtab"}
            for name in self.turns.models()
        ]
        return {"object": "list", "data": models}
