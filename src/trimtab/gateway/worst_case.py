"""What a call may cost at most, before it begins."""

from trimtab.gateway.call import Call
from trimtab.gateway.downgrade import card_of

__all__ = ["most_nanousd"]


def most_nanousd(call: Call) -> int:
    """Nano-dollars of all its attempts, each at the dearest of its models and at full length."""
    attempts = len(call.target.rungs) * (1 + call.target.policy.retries)
    # Bytes of the request bound its tokens.
    return attempts * max(
        card_of(call, rung).hold_nanousd(
            len(call.body), call.request.output_limit(rung.max_output_tokens)
        )
        for rung in call.target.rungs
    )
