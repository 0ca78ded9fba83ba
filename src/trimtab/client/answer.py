"""What chat gives back."""

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import msgspec

from trimtab.errors import ProviderGarbage

__all__ = ["Answer", "Told", "answer_of", "read_object"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer.

    Attributes:
        text: of the first choice; "" where there is none, as beside tool calls.
        usage: tokens as the provider counts them, `{"prompt_tokens": ...}`; None if nobody said.
        cost_nanousd: what it cost; None of a stream, and of a provider that was asked directly.
        prompt_version: `v12`; "" without a prompt.
        inference_id: by which the gateway's console and ledger know it; "" without a gateway.
        served_model: the model that really answered.
        raw: the answer as chat completions have it, tool calls and finish reason included; of a
            stream, its chunks put together.
        stale: the gateway was away: rendered here, from the last good files, and answered by the
            fallback provider.
    """

    text: str
    usage: dict[str, Any] | None
    cost_nanousd: int | None
    prompt_version: str
    inference_id: str
    served_model: str
    raw: dict[str, Any]
    stale: bool = False

    def json(self) -> Any:  # noqa: ANN401 - whatever the prompt's output schema says
        """The text as JSON, for prompts with an output schema.

        Raises:
            ProviderGarbage: it is not JSON.
        """
        try:
            return msgspec.json.decode(self.text)
        except (msgspec.DecodeError, RecursionError):
            raise ProviderGarbage(
                "The answer is not JSON. Give the prompt an output schema, and look at `text`: a "
                "finish_reason of length means that max_tokens is too small."
            ) from None


class Told(NamedTuple):
    """What is known of an answer beside its body.

    Attributes:
        headers: of the reply, names in lower case.
        prompt_version: of what was rendered here; "" to read it from the headers.
        stale: it came from the fallback provider.
    """

    headers: Mapping[str, str]
    prompt_version: str = ""
    stale: bool = False


def read_object(body: bytes) -> dict[str, Any]:
    """The body of an answer.

    Raises:
        ProviderGarbage: it is not a JSON object.
    """
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ProviderGarbage("The answer is not a chat completion. Check base_url.") from None


def answer_of(raw: dict[str, Any], told: Told) -> Answer:
    """The answer from its JSON and its headers."""
    # Of headers of a provider that was called directly nothing is believed to be a gateway's.
    headers: Mapping[str, str] = {} if told.stale else told.headers
    cost = headers.get("x-trimtab-cost-nanousd", "")
    usage = raw.get("usage")
    return Answer(
        text=_text(raw),
        usage=cast("dict[str, Any]", usage) if isinstance(usage, dict) else None,
        cost_nanousd=int(cost) if cost.isascii() and cost.isdigit() else None,
        prompt_version=told.prompt_version or _version(headers.get("x-trimtab-prompt", "")),
        inference_id=headers.get("x-request-id", ""),
        served_model=headers.get("x-trimtab-served-model") or str(raw.get("model") or ""),
        raw=raw,
        stale=told.stale,
    )


def _version(prompt: str) -> str:
    """`v12` of `support/triage@v12`."""
    return prompt.rpartition("@")[2] if "@" in prompt else ""


def _text(raw: Mapping[str, Any]) -> str:
    try:
        content: object = raw["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""
