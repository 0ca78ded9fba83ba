"""The same inference by a cheaper model, for those whose budget or spending wants that."""

import msgspec

from trimtab.config.schema import Rung
from trimtab.gateway.call import Call
from trimtab.spend.rates import RateCard

__all__ = ["card_of", "downgraded"]

_TOKENS = 1_000  # of input and of output each, by which models are compared


def downgraded(call: Call) -> Call:
    """The call with the model that its route names for this, or its cheapest one, and no other."""
    target = call.target
    rung = target.downgrade or min(target.rungs, key=lambda rung: _price(call, rung))
    # None of its rungs is the model that was asked for, so no answer is kept as that one's.
    changed = msgspec.structs.replace(target, rungs=(rung,), equals=0)
    return msgspec.structs.replace(call, target=changed)


def card_of(call: Call, rung: Rung) -> RateCard:
    """The prices of a model for a call, at the service tier that it asks for."""
    return call.serving.prices.card(rung, call.started_ns, call.request.service_tier or "")


def _price(call: Call, rung: Rung) -> int:
    return card_of(call, rung).hold_nanousd(_TOKENS, _TOKENS)
