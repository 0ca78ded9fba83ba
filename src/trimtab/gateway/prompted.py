"""A request that names a prompt, as the request that it stands for."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from trimtab.config.schema import Project, Target
from trimtab.errors import MalformedRequest, PromptNotReleased
from trimtab.gateway.form import Form
from trimtab.prompts.fields import call_fields
from trimtab.prompts.prompt import Prompt
from trimtab.providers.wire.chat_request import (
    PROMPT_PREFIX,
    ChatRequest,
    PromptCall,
    filled_body,
    parse_request,
)
from trimtab.releases.serving import PromptDesk, Served
from trimtab.types.records import PromptUse

__all__ = ["Prompted", "pinned", "prompted", "prompted_as"]

_encode = msgspec.json.encode
_DROPPED: Final = frozenset(("prompt",))


class Prompted(NamedTuple):
    """What the request stands for.

    Attributes:
        body: a request of chat completions with the rendered messages.
        request: the same, read.
        use: for the record.
        pin: `provider:model` that must serve it; "" for whatever its model's name stands for.
        form: what the answer must be; None where it may be anything.
    """

    body: bytes
    request: ChatRequest
    use: PromptUse
    pin: str
    form: Form | None


def prompted(desk: PromptDesk, body: bytes, request: ChatRequest, *, who: str) -> Prompted:
    """Render the prompt that a request names.

    What the caller says beside it wins over what the prompt's config says.

    Args:
        desk: which versions are served.
        body: the caller's bytes.
        request: the same, read.
        who: the user, or what stands for one: gets the same version each time.

    Raises:
        RequestError: no such prompt or version, variables that do not fit, or a request that
            says two things at once.
    """
    named = _named(request)
    served = desk.serve(named.id, named.version or "", who)
    return prompted_as(desk, served, body=body, request=request)


def prompted_as(desk: PromptDesk, served: Served, *, body: bytes, request: ChatRequest) -> Prompted:
    """Render one version of the prompt that a request names.

    Raises:
        RequestError: as in `prompted`.
    """
    variables = _variables(_named(request), request, served)
    prompt = served.prompt
    own: list[msgspec.Raw] = (
        msgspec.json.decode(request.messages, type=list[msgspec.Raw]) if request.messages else []
    )
    messages = prompt.render(variables).with_own(own)
    model = request.model if _has_own_model(request) else prompt.behaviour.model
    filled = filled_body(
        body,
        put={"model": _encode(model), "messages": _encode(messages)},
        defaults=_defaults(prompt, request),
        drop=_DROPPED,
    )
    use = PromptUse(
        id=prompt.id,
        version=served.label,
        hash=prompt.version_hash,
        arm=served.arm,
        environment=desk.environment,
    )
    pin = "" if _has_own_model(request) else served.pin
    output = prompt.behaviour.output
    form = Form(output, prompt.behaviour.repair) if output is not None else None
    return Prompted(filled, parse_request(filled), use, pin, form)


def pinned(project: Project, target: Target, pin: str) -> Target:
    """The target with the pinned model first: what has another name takes over, but never begins.

    Raises:
        PromptNotReleased: the alias does not offer that model any more.
    """
    if not pin or (str(target.rungs[0].ref) == pin and target.equals <= 1):
        return target
    equals = target.rungs[: target.equals]
    first = [rung for rung in equals if str(rung.ref) == pin]
    if not first:
        raise PromptNotReleased(
            f"The release pins {pin}, which the model {target.rungs[0].alias!r} of "
            f"{project.file.name} does not offer: add it to `also`, or release the prompt anew."
        )
    others = [rung for rung in equals if rung != first[0]]
    same = [rung for rung in others if rung.ref.model == first[0].ref.model]
    further = [rung for rung in others if rung not in same]
    rungs = (*first, *same, *further, *target.rungs[target.equals :])
    return msgspec.structs.replace(target, rungs=rungs, equals=1 + len(same))


def _named(request: ChatRequest) -> PromptCall:
    """The prompt that a request names, in either way."""
    name = request.model.removeprefix(PROMPT_PREFIX)
    if name == request.model:
        assert request.prompt_call is not None
        return request.prompt_call
    if request.prompt_call is not None:
        raise MalformedRequest(
            "The request names a prompt twice: in `prompt` and in `model`. Keep one of them.",
            param="model",
        )
    prompt_id, _, version = name.partition("@")
    return PromptCall(prompt_id, version or None)


def _variables(named: PromptCall, request: ChatRequest, served: Served) -> Mapping[str, Any]:
    """What the caller gives; frameworks that pass no variables put them into the metadata."""
    if named.variables is not None or request.prompt_call is not None:
        return named.variables or {}
    schema = served.prompt.behaviour.input or {}
    metadata = request.metadata or {}
    return {name: metadata[name] for name in schema.get("properties", {}) if name in metadata}


def _has_own_model(request: ChatRequest) -> bool:
    return bool(request.model) and not request.model.startswith(PROMPT_PREFIX)


def _defaults(prompt: Prompt, request: ChatRequest) -> dict[str, bytes]:
    """The fields of the call for which a prompt has a word, if the caller has none."""
    fields = call_fields(prompt, request.limits)
    return {name: _encode(value) for name, value in fields.items()}
