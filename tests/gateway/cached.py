"""Answers to keep, a store in memory to keep them in, and whose they are."""

from typing import Any

from trimtab.config.schema import Rung
from trimtab.store.answers import CachedAnswer
from trimtab.types.refs import ModelRef
from trimtab.types.usage import Usage

STREAM = (
    b'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
    b'data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n'
    b"data: [DONE]\n\n"
)
RUNG = Rung(alias="smart", ref=ModelRef("openai", "gpt-5-mini"), max_output_tokens=100)


def answer(created_ns: int, **changes: Any) -> CachedAnswer:
    values: dict[str, Any] = {
        "streamed": True,
        "body": STREAM,
        "provider": "openai",
        "model": "gpt-5-mini",
        "served_model": "gpt-5-mini-2026-08-07",
        "finish_reason": "stop",
        "usage": Usage(input_tokens=3, output_tokens=1),
        "cost_nanousd": 1_200,
        "provider_request_id": "req_1",
        "created_ns": created_ns,
    }
    return CachedAnswer(**(values | changes))


class MemoryStore:
    """Implements `trimtab.store.protocol.AnswerStore`."""

    def __init__(self) -> None:
        self.most_bytes = 0
        self.dropped = 0
        self.kept: dict[bytes, CachedAnswer] = {}
        self.full = False
        self.loads = 0
        self.closed = False

    def stamps(self, most: int) -> list[tuple[bytes, int]]:
        return [(key, kept.created_ns) for key, kept in self.kept.items()][-most:]

    def load(self, key: bytes) -> CachedAnswer | None:
        self.loads += 1
        return self.kept.get(key)

    def put(self, key: bytes, answer: CachedAnswer) -> bool:
        if self.full:
            self.dropped += 1
            return False
        self.kept[key] = answer
        return True

    def forget_before(self, created_ns: int) -> None:
        self.kept = {k: kept for k, kept in self.kept.items() if kept.created_ns >= created_ns}

    def close(self) -> None:
        self.closed = True
