"""What is compared: callers of the provider itself, and three projects in front of it."""

from typing import Literal, NamedTuple

from bench.contenders import CONTENDERS, OURS, Contender
from bench.tail_model import GENERATION_S, SCALE

__all__ = ["ARMS", "CALLER_LIMIT_S", "HEDGE_AT", "TTFT_S", "WAIT_S", "Arm"]

TTFT_S = 2.5
CALLER_LIMIT_S = 30.0
_TOTAL_S = 28.0
WAIT_S = TTFT_S + GENERATION_S  # what the goal of P99.9 is a multiple of
HEDGE_AT = 0.95  # the live percentile after which trimtab hedges
# A guard for bad days. Nearer to the 5 % of calls that are slower than their P95, it would refuse
# a hedge whenever chance brings a few slow calls together, and P99.9 is made of such calls.
_HEDGED_SHARE = 0.08

_PROVIDERS = """\
[providers.one]
kind = "openai"
base_url = "http://127.0.0.1:$provider/v1"
[providers.two]
kind = "openai"
base_url = "http://127.0.0.1:$provider/v1"
[providers.three]
kind = "openai"
base_url = "http://127.0.0.1:$provider/v1"
[models.primary]
ref = "one:primary"
price = {input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}
[models.second]
ref = "two:second"
price = {input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}
[models.third]
ref = "three:third"
price = {input_usd_per_mtok = 0.4, output_usd_per_mtok = 1.6}
"""


class Arm(NamedTuple):
    """One way to ask.

    Attributes:
        key: for names of files and the figure.
        title: for people.
        model: what callers write.
        breakers_and_route: the part of `trimtab.toml` that differs; "" where nothing is between.
        policy: what a computation without gateway has to follow.
        judged: the goals are about it.
    """

    key: str
    title: str
    model: str
    breakers_and_route: str = ""
    policy: Literal["none", "ladder", "hedged"] = "none"
    judged: bool = False

    @property
    def contender(self) -> Contender | None:
        """The gateway of this arm: `make bench`'s with another project; None for the direct one."""
        if not self.breakers_and_route:
            return None
        ours = next(one for one in CONTENDERS if one.name == OURS)
        text = _PROVIDERS + self.breakers_and_route
        return ours._replace(name=self.key, files={"trimtab.toml": text})


def _scaled(seconds: float) -> str:
    return f"{seconds / SCALE:g}"


_LIMITS = f"ttft_s = {_scaled(TTFT_S)}, total_s = {_scaled(_TOTAL_S)}"
_BREAKERS = f"""\
[breakers]
window_s = {_scaled(30)}
open_s = {_scaled(5)}
most_open_s = {_scaled(20)}
"""
_LADDER = f"""\
{_BREAKERS}[routes.chat]
model = "primary"
fallback = ["second", "third"]
timeouts = {{{_LIMITS}}}
"""

ARMS = (
    Arm("direct", "direct", "primary"),
    Arm(
        "alone",
        "trimtab, no ladder",
        "chat",
        f"""\
{_BREAKERS}[routes.chat]
model = "primary"
timeouts = {{ttft_s = {_scaled(_TOTAL_S)}, total_s = {_scaled(_TOTAL_S)}}}
""",
    ),
    Arm("ladder", "deadline and fallbacks", "chat", _LADDER, policy="ladder"),
    Arm(
        "hedged",
        "deadline, fallbacks, hedges",
        "chat",
        f"{_LADDER}hedge = {{max_share = {_HEDGED_SHARE:g}}}\n",
        policy="hedged",
        judged=True,
    ),
)
