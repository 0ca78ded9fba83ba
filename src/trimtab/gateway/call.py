"""Everything about an inference that is known before a provider is called."""

import msgspec

from trimtab.config.schema import Rung, Target
from trimtab.gateway.serving import Serving, Upstream
from trimtab.providers.wire.chat_request import ChatRequest
from trimtab.providers.wire.chat_stream import ChatStream
from trimtab.spend.estimate import estimate_tokens
from trimtab.spend.rates import RateCard
from trimtab.types.clock import Clock
from trimtab.types.identity import Caller
from trimtab.types.records import Intent

__all__ = ["Call"]


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One inference, resolved.

    Attributes:
        started_ns: UTC nanoseconds at which it began, for the record.
        begun_s: monotonic seconds at which it began, for its limits.
        body: the caller's bytes.
        card: the prices of its hold.
    """

    inference_id: str
    started_ns: int
    begun_s: float
    caller: Caller
    request: ChatRequest
    body: bytes
    target: Target
    rung: Rung
    upstream: Upstream
    card: RateCard
    serving: Serving

    @property
    def input_estimate(self) -> int:
        """Input tokens by the estimate."""
        return estimate_tokens(len(self.body))

    @property
    def keeps_bodies(self) -> bool:
        """Whether the project records texts."""
        return self.serving.project.recording.bodies == "full"

    def intent(self, attempt: int, clock: Clock) -> Intent:
        """The ledger entry that announces attempt number `attempt`."""
        target = self.target
        output_limit = self.request.output_limit(self.rung.max_output_tokens)
        return Intent(
            inference_id=self.inference_id,
            attempt=attempt,
            started_ns=self.started_ns,
            caller=self.caller,
            route=target.route,
            alias=self.request.model,
            provider=self.rung.ref.provider,
            model=self.rung.ref.model,
            streamed=bool(self.request.stream),
            hold_nanousd=self.card.hold_nanousd(self.input_estimate, output_limit),
            price_version=self.card.version,
            after_us=int((clock.monotonic_s() - self.begun_s) * 1e6) if attempt > 1 else 0,
        )

    def new_stream(self) -> ChatStream | None:
        """A reader for the stream, if the caller wants one."""
        if not self.request.stream:
            return None
        return ChatStream(choices=self.request.choices, keep_usage=self.request.wants_usage)
