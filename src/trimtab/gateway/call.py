"""Everything about an inference that is known before a provider is called."""

import msgspec

from trimtab.config.schema import Target
from trimtab.gateway.form import Form
from trimtab.gateway.serving import Serving
from trimtab.providers.wire.chat_request import ChatRequest
from trimtab.spend.estimate import estimate_tokens
from trimtab.types.identity import Caller
from trimtab.types.records import PromptUse

__all__ = ["Call"]


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One inference, resolved.

    Attributes:
        started_ns: UTC nanoseconds at which it began, for the record.
        begun_s: monotonic seconds at which it began, for its limits.
        body: the caller's bytes, or what a prompt made of them.
        asked: the caller's bytes where a prompt made others of them; else None.
        exact: answered as it stands or not at all: no budget shortens it or turns elsewhere.
        tried_before: the caller's client says that it tries this again by itself.
        mark: what this request is recognised by if the user sends it again; 0 for not at all.
        repeat: the same user sent the same messages not long ago, and had an answer.
        prompt: what the messages were rendered from; None for the caller's own.
        form: what the answer must be; None where it may be anything.
    """

    inference_id: str
    started_ns: int
    begun_s: float
    caller: Caller
    request: ChatRequest
    body: bytes
    target: Target
    serving: Serving
    tried_before: bool = False
    mark: int = 0
    repeat: bool = False
    prompt: PromptUse | None = None
    form: Form | None = None
    asked: bytes | None = None
    exact: bool = False

    @property
    def input_estimate(self) -> int:
        """Input tokens by the estimate."""
        return estimate_tokens(len(self.body))

    @property
    def keeps_bodies(self) -> bool:
        """Whether the project records texts."""
        return self.serving.project.recording.bodies == "full"

    @property
    def may_continue(self) -> bool:
        """Whether another call could go on with a stream of this one that broke."""
        return (
            bool(self.request.stream)
            and self.target.policy.on_break == "continue"
            and self.request.choices == 1
            and any(rung.continues for rung in self.target.rungs)
        )
