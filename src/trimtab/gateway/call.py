"""Everything about an inference that is known before a provider is called."""

import msgspec

from trimtab.config.schema import Target
from trimtab.gateway.serving import Serving
from trimtab.providers.wire.chat_request import ChatRequest
from trimtab.spend.estimate import estimate_tokens
from trimtab.spend.rates import RateCard
from trimtab.types.identity import Caller
from trimtab.types.records import Cause, Intent

__all__ = ["Call"]


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One inference, resolved.

    Attributes:
        started_ns: UTC nanoseconds at which it began, for the record.
        begun_s: monotonic seconds at which it began, for its limits.
        body: the caller's bytes.
        tried_before: the caller's client says that it tries this again by itself.
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

    def intent(
        self, *, place: int, number: int, cause: Cause, card: RateCard, now_s: float
    ) -> Intent:
        """The ledger entry that announces an attempt.

        Args:
            place: the rung that is called.
            number: 1 for the first attempt.
            cause: why it is made.
            card: its prices.
            now_s: monotonic seconds.
        """
        rung = self.target.rungs[place]
        output_limit = self.request.output_limit(rung.max_output_tokens)
        return Intent(
            inference_id=self.inference_id,
            attempt=number,
            started_ns=self.started_ns,
            caller=self.caller,
            route=self.target.route,
            alias=self.request.model,
            provider=rung.ref.provider,
            model=rung.ref.model,
            streamed=bool(self.request.stream),
            hold_nanousd=card.hold_nanousd(self.input_estimate, output_limit),
            price_version=card.version,
            after_us=int((now_s - self.begun_s) * 1e6) if number > 1 else 0,
            cause=cause,
            rung=place,
        )
