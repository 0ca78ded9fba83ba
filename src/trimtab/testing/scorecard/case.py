"""One case of a row: what two providers do, and what the project says about them."""

from collections.abc import Mapping

import msgspec

from trimtab.testing.answer import Answer, Ask
from trimtab.testing.script import Behaviour

__all__ = ["HEALTHY", "Case", "scaled", "well_again", "whole_text"]

HEALTHY = (Behaviour(),)
_SAYABLE = 4096  # a longer answer never ends, so none of it is the whole


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A route of its own, with models of its own, so that no other case disturbs it.

    Times are those of the table; a scaled run multiplies them.

    Attributes:
        name: tells the cases of a row apart; "" for the usual one.
        primary: what the first model does.
        spare: what the fallback does; () for a route without one.
        at: the provider table of the first model.
        windows: context tokens of the two models, where the project declares them.
        continues: the project says that the fallback goes on from an assistant message.
        timeouts: limits of the route in seconds, where they differ from the baseline.
        policy: further lines of the route.
        texts: whole answers beside those that the behaviours would say.
    """

    name: str = ""
    primary: tuple[Behaviour, ...] = HEALTHY
    spare: tuple[Behaviour, ...] = HEALTHY
    at: str = "primary"
    windows: tuple[int, int] | None = None
    continues: bool = False
    timeouts: Mapping[str, float] = {}
    policy: str = ""
    texts: tuple[str, ...] = ()

    @property
    def whole_texts(self) -> frozenset[str]:
        """What a complete answer may say."""
        behaviours = (*self.primary, *self.spare, well_again(self))
        said = [whole_text(b.tokens) for b in behaviours if b.tokens <= _SAYABLE]
        return frozenset((*said, *self.texts))


def well_again(case: Case) -> Behaviour:
    """The first model without its fault: an answer as long as it was to be."""
    tokens = case.primary[-1].tokens
    return Behaviour(tokens=tokens) if tokens <= _SAYABLE else Behaviour()


def whole_text(tokens: int, *, without: int | None = None) -> str:
    """Everything that a behaviour of so many tokens says, perhaps without one of them."""
    words = Answer(Behaviour(tokens=tokens), Ask("m"), 0).words()
    return "".join(word for place, word in enumerate(words) if place != without)


def scaled(behaviour: Behaviour, scale: float) -> Behaviour:
    """The same behaviour with all its times multiplied."""
    return msgspec.structs.replace(
        behaviour,
        headers_after_s=behaviour.headers_after_s * scale,
        first_token_after_s=behaviour.first_token_after_s * scale,
        token_every_s=behaviour.token_every_s * scale,
        stall_s=behaviour.stall_s * scale,
        end_after_s=behaviour.end_after_s * scale,
        for_s=None if behaviour.for_s is None else behaviour.for_s * scale,
    )
