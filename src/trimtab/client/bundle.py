"""The files of one version of a prompt, checked against its hash."""

from typing import NamedTuple

import msgspec

from trimtab.client.failures import GatewayGarbage
from trimtab.errors import ConfigError
from trimtab.prompts.parse import parse_prompt
from trimtab.prompts.prompt import Prompt
from trimtab.types.records import Arm

__all__ = ["Bundle", "Kept", "read_bundle"]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a prompt, with all that is needed to render it.

    Attributes:
        prompt: its id.
        version: `v12`, or `v13-draft`.
        hash: SHA-256 of all that changes behaviour.
        model: alias or route that the prompt names.
        pin: `provider:model` that the release makes of it; "" for none.
        environment: from which it was served; "" for the files as they are.
        arm: why this version: released, canary, draft, or asked.
        files: texts by name below `prompts/`.
        stale: the gateway could not be asked whether it is still this one.
    """

    prompt: str
    version: str
    hash: str
    model: str
    environment: str
    arm: Arm
    files: dict[str, str]
    pin: str = ""
    stale: bool = False


class Kept(NamedTuple):
    """A bundle that was checked.

    Attributes:
        bundle: as the gateway sent it.
        prompt: what its files say.
        tag: by which the gateway knows it again.
    """

    bundle: Bundle
    prompt: Prompt
    tag: str


def read_bundle(body: bytes, prompt_id: str, tag: str) -> Kept:
    """A bundle as the gateway sends it.

    Raises:
        GatewayGarbage: it is none, is another prompt's, or its files do not have its hash.
    """
    try:
        bundle = msgspec.json.decode(body, type=Bundle)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _damaged(prompt_id, "are not there") from None
    if bundle.prompt != prompt_id:
        raise _damaged(prompt_id, "are another prompt's")
    try:
        prompt = parse_prompt(prompt_id, bundle.files.get)
    except ConfigError as error:
        raise _damaged(prompt_id, "cannot be read") from error
    if prompt.version_hash != bundle.hash:
        raise _damaged(prompt_id, "do not have the hash that comes with them")
    return Kept(msgspec.structs.replace(bundle, stale=False), prompt, tag)


def _damaged(prompt_id: str, problem: str) -> GatewayGarbage:
    return GatewayGarbage(
        f"The files of prompt {prompt_id[:80]!r} {problem}. Client and gateway may be of versions "
        "of trimtab that do not fit; update the older one."
    )
