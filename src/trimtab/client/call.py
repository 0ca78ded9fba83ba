"""One call of chat, as it is sent to the gateway or, while that is away, to a provider."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from trimtab.client.bundle import Kept
from trimtab.client.bundles import Wanted
from trimtab.errors import UsageError
from trimtab.prompts.fields import call_fields

__all__ = ["ChatCall", "RenderedPrompt", "plain", "rendered"]


class RenderedPrompt(NamedTuple):
    """A prompt, rendered in this process.

    Attributes:
        messages: as chat completions have them.
        config: the other fields of the call: parameters, tools, the output schema.
        model: alias or route that the prompt names.
        version: `v12`.
        hash: of the version.
        stale: the gateway could not be asked whether it is still this version.
    """

    messages: list[dict[str, Any]]
    config: dict[str, Any]
    model: str
    version: str
    hash: str
    stale: bool = False


class ChatCall(NamedTuple):
    """What a caller of chat says.

    Attributes:
        wanted: the prompt, or None for messages alone.
        variables: of the prompt.
        messages: the caller's own.
        model: alias or route; "" for the prompt's.
        stream: whether the answer comes in pieces.
        fields: all others of a chat completion.
    """

    wanted: Wanted | None
    variables: Mapping[str, Any]
    messages: Sequence[Mapping[str, Any]]
    model: str
    stream: bool
    fields: Mapping[str, object]

    def gateway_body(self) -> bytes:
        """The body for the gateway, which renders.

        Raises:
            UsageError: something is no JSON value.
        """
        body = self._own()
        if self.model:
            body["model"] = self.model
        if self.messages or self.wanted is None:
            body["messages"] = list(self.messages)
        if self.wanted is not None:
            prompt: dict[str, Any] = {"id": self.wanted.prompt, "variables": self.variables}
            if self.wanted.version:
                prompt["version"] = self.wanted.version
            body["prompt"] = prompt
        return _encoded(body)

    def fallback_body(self, kept: Kept | None, model: str) -> bytes:
        """The body for a provider, rendered here.

        Args:
            kept: the prompt's bundle; None for messages alone.
            model: the provider's own name of a model.

        Raises:
            RequestError: the variables do not fit.
            UsageError: something is no JSON value.
        """
        body = self._own()
        messages: list[Any] = list(self.messages)
        if kept is not None:
            prompt = rendered(kept, self.variables, messages=messages, fields=self.fields)
            body, messages = {**prompt.config, **body}, prompt.messages
        return _encoded({**body, "model": model, "messages": messages})

    def _own(self) -> dict[str, Any]:
        own: dict[str, Any] = dict(self.fields)
        if self.stream:
            own["stream"] = True
            own.setdefault("stream_options", {"include_usage": True})
        return own


def rendered(
    kept: Kept,
    variables: Mapping[str, Any],
    *,
    messages: Sequence[Mapping[str, Any]] = (),
    fields: Mapping[str, object] | None = None,
) -> RenderedPrompt:
    """Render a bundle as the gateway would.

    Args:
        kept: which one.
        variables: of the prompt.
        messages: the caller's own.
        fields: of the call; those of the prompt's config give way to them.

    Raises:
        RequestError: the variables do not fit.
        UsageError: something is no JSON value.
    """
    prompt, bundle = kept.prompt, kept.bundle
    return RenderedPrompt(
        messages=prompt.render(plain(variables)).with_own(plain(list(messages))),
        config=call_fields(prompt, fields or {}),
        model=bundle.model,
        version=bundle.version,
        hash=bundle.hash,
        stale=bundle.stale,
    )


def plain(value: Any) -> Any:  # noqa: ANN401 - a JSON value of any kind
    """A value as it arrives at a gateway: a tuple as a list, a date as its text.

    Raises:
        UsageError: it is no JSON value.
    """
    return msgspec.json.decode(_encoded(value))


def _encoded(value: Any) -> bytes:  # noqa: ANN401 - as above
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        # Its words name types; of a value that cannot be read they could show some.
        raise UsageError(
            f"Variables, messages and fields must be JSON values ({type(error).__name__}). Pass "
            "texts, numbers, lists and mappings with texts as keys."
        ) from None
